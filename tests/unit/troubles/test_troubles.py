from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.model.session import Limits, SessionEnd
from sweeper.study.diagnosis import diagnose
from sweeper.troubles import TROUBLES, Trouble
from sweeper.troubles.page import EXAMPLES, page
from tests.helpers.builders import record_of

PAGE = Path(__file__).parents[3] / "docs" / "troubleshooting.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python tools/troubleshooting.py"


def test_keys_and_titles_are_unique() -> None:
    assert len({trouble.key for trouble in TROUBLES}) == len({trouble.title for trouble in TROUBLES}) == len(TROUBLES)


@pytest.mark.parametrize("trouble", [trouble for trouble in TROUBLES if trouble.numbers], ids=lambda one: one.key)
def test_what_is_not_known_is_not_said(trouble: Trouble) -> None:
    found = ("My Behavior",)
    without, with_all = trouble.told({}, *found), trouble.told(EXAMPLES, *found)
    assert with_all.startswith(without) and len(with_all) > len(without)
    assert "None" not in trouble.told(dict.fromkeys(EXAMPLES), *found) and "{" not in with_all


@pytest.mark.parametrize("trouble", [trouble for trouble in TROUBLES if trouble.example], ids=lambda one: one.key)
def test_each_log_is_told_by_its_own_entry(trouble: Trouble) -> None:
    """None before it in the table takes its words."""
    record = record_of(SessionEnd.EXITED, log=[str(trouble.example)], limits=Limits())
    assert str(diagnose(record)).startswith(str(trouble.found_in(str(trouble.example), {})))


def test_the_limits_of_this_machine_are_said() -> None:
    limits = Limits(open_files=256, shm_bytes=64 << 20, shm_free_bytes=0)
    files = record_of(SessionEnd.EXITED, log=["OSError: [Errno 24] Too many open files"], limits=limits)
    assert str(diagnose(files, {"num_envs": 64})).endswith("(here it is 256, and num_envs was 64)")
    shared = record_of(SessionEnd.EXITED, log=["insufficient shared memory (shm)"], limits=limits)
    assert "here it has 64 MiB" in str(diagnose(shared))


def test_both_names_of_a_behaviour_are_said() -> None:
    said = "TrainerConfigError: The behavior name My Behavior has not been specified in the trainer configuration."
    text = str(diagnose(record_of(SessionEnd.EXITED, log=[said]), {"behaviors": "Car"}))
    assert "My Behavior" in text and text.endswith("names Car)")
