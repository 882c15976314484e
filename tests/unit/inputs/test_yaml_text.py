"""YAML with line numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.errors import InvalidInput
from sweeper.inputs.yaml_text import MAX_BYTES, did_you_mean, parse_yaml, read_yaml

Write = Callable[[str, str], Path]
HERE = Path("f.yaml")


def refused(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(HERE, text, "study file")
    return str(caught.value)


def test_line_of_entries_their_children_and_list_items() -> None:
    text = "# a comment\na: 1\nb:\n  c:\n    - x\n    - y: 2\n"
    found = parse_yaml(HERE, text, "study file")
    assert found.data == {"a": 1, "b": {"c": ["x", {"y": 2}]}}
    assert [found.line_of(where) for where in (("a",), ("b",), ("b", "c"), ("b", "c", 0), ("b", "c", 1, "y"))] == [
        2, 3, 4, 5, 6,
    ]  # fmt: skip


def test_line_of_what_is_missing_is_that_of_its_nearest_ancestor() -> None:
    found = parse_yaml(HERE, "a: 1\nb:\n  c: 2\n", "study file")
    assert found.line_of(("b", "nothing", "deeper")) == 2
    assert found.line_of(("nothing",)) == 1
    assert found.line_of(()) == 1


def test_error_names_file_line_and_path() -> None:
    error = parse_yaml(HERE, "a: 1\nb:\n  c: 2\n", "study file").error(("b", "c"), "is wrong", "mend it")
    assert str(error) == "f.yaml:3: b.c: is wrong"
    assert error.hint == "mend it"


@given(st.lists(st.from_regex(r"[a-z]{3,8}", fullmatch=True), min_size=1, max_size=12, unique=True))
@settings(deadline=None, max_examples=40)
def test_lines_count_from_one(keys: list[str]) -> None:
    keys = [f"k{key}" for key in keys]  # `true` and `null` are words of YAML
    found = parse_yaml(HERE, "".join(f"{key}: 1\n" for key in keys), "study file")
    assert [found.line_of((key,)) for key in keys] == list(range(1, len(keys) + 1))


def test_a_key_given_twice() -> None:
    assert refused("a: 1\nb: 2\na: 3\n") == "f.yaml:3: a: this key is given twice, first on line 1"
    assert refused("s:\n  x: 1\n  x: 2\n") == "f.yaml:3: x: this key is given twice, first on line 2"
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(HERE, "a: 1\na: 3\n", "trainer config")
    assert str(caught.value).endswith("first on line 1; the learner would take the last one")
    assert caught.value.hint == "remove one of them"
    assert refused("s:\n  - {x: 1}\n  - {x: 1, x: 2}\n") == "f.yaml:3: x: this key is given twice, first on line 3"


def test_merge_keys_and_anchors_are_not_duplicates() -> None:
    text = "base: &b {x: 1}\nother: &o {y: 2}\nboth:\n  <<: *b\n  x: 3\n"
    assert parse_yaml(HERE, text, "study file").data["both"] == {"x": 3}


@pytest.mark.parametrize(("text", "kind"), [("- 1\n- 2\n", "list"), ("word\n", "str"), ("42\n", "int")])
def test_not_a_mapping(text: str, kind: str) -> None:
    assert refused(text) == f"f.yaml:1: a study file is a mapping of keys to values, not a {kind}"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_empty(text: str) -> None:
    assert refused(text) == "f.yaml: this study file is empty"


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [1, 2\n", 3), ("a: 1\n\tb: 2\n", 2), ("a: 1\n---\nb: 2\n", 2), ("a: !!python/none 1\n", 1)],
)
def test_what_is_not_yaml_says_where(text: str, line: int) -> None:
    assert refused(text).startswith(f"f.yaml:{line}: not valid YAML: ")


@pytest.mark.parametrize("text", ["a: 2021-99-99\n", "a: \x00\n", "a: " + "[" * 1200 + "\n", "{[1]: {2: 3}}\n"])
def test_odd_texts_are_refused_in_one_line(text: str) -> None:
    message = refused(text)
    assert "not valid YAML" in message
    assert "\n" not in message


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=150)
def test_no_text_brings_a_traceback(text: str) -> None:
    try:
        found = parse_yaml(HERE, text, "study file")
    except InvalidInput as error:
        assert str(error).startswith("f.yaml")
    else:
        assert isinstance(found.data, dict)


def test_binary(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not a text file in UTF-8") as caught:
        read_yaml(path, "study file")
    assert caught.value.hint == "save the study file as UTF-8"


def test_a_byte_order_mark_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path, "study file").data == {"a": 1}


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(InvalidInput, match="larger than 256 KiB, not a study file"):
        read_yaml(path, "study file")


def test_a_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    compose = yaml.compose
    monkeypatch.setattr(yaml, "compose", lambda text, **loader: read.append(text) or compose(text, **loader))
    monkeypatch.setattr(yaml, "safe_load", lambda text: pytest.fail("read again"))
    assert parse_yaml(HERE, "s: {k: [1, 2.5, yes, 2020-01-01]}\n", "study file").data["s"]["k"][:3] == [1, 2.5, True]
    assert len(read) == 1


def test_merged_keys_leave_the_lines_alone() -> None:
    found = parse_yaml(HERE, "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", "study file")
    assert found.data["b"] == {"x": 1, "y": 2}
    assert not found.has(("b", "x")) and found.line_of(("b", "y")) == 4


def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "car.yaml").symlink_to("gone.yaml")
    with pytest.raises(InvalidInput, match=r"car\.yaml: a link to gone\.yaml, which is not there"):
        read_yaml(tmp_path / "car.yaml", "trainer config")
    with pytest.raises(InvalidInput, match="no such trainer config") as caught:
        read_yaml(tmp_path / "carr.yaml", "trainer config")
    assert caught.value.hint is None


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="this is a folder, not a study file"):
        read_yaml(tmp_path, "study file")


def test_missing_names_the_nearest_file(tmp_path: Path, write: Write) -> None:
    write("study.yaml", "a: 1\n")
    with pytest.raises(InvalidInput, match="no such study file") as caught:
        read_yaml(tmp_path / "studdy.yaml", "study file")
    assert caught.value.hint == f"did you mean {tmp_path / 'study.yaml'}?"
    with pytest.raises(InvalidInput) as caught:
        read_yaml(tmp_path / "nowhere" / "study.yaml", "study file")
    assert caught.value.hint == f"the folder {tmp_path / 'nowhere'} does not exist"
    with pytest.raises(InvalidInput) as caught:
        read_yaml(tmp_path / "qqqq.yaml", "study file")
    assert caught.value.hint is None


def test_did_you_mean() -> None:
    assert did_you_mean("num_env", ["num_envs", "num_areas"]) == " (did you mean 'num_envs'?)"
    assert did_you_mean("zzz", ["num_envs", "num_areas"]) == ""


def test_line_of_a_key_that_yaml_reads_as_something_else() -> None:
    found = parse_yaml(HERE, "a: 1\non: 2\n", "study file")
    assert found.line_of((True,)) == 2
