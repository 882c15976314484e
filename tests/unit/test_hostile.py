"""What others wrote may be huge, binary or malicious: it is refused in one clear line, or shown written out."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sweeper import machine
from sweeper.app.apply import plan_apply
from sweeper.app.prepare import Overrides, load
from sweeper.app.study_folder import open_folder
from sweeper.cli.main import main
from sweeper.cli.options import next_time
from sweeper.cli.progress import Progress
from sweeper.errors import InvalidInput, SweeperError
from sweeper.inputs.knob_values import MAX_NUMBER, knob_values
from sweeper.inputs.quantities import byte_count, number, seconds, share
from sweeper.inputs.study_file import read_study
from sweeper.inputs.study_limits import parse_budget, parse_memory_cap
from sweeper.inputs.trainer_config import read_trainer_config
from sweeper.inputs.tuned import tuned_text
from sweeper.inputs.yaml_text import parse_yaml, read_yaml
from sweeper.model.events import StageChanged, TrialFinished
from sweeper.model.findings import FindingKind
from sweeper.model.folder import StudyFolder
from sweeper.model.session import SessionEnd
from sweeper.model.study import Pooled, StudyResult, study_from_json
from sweeper.model.trial import Outcome, TrialResult
from sweeper.outside import is_plain, one_line, printable, read_bounded, short, shown
from sweeper.report.data import as_comparison, as_csv, as_json, as_markdown
from sweeper.report.html import render_html
from sweeper.session import cgroup, memory
from sweeper.session.console import ConsoleFile
from sweeper.session.follow import SampleFile, log_tail
from sweeper.session.host import _held_by
from sweeper.session.identity import is_ownerless
from sweeper.session.learner import installed_packages, python_of
from sweeper.study.diagnosis import diagnose, exception_line
from tests.helpers.builders import record_of, said, trial_of
from tests.helpers.results import FAST, full_result, full_trial, info_of
from tests.unit.session.test_session_parts import LINE, SAMPLE

Write = Callable[[str, str], Path]
HEAD = "version: 1\nname: n\ntrainer_config: car.yaml\n"
CONFIG = "behaviors: {Car: {trainer_type: ppo}}\n"
OBEYED = "\x1b]0;owned\x07\x1b[31m\x9b2J\x00\r\u202e\u2028"
"""What terminals and browsers act upon."""
MARKUP = '<script>alert("x")</script>|[/red][click](http://x)`$\\frac{$ :smile: \U0001f600漢'
EVIL = OBEYED + MARKUP + "\n| a | b |\n# title"


def rules(examples: int) -> Callable[[Any], Any]:
    return settings(
        deadline=None,
        derandomize=True,
        max_examples=examples,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def bomb(indent: str = "", pattern: str = "[{}]") -> str:
    """Nine lines that stand for a thousand million entries."""
    lines = [f"{indent}a0: &a0 {{x: 1}}"]
    lines += [f"{indent}a{n}: &a{n} {pattern.format(','.join([f'*a{n - 1}'] * 10))}" for n in range(1, 10)]
    return "\n".join(lines) + "\n"


def obeyed(text: str) -> set[str]:
    """Characters in `text` that a terminal acts upon."""
    return {
        character
        for character in text
        if (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\n\t")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }


def one_clear_line(error: SweeperError) -> str:
    message = str(error)
    assert message
    assert "\n" not in message
    assert is_plain(message)
    assert len(message) < 600
    return message


@pytest.fixture
def refusal(write: Write) -> Callable[..., str]:
    def reader(text: str, config: bool = False) -> str:
        path = write("any.yaml", text)
        with pytest.raises(InvalidInput) as caught:
            read_trainer_config(path) if config else read_study(path)
        return one_clear_line(caught.value).removeprefix(f"{path}:")

    return reader


class TestWordsOfOthers:
    @given(st.text(max_size=40) | st.text("\x00\x07\x1b\x7f\x9b\n\t\u202e\u2066\u2028\ud800a[", max_size=20))
    @rules(150)
    def test_nothing_is_obeyed(self, text: str) -> None:
        assert not obeyed(printable(text))
        assert printable(printable(text)) == printable(text)
        assert printable(text).count("\n") == text.count("\n")
        assert is_plain(one_line(text))
        assert is_plain(short(text))
        assert len(short(text)) <= 80

    def test_what_it_looks_like(self) -> None:
        assert printable("\x1b[31mä\n漢\x9b\u202e") == "\\x1b[31mä\n漢\\x9b\\u202e"
        assert one_line("a\nb\tc") == "a\\nb\\tc"
        assert short("x" * 80) == "x" * 80
        assert short("x" * 81) == "x" * 79 + "…"

    @given(
        st.recursive(
            st.none() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    @rules(40)
    def test_any_value_is_shown_short(self, value: Any) -> None:
        assert is_plain(shown(value))
        assert len(shown(value)) <= 320

    def test_mappings_in_mappings_are_shown_short(self) -> None:
        inner = {f"{number}{'k' * 90}": "v" * 90 for number in range(4)}
        assert len(shown({f"{number}{'k' * 90}": inner for number in range(4)})) == 320

    def test_huge_values_are_shown_short(self) -> None:
        nested: Any = ["x" * 1000]
        for _ in range(40):
            nested = [nested] * 100
        for value in (nested, {"a": nested}, 1 << 100_000, "x" * 100_000, {1 << 100_000: 1}):
            assert len(shown(value)) <= 320
            with pytest.raises(ValueError) as caught:
                seconds(value)
            assert len(str(caught.value)) < 700

    def test_what_never_ends_is_not_read(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "zero").symlink_to("/dev/zero")
        (tmp_path / "file").write_bytes(b"x" * 1024**2)
        for name, message in (("pipe", "a pipe or a device"), ("zero", "a pipe or a device"), (".", "a folder")):
            with pytest.raises(ValueError, match=message):
                read_bounded(tmp_path / name, 1024)
        assert len(read_bounded(tmp_path / "file", 1024**2)) == 1024**2
        with pytest.raises(ValueError, match="larger than 1 MiB"):
            (tmp_path / "file").write_bytes(b"x" * (1024**2 + 1))
            read_bounded(tmp_path / "file", 1024**2)


class TestYaml:
    @pytest.mark.parametrize("pattern", ["[{}]", "{{<<: [{}]}}"])
    def test_bombs(self, refusal: Callable[..., str], pattern: str) -> None:
        assert "more than 100,000 entries, its aliases unfolded" in refusal(HEAD + bomb(pattern=pattern))
        text = "environment_parameters:\n" + bomb("  ", pattern) + "behaviors: {A: {time_horizon: *a9}}\n"
        assert "more than 100,000 entries" in refusal(text, config=True)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("budget: &a [*a]", "4: an alias stands within what it names"),
            ("budget: &a {time: *a}", "4: an alias stands within what it names"),
            ("budget: " + "[" * 70 + "]" * 70, "4: nested more than 64 deep"),
            ("budget: 0x" + "f" * 5000, "4: a number of 5,002 characters"),
            ("budget: 1" + ":1" * 100_000, "4: a number of 200,001 characters"),
            ("budget: " + "1:" * 400 + "1.5", "4: a number of 803 characters"),
            ("? 0x" + "f" * 500 + "\n: 1", "4: a number of 502 characters"),
            ('"\\ud800": 1', "4: half a character: \\ud800"),
            ("budget: !!int ''", "4: '' is not what its tag says"),
            ("budget: !!float x", "4: 'x' is not what its tag says"),
            ("budget: !!bool x", "4: 'x' is not what its tag says"),
            ("budget: !!timestamp x", "4: 'x' is not what its tag says"),
            ("budget: !!python/object/apply:os.system ['true']", "4: not valid YAML: could not determine"),
            ("<<: {x: 1}\n<<: {y: 1}", "5: <<: this key is given twice"),
            ('"\\e[31mx\\a\\n": 1', "4: \\x1b[31mx\\x07\\n: unknown key"),
            ("? " + "k" * 50_000 + "\n: 1", "4: " + "k" * 79 + "…: unknown key"),
            ("budget: '" + "9" * 50_000 + "'", "4: budget: expected a duration"),
            ("budget: '" + "x" * 50_000 + "'", "4: budget: expected a duration"),
            ("memory_cap: [[1], [2], [3], [4], [5], [6]]", "4: memory_cap: expected an amount of memory"),
            ("learner: \u202ex", "4: learner: expected text without control characters, not '\\u202ex'"),
            ("learner: " + "x" * 5000, "4: learner: expected 4,096 characters at most"),
            ("env_args: [[1]]", "4: env_args.0: expected text without control characters, not [1]"),
            ("engine: {time_scale: .inf}", "4: engine.time_scale: Input should be a finite number"),
            ("engine: {width: 99999999999}", "4: engine.width: Input should be less than"),
            ("budget: {time: 1h, trials: 10000000}", "4: budget: trials: expected 1,000,000 at most"),
            ("space: {num_areas: [.nan]}", "4: space.num_areas: expected a finite number, not nan"),
            ("space: {num_areas: [9223372036854775808]}", "4: space.num_areas: no knob goes as far as"),
            ("space: {num_areas: {low: -1e308, high: 1e308}}", "4: space.num_areas: no knob goes as far as '-1e308'"),
            ('space: {num_areas: ["\\e[31m"]}', "4: space.num_areas: expected a word without control characters"),
            ('space: {"hyperparameters.\\e": [1]}', "a knob's name has no control characters"),
        ],
        ids=short,
    )
    def test_study_files(self, refusal: Callable[..., str], line: str, message: str) -> None:
        assert message in refusal(HEAD + line + "\n")

    def test_tags_that_are_kept(self) -> None:
        found = parse_yaml(Path("f"), "a: !!float 5\nb: !!int '7'\nc: !!str 9\nd: !!bool Yes\n", "study file")
        assert found.data == {"a": 5.0, "b": 7, "c": "9", "d": True}

    def test_a_switch_beside_a_key_that_is_no_yaml_has_its_line(self) -> None:
        found = parse_yaml(Path("f"), '"[": 1\non: 2\n', "study file")
        assert (found.line_of((True,)), found.line_of((False,))) == (2, 1)

    def test_thousands_of_mistakes_are_told_as_some(self, write: Write) -> None:
        path = write("any.yaml", HEAD + "".join(f"key{n}: 1\n" for n in range(3000)))
        with pytest.raises(InvalidInput) as caught:
            read_study(path)
        lines = str(caught.value).splitlines()
        assert len(lines) == 21
        assert lines[-1] == f"{path}: and 2,980 more mistakes"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("behaviors: {A: {trainer_type: {a: [[[[1]]]]}}}", "not {'a': [[...]]}"),
            ("behaviors: {A: {time_horizon: 1e300}}", "must be 9,007,199,254,740,992 at most, not '1e300'"),
            ("behaviors: {A: {hyperparameters: {batch_size: .inf}, trainer_type: x}}", "expected a finite number"),
            ("default_settings: &a {network_settings: *a}\nbehaviors: {A: *a}", "an alias stands within what it names"),
        ],
    )
    def test_trainer_configs(self, refusal: Callable[..., str], text: str, message: str) -> None:
        assert message in refusal(text + "\n", config=True)

    def test_no_number_in_a_trainer_config_is_no_value(self, write: Write) -> None:
        config = read_trainer_config(write("c.yaml", "behaviors: {A: {self_play: {window: .nan}}}\n"))
        assert config.value("self_play.window") is None

    def test_what_cannot_be_rewritten_is_refused_before_the_night(self, write: Write) -> None:
        write("car.yaml", "behaviors:\n  Car:\n    self_play: {window: [1, 2]}\n")
        with pytest.raises(
            InvalidInput, match=r"car\.yaml:3: behaviors\.Car\.self_play\.window: cannot be changed here"
        ):
            load(write("any.yaml", HEAD + "space: {self_play.window: [5]}\n"), Overrides())

    @pytest.mark.parametrize("kind", ["pipe", "device", "loop", "folder", "binary"])
    def test_what_is_no_file(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "study.yaml"
        {
            "pipe": lambda: os.mkfifo(path),
            "device": lambda: path.symlink_to("/dev/zero"),
            "loop": lambda: path.symlink_to(path),
            "folder": path.mkdir,
            "binary": lambda: path.write_bytes(bytes(range(256))),
        }[kind]()
        with pytest.raises(InvalidInput) as caught:
            read_yaml(path, "study file")
        assert one_clear_line(caught.value).startswith(f"{path}: ")

    @pytest.mark.parametrize("written", ["~nobody-of-that-name/x", "x" * 300, "./" + "y" * 300])
    def test_paths_that_cannot_be(self, write: Write, written: str) -> None:
        study = read_study(write("any.yaml", HEAD))
        with pytest.raises(InvalidInput) as caught:
            study.resolve(written)
        one_clear_line(caught.value)

    def test_a_path_that_is_no_text(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="not text in UTF-8"):
            load(tmp_path / os.fsdecode(b"\xe9.yaml"), Overrides())
        with pytest.raises(InvalidInput, match="not text in UTF-8"):
            load(tmp_path / "study.yaml", Overrides(out=Path(os.fsdecode(b"\xe9"))))

    scalars = st.sampled_from(
        (
            "1", "x", ".nan", ".inf", "-1", "1e400", "5e5", "true", "~", "2001-01-01", "''", "!", "!!int", "!!set",
            "{}", "[]", "*a", "&a", "<<", '"\\e[31m"', "0x" + "f" * 90, "!!binary aGk=", "!!omap [x: 1]", "!!str x",
            "{? [1] : 2}", "|\n   x", "1:30",
        )
    )  # fmt: skip
    documents = st.lists(
        st.tuples(
            st.sampled_from(
                ["version", "name", "trainer_config", "budget", "memory_cap", "space", "engine", "measure", "env_args"]
            )
            | st.sampled_from(("behaviors", "default_settings", "env_settings", "learner", "baseline", "<<"))
            | scalars,
            st.tuples(scalars, scalars).map(lambda pair: f"{{{pair[0]}: {pair[1]}}}") | scalars,
        ),
        max_size=4,
    ).map(lambda pairs: "".join(f"{key}: {value}\n" for key, value in pairs))

    @given(documents, st.booleans())
    @rules(250)
    def test_no_document_brings_a_traceback(self, tmp_path: Path, text: str, with_head: bool) -> None:
        path = tmp_path / "any.yaml"
        path.write_text((HEAD if with_head else "") + text, encoding="utf-8")
        for read in (read_study, read_trainer_config):
            try:
                found: Any = read(path)
                if read is read_trainer_config:
                    tuned_text(found, FAST)
            except InvalidInput as error:
                assert all(is_plain(line) and len(line) < 600 for line in str(error).splitlines())


class TestNumbers:
    @given(
        st.text("0123456789.eE+-_ kMGiBhms%:∞٣naift", max_size=30)
        | st.integers()
        | st.floats()
        | st.lists(st.none(), max_size=2)
        | st.booleans()
    )
    @example("9" * 50_000)
    @example("9" * 40 + "e" + "9" * 40)
    @example("1h" * 20_000)
    @rules(300)
    def test_every_reading_is_finite_or_refused(self, value: Any) -> None:
        parsers: tuple[Callable[[Any], Any], ...] = (
            number, seconds, share, byte_count, knob_values, parse_memory_cap, parse_budget,
        )  # fmt: skip
        for parse in parsers:
            try:
                found = parse(value)
            except ValueError as error:
                assert is_plain(str(error)), parse
                assert len(str(error)) < 300, parse
            else:
                if isinstance(found, (int, float)) and parse is not number:
                    assert 0 < found < 1e20, parse

    @given(st.fixed_dictionaries({"low": st.floats(), "high": st.floats()}, optional={"step": st.floats()}))
    @rules(150)
    def test_ranges(self, written: dict[str, float]) -> None:
        with contextlib.suppress(ValueError):
            values = knob_values(written)
            assert len(values) <= 1000
            assert all(isinstance(value, (int, float)) and abs(value) <= MAX_NUMBER for value in values)

    @given(st.text(max_size=8) | st.from_regex(r"\d{1,2}:\d{1,2}", fullmatch=True))
    @rules(100)
    def test_times_of_day(self, text: str) -> None:
        try:
            assert next_time(text)
        except ValueError as error:
            assert is_plain(str(error))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


class TestWhatRunsBesideUs:
    @given(
        st.fixed_dictionaries(
            {"t": st.just(1) | JSON, "kind": st.just("tick") | JSON},
            optional={
                "behaviors": st.dictionaries(st.text(max_size=3), st.lists(JSON, max_size=4), max_size=2) | JSON,
                "timers": st.dictionaries(st.text(max_size=3), st.tuples(JSON, JSON), max_size=2) | JSON,
                "updated": JSON,
            },
        )
    )
    @rules(120)
    def test_samples_are_what_they_should_be_or_none(self, tmp_path: Path, line: dict[str, Any]) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_text(json.dumps(line) + "\n" + json.dumps(LINE) + "\n")
        found = SampleFile(path).new()
        assert found[-1] == SAMPLE
        for sample in found:
            assert isinstance(sample.kind, str)
            assert sample.updated is None or isinstance(sample.updated, str)
            assert 0 <= sample.seconds < 2**50
            assert 0 <= sample.steps + sample.decisions + sample.policy_updates < 2**56

    def test_a_sample_longer_than_any_of_ours(self, tmp_path: Path) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_text(json.dumps({**LINE, "more": "x" * 300_000}) + "\n" + json.dumps(LINE) + "\n")
        assert SampleFile(path).new() == [SAMPLE]

    @pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
    def test_logs_that_never_end(self, tmp_path: Path, make: Callable[[Path], None]) -> None:
        make(tmp_path / "log")
        assert SampleFile(tmp_path / "log").new() == []
        assert ConsoleFile(tmp_path / "log").new() == []
        assert log_tail(tmp_path / "log", 5) == ()

    def test_sequences_in_a_log(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_bytes(b"\x1b]0;title\x07a\x1b[1;31mb\x1b]8;;http://x\x1b\\c\x1b[?25ld\xc2\x9b2Je\x1bcf\n")
        assert log_tail(log, 5) == ("abcd2Jecf",)

    @given(
        st.lists(
            st.binary(max_size=60) | st.sampled_from([b"\x1b[", b"\x9b", b"[INFO] Car. Step: 5. Time "]), max_size=8
        )
    )
    @rules(100)
    def test_no_log_brings_more_than_words(self, tmp_path: Path, parts: list[bytes]) -> None:
        log = tmp_path / "log"
        log.write_bytes(b"".join(parts))
        tail = log_tail(log, 5)
        assert len(tail) <= 5
        assert not any(
            unicodedata.category(character) == "Cc" for line in tail for character in line if character != "\t"
        )
        record = replace(SESSION, log_tail=tail, player_log_tail=tail)
        assert diagnose(record) is None or "\n" not in str(diagnose(record))
        exception_line(record)
        ConsoleFile(log).new()

    @given(
        st.binary(max_size=80) | st.sampled_from([b"memory.events", b"oom_kill 9 9", b"oom_kill x", b"oom_kill 3\n"])
    )
    @rules(80)
    def test_files_of_the_kernel(self, tmp_path: Path, data: bytes) -> None:
        for name in ("memory.events", "cgroup.procs", "own", "cpu.max", "memory.stat", "memory.max"):
            (tmp_path / name).write_bytes(data)
        assert memory.oom_kills(tmp_path / "own") == cgroup.oom_kills(tmp_path)
        assert all(isinstance(pid, int) for pid in cgroup._pids(tmp_path))
        cgroup.leftover_groups(tmp_path / "nothing", tmp_path / "own")

    @pytest.mark.parametrize("quota", ["5 0", "max 0", "x y", "1", "\u00b2 \u00b2", "9" * 400 + " 1", ""])
    def test_quotas_of_a_container(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str) -> None:
        monkeypatch.setattr(machine, "_CGROUP", tmp_path)
        (tmp_path / "cpu.max").write_text(quota, encoding="utf-8")
        assert machine.usable_cores() >= 1
        assert machine.available_memory() >= 0

    def test_groups_with_odd_names_and_numbers(self, tmp_path: Path) -> None:
        (tmp_path / "own").write_bytes(b"4:memory:/caf\xe9\n0::/\xff\n")
        assert cgroup.leftover_groups(tmp_path, tmp_path / "own") == []
        (tmp_path / "cgroup.procs").write_text("12 \u00b2 " + "9" * 5000 + " -1", encoding="utf-8")
        assert cgroup._pids(tmp_path) == [12]

    @given(st.text("0123456789-²٣x", max_size=12))
    @example("9" * 5000 + "-1-")
    @example("1-" + "9" * 5000 + "-")
    @rules(80)
    def test_marks_of_others(self, mark: str) -> None:
        assert is_ownerless(mark) in (True, False)

    @pytest.mark.parametrize(
        "signed", [b"\xff\xfe", b"1", b"9" * 5000 + b" 1", b"-5 1", b"99999999999999999999 1", b""]
    )
    def test_signatures_of_others(self, tmp_path: Path, signed: bytes) -> None:
        (tmp_path / "lock.pid").write_bytes(signed)
        assert _held_by(tmp_path / "lock.pid") == ""

    def test_a_signature_that_is_a_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "lock.pid")
        assert _held_by(tmp_path / "lock.pid") == ""

    @pytest.mark.parametrize(
        "first", [b"#!/bin/sh\n'''exec' \"/\xff\" \"$0\"", b"#!" + b"/x" * 10 + b"y" * 4000, b"#!\x00"]
    )
    def test_learners_that_are_no_scripts(self, tmp_path: Path, first: bytes) -> None:
        (tmp_path / "learner").write_bytes(first + b"\n")
        assert python_of(tmp_path / "learner") is None

    @pytest.mark.parametrize("answer", ["[]", "5", '{"mlagents": ["x"], "torch": 3, "evil": "x"}', "[" * 5000, "\\377"])
    def test_a_python_that_answers_nonsense(self, tmp_path: Path, answer: str) -> None:
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
        python.chmod(0o755)
        assert installed_packages(python) == {}


SESSION = record_of(SessionEnd.EXITED)


def hostile_result() -> StudyResult:
    """A study whose every text is malicious."""
    result = full_result()
    assert result.best is not None and result.baseline is not None
    params = {"num_envs": 1, f"hyperparameters.{EVIL}": EVIL}
    trials = tuple(replace(full_trial(), number=n, params={**params, "num_envs": n}) for n in (1, 2))
    broken = trial_of(3, params, outcome=Outcome.CRASHED, reason=said(EVIL), diagnosis=EVIL, log_tail=(EVIL, EVIL))
    return replace(
        result,
        study=info_of(name=EVIL, stopped_because=EVIL, started_at=EVIL, file=EVIL),
        machine=replace(result.machine, cpu_model=EVIL, os=EVIL, gpus=(EVIL,)),
        warnings=(said(EVIL, FindingKind.SPACE_DERIVED),),
        baseline=replace(result.baseline, trial=2),
        best=replace(result.best, trial=1, params=params, command=("a", EVIL), tied_with=(params,)),
        trials=(*trials, broken),
    )


class TestShown:
    def test_html(self) -> None:
        text = render_html(hostile_result())
        assert not obeyed(text)
        tree = html5lib.parse(text, namespaceHTMLElements=False)
        assert not [item for item in tree.iter() if item.tag in ("script", "a") and "http" in str(item.attrib)]
        assert not list(tree.iter("script"))
        assert "\\x1b]0;owned\\x07" in "".join(tree.itertext())

    def test_markdown(self) -> None:
        text = as_markdown(hostile_result()) + as_comparison(hostile_result(), hostile_result())
        assert not obeyed(text)
        bare = text.replace("\\<", "").replace("\\|", "").replace("\\[", "").replace("\\`", "")
        assert not set("<[`") & set(bare)
        table = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in table} == {6, 4}
        assert [line for line in text.splitlines() if line.startswith("#")] == [
            line for line in text.splitlines() if line.startswith("## ")
        ]

    @pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
    def test_csv(self, formula: str) -> None:
        (row,) = csv.DictReader(
            io.StringIO(as_csv(full_result(trials=(full_trial(reason=said(formula), diagnosis=EVIL),))))
        )
        assert row["message"] == "'" + formula.replace("\t", "\\t")
        assert row["steps_per_second"] == "2000"
        assert not obeyed(row["diagnosis"])

    def test_json_keeps_every_character_and_sends_none_to_a_terminal(self) -> None:
        text = as_json(hostile_result())
        assert not obeyed(text)
        assert study_from_json(text) == hostile_result()

    def test_terminal(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        (tmp_path / "results.json").write_text(as_json(hostile_result()), encoding="utf-8")
        for arguments in (["show"], ["report", "--format", "csv"], ["report", "--format", "md"]):
            with pytest.raises(SystemExit) as caught:
                main([*arguments[:1], str(tmp_path), *arguments[1:]])
            assert caught.value.code == 0
            out = capsys.readouterr().out
            assert not obeyed(out)
            assert "[/red]" in out.replace("\\", "")
            assert ":smile:" in out

    def test_a_path_with_sequences(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        for arguments in (["show", "\x1b[31m[/x]"], ["run", "\x1b[31m"], ["validate", "\x9b"]):
            with contextlib.suppress(SystemExit):
                main([arguments[0], str(tmp_path / arguments[1])])
            found = capsys.readouterr()
            assert not obeyed(found.out + found.err)
            assert "\\x" in found.out + found.err

    def test_progress(self, capsys: pytest.CaptureFixture[str]) -> None:
        trial: TrialResult = hostile_result().trials[-1]
        with Progress(verbose=True) as progress:
            progress(StageChanged(EVIL))
            progress(TrialFinished(trial, trial.params, 5.0, 2.0, 60.0))
        err = capsys.readouterr().err
        assert not obeyed(err)
        assert err.count("[/red]") >= 4
        assert ":smile:" in err

    texts = st.sampled_from(
        ["<b>", "\x1b[31m", "[/x]", "$\\frac{$", "a|b", "=1", "\ud800", "漢\U0001f600", "x" * 3000, ""]
    )
    numbers = st.sampled_from([0, -1, 5.5, -0.0, 2**62, -(2**62), 2**63, 1e17, float("nan"), float("inf")])
    anything = texts | numbers | st.sampled_from([None, True, [], {}, [1], [3.0, 1.0], {"a": 1}])

    @given(st.lists(st.tuples(st.integers(0, 10**6), anything), min_size=1, max_size=3))
    @rules(70)
    def test_results_are_refused_or_can_be_shown(self, changes: list[tuple[int, Any]]) -> None:
        data = json.loads(as_json(full_result(trials=(*full_result().trials, full_trial()))))
        for index, value in changes:
            places = list(_places(data))
            owner, key = places[index % len(places)]
            owner[key] = value
        try:
            result = study_from_json(json.dumps(data))
        except ValueError as error:
            assert is_plain(str(error))
            assert len(str(error)) < 400
            return
        for text in (as_json(result), as_csv(result), as_markdown(result), as_comparison(result, result)):
            assert not obeyed(text.replace("\r\n", "\n"))

    @pytest.mark.parametrize("text", ["漢\U0001f600", "$\\frac{$", "x" * 3000, "a\nb", "\x00\x1b"])
    def test_figures_draw_any_word(self, text: str) -> None:
        params = [{"num_envs": n + 1, "a": text + str(n)} for n in range(2)]
        items = tuple(Pooled(one, 100.0, (90.0, 110.0), None, 1, 0, True, (100.0,)) for one in params)
        assert "<svg" in render_html(full_result(configurations=items))

    @pytest.mark.parametrize("rate", [0.0, -5.0])
    def test_a_rate_that_nobody_can_have(self, rate: float) -> None:
        page = render_html(full_result(configurations=(Pooled(FAST, rate, None, None, 1, 0, True, (rate,)),)))
        assert "<svg" not in page


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield data, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


class TestFolders:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[" * 100_000, "nested too deep"),
            ('{"a": NaN}', "NaN is no number"),
            ('{"a": -Infinity}', "-Infinity is no number"),
            ('{"a": 1e999}', "1e999 is no number"),
            ('{"a": ' + "9" * 5000 + "}", "no number that was measured"),
            ('{"format": "sweeper.results", "version": "' + "x" * 5000 + '"}', "format version 'xxx"),
            ('{"format": "sweeper.results", "version": 1, "study": {"\\ud800\\u001b": 1}}', "study"),
        ],
    )
    def test_results(self, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=message) as caught:
            study_from_json(text)
        assert is_plain(str(caught.value))
        assert len(str(caught.value)) < 300

    def test_results_that_never_end(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        os.mkfifo(tmp_path / "results.json")
        with pytest.raises(SystemExit) as caught:
            main(["show", str(tmp_path)])
        assert caught.value.code == 2
        assert "this is a pipe or a device" in capsys.readouterr().err

    def test_storage_that_never_ends(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "study.db")
        with pytest.raises(InvalidInput, match=r"study\.db is not a file"):
            open_folder(StudyFolder(tmp_path))

    @pytest.mark.parametrize("command", [(), ("a",)])
    def test_no_command_to_apply(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        config = tmp_path / "car.yaml"
        config.write_text(CONFIG)
        result = full_result(study=info_of(trainer_config=str(config)))
        assert result.best is not None
        changed = replace(result, best=replace(result.best, command=command))
        (tmp_path / "results.json").write_text(as_json(changed), encoding="utf-8")
        with pytest.raises(InvalidInput, match=r"results\.json: best\.command: names no learner"):
            plan_apply(tmp_path, None)


class TestSecrets:
    SECRET = "hunter2-of-the-test"

    def test_reports_and_the_log_of_a_bug_carry_no_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("WANDB_API_KEY", self.SECRET)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        result = full_result(machine=machine.describe_machine({}))
        for text in (as_json(result), as_csv(result), as_markdown(result), render_html(result)):
            assert self.SECRET not in text

        def broken(*_: object) -> None:
            token = os.environ["WANDB_API_KEY"]
            raise RuntimeError(f"a bug of {len(token)} letters")

        monkeypatch.setattr("sweeper.app.outputs.read_results", broken)
        with pytest.raises(SystemExit) as caught:
            main(["show", str(tmp_path)])
        assert caught.value.code == 1
        (log,) = tmp_path.glob("sweeper-error-*.log")
        assert "a bug of" in log.read_text()
        assert self.SECRET not in log.read_text() + capsys.readouterr().err
