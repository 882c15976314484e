"""Studies in the Unity Editor, for which the scripted learner waits as the real one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MEASURE, Workshop

WAIT = {**MEASURE, "max_play_wait_seconds": 5}
LINE = "Press Play in the Unity Editor: the learner listens on port 5004, for "


@pytest.fixture
def play(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that is there while somebody plays."""
    path = workshop.root / "play"
    monkeypatch.setenv("STANDIN_EDITOR", str(path))
    monkeypatch.setattr("tests.conftest.SCRIPTS", workshop.root)  # the real learner stays off the PATH
    workshop.study(
        env_path=None,
        baseline={"num_areas": 1},
        space={"num_areas": [1, 4, 16]},
        measure=WAIT,
        budget={"time": "60s", "trials": 3},
    )
    return path


def present(play: Path) -> None:
    play.write_text("#!standin\n{}")


@pytest.mark.alone  # the Editor's port
def test_whoever_is_away_pauses_the_study(workshop: Workshop, play: Path) -> None:
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("Press Play") == done.stderr.count(LINE) == 1
    words = done.stderr.splitlines()[-2:]
    assert words[0].startswith("sweeper: nobody pressed Play in the Unity Editor within ")
    assert words[0].endswith("s; the study is paused, and finished trials are saved")
    assert words[1] == "  try: be at the Editor, then go on where it stopped: sweeper run study.yaml"
    assert [trial["outcome"] for trial in workshop.results()["trials"]] == ["interrupted"]
    assert workshop.leftovers() == []

    present(play)
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert "Press Play" not in done.stderr  # it came by itself
    results = workshop.results()
    missed, *others = [trial["outcome"] for trial in results["trials"]]
    assert missed == "interrupted"
    assert len(others) > 1
    assert set(others) == {"ok"}
    assert results["best"] is not None
    assert workshop.leftovers() == []
