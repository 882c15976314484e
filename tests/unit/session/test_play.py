"""How long somebody is asked to press Play, as the learner's log tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.session.play import ASK_AFTER_SECONDS, CONNECTED, PlayWait

LISTENS = "[INFO] Listening on port 5004. Start training by pressing the Play button in the Unity Editor.\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "learner.log"


def test_nobody_is_asked_before_the_learner_listens(log: Path) -> None:
    wait = PlayWait(log, 100.0)
    wait.look(1000.0)
    assert not wait.is_on
    assert wait.seconds_left(1000.0) is None
    assert not wait.is_in_vain(1000.0)


def test_nor_where_the_editor_comes_by_itself(log: Path) -> None:
    log.write_text(LISTENS)
    wait = PlayWait(log, 100.0)
    wait.look(10.0)
    soon = 10.0 + ASK_AFTER_SECONDS - 0.5
    assert wait.is_on
    assert wait.seconds_left(soon) is None
    log.write_text(LISTENS + f"[INFO] {CONNECTED} with package version 3.0.0\n")
    wait.look(soon)
    assert not wait.is_on
    assert wait.seconds_left(500.0) is None
    assert wait.asked_seconds(500.0) == 0.0


def test_a_wait_counts_down_and_ends(log: Path) -> None:
    log.write_text(LISTENS)
    wait = PlayWait(log, 100.0)
    wait.look(10.0)
    assert wait.seconds_left(30.0) == 80.0
    assert wait.asked_seconds(30.0) == 20.0 - ASK_AFTER_SECONDS
    assert not wait.is_in_vain(110.0)
    assert wait.is_in_vain(110.1)
    wait.look(60.0, is_training=True)  # however much the learner printed since it connected
    assert not wait.is_in_vain(500.0)
    assert wait.asked_seconds(500.0) == 50.0 - ASK_AFTER_SECONDS


def test_a_build_is_not_waited_for(log: Path) -> None:
    log.write_text(LISTENS)
    wait = PlayWait(log, 0.0)
    wait.look(10.0)
    assert not wait.is_on
