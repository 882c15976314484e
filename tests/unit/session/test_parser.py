"""The learner's parser is asked in its own Python; here a package of a few lines stands in for mlagents."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweeper.learner import INSIDE
from sweeper.session.parser import NotAsked, Question, Refusal, ask_parser

SETTINGS = """\
load_config = None

class TrainerConfigError(Exception):
    pass

class TrainerSettings:
    default_override = None

class RunOptions:
    @staticmethod
    def from_argparse(arguments):
        data = load_config("config.yaml")
        print("noise on standard output")
        for name, entry in data["behaviors"].items():
            if int(entry.get("size", 1)) < 1:
                raise TrainerConfigError("size is\\n  too small")
        if data.get("envs", 1) > 1 and not arguments.env:
            raise TrainerConfigError("no env")
"""
CLI = """\
import argparse

class DetectDefault:
    non_default_args = set()

parser = argparse.ArgumentParser()
parser.add_argument("file", nargs="?")
parser.add_argument("--env")
"""
GOOD = Question("behaviors: {A: {size: 1}}\n", ())


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "packages" / "mlagents" / "trainers"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", "learn": "", "settings": SETTINGS, "cli_utils": CLI}.items():
        (package / f"{name}.py").write_text(text)
    (package.parent / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    return script(tmp_path)


def script(tmp_path: Path, text: str = "from mlagents.trainers.learn import main\n") -> Path:
    path = tmp_path / "mlagents-learn"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


class TestAsking:
    def test_each_question_has_its_answer(self, learner: Path) -> None:
        bad = Question("behaviors:\n  A: {size: 1}\n  B: {size: 0}\n", ())
        assert ask_parser(learner, [GOOD, bad, GOOD]) == [
            None, Refusal(("behaviors", "B", "size"), "size is too small"), None,
        ]  # fmt: skip

    def test_what_is_no_error_of_its_own_has_its_kind(self, learner: Path) -> None:
        (found,) = ask_parser(learner, [Question("behaviors: {A: {size: 1e4}}\n", ())])
        assert found is not None
        assert found.path == ("behaviors", "A", "size")
        assert found.message.startswith("ValueError: invalid literal for int()")

    def test_the_command_line_counts(self, learner: Path) -> None:
        text = "envs: 2\nbehaviors: {A: {}}\n"
        found = ask_parser(learner, [Question(text, ()), Question(text, ("--env=b",))])
        assert found == [Refusal(("envs",), "no env"), None]

    def test_who_does_not_know_a_flag_is_not_asked(self, learner: Path) -> None:
        with pytest.raises(NotAsked, match="--new"):
            ask_parser(learner, [Question(GOOD.text, ("--new=1",))])

    def test_another_script_is_not_asked(self, tmp_path: Path) -> None:
        with pytest.raises(NotAsked, match="is not the script that comes with mlagents"):
            ask_parser(script(tmp_path, "print('hello')\n"), [GOOD])

    def test_an_environment_without_mlagents_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "mlagents.py").write_text("")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(NotAsked, match=r"No module named 'mlagents\.trainers'"):
            ask_parser(script(tmp_path), [GOOD])

    def test_an_unknown_python(self, tmp_path: Path) -> None:
        (tmp_path / "learner").write_text("")
        with pytest.raises(NotAsked, match="which Python runs"):
            ask_parser(tmp_path / "learner", [GOOD])


@pytest.fixture(scope="module")
def inside() -> Any:
    spec = importlib.util.spec_from_file_location("sweeper_parser", INSIDE / "sweeper_parser.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestWhereItStands:
    def path(self, inside: Any, data: Any, refusal: Callable[[Any], str | None]) -> list[Any]:
        found: list[Any] = inside.refused_path(data, refusal(data), refusal)
        return found

    def test_the_deepest_entry_that_matters(self, inside: Any) -> None:
        data = {"a": 1, "b": {"c": {"d": 0, "e": 1}}}
        assert self.path(inside, data, lambda d: "d" if d.get("b", {}).get("c", {}).get("d") == 0 else None) == list(
            "bcd"
        )
        assert data == {"a": 1, "b": {"c": {"d": 0, "e": 1}}}

    def test_in_lists(self, inside: Any) -> None:
        assert self.path(inside, {"a": [1, 2, {"x": 0}]}, lambda d: "x" if "{" in str(d.get("a")) else None) == ["a", 2]

    def test_of_two_mistakes_the_one_that_is_told(self, inside: Any) -> None:
        def refusal(data: Any) -> str | None:
            return next((key for key in ("x", "y") if key in data), None)

        assert self.path(inside, {"y": 1, "x": 1}, refusal) == ["x"]

    def test_what_is_missing_stands_where_it_is_missed(self, inside: Any) -> None:
        def refusal(data: Any) -> str | None:
            return "no path" if "bc" in data and "path" not in data["bc"] else None

        assert self.path(inside, {"bc": {"steps": 1}}, refusal) == ["bc"]

    def test_of_a_mistake_in_several_places_the_first(self, inside: Any) -> None:
        def refusal(data: Any) -> str | None:
            return "foo" if any(entry.get("kind") == "foo" for entry in data.get("all", {}).values()) else None

        data = {"all": {"A": {"kind": "bar"}, "B": {"x": 1, "kind": "foo"}, "C": {"kind": "foo"}}}
        assert self.path(inside, data, refusal) == ["all", "B", "kind"]
        assert set(data["all"]) == set("ABC")

    def test_a_setting_and_not_the_type_that_it_is_of(self, inside: Any) -> None:
        def refusal(data: Any) -> str | None:
            sampler = data.get("mass", {})
            if sampler.get("sampler_type") not in (None, "uniform"):
                return f"'{sampler['sampler_type']}' is not a valid type"
            return (
                "no such option" if sampler.get("sampler_type") and "ranges" in sampler.get("parameters", ()) else None
            )

        data = {"mass": {"sampler_type": "uniform", "parameters": {"low": 1, "ranges": [1]}}}
        assert self.path(inside, data, refusal) == ["mass", "parameters", "ranges"]
        assert self.path(inside, {"mass": {"sampler_type": "foo", "parameters": {}}}, refusal) == [
            "mass", "sampler_type",
        ]  # fmt: skip
