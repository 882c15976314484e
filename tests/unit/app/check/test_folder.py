"""The folder of a check, where none of it is wanted in the end."""

from __future__ import annotations

from pathlib import Path

from sweeper.app.check.folder import CheckFolder


def opened(tmp_path: Path) -> CheckFolder:
    folder = CheckFolder(tmp_path / "reports" / "check")
    folder.open(is_new_check=True)
    return folder


def test_a_folder_in_which_nothing_was_left_goes(tmp_path):
    opened(tmp_path).clear()
    assert not (tmp_path / "reports" / "check").exists()


def test_what_a_session_left_stays(tmp_path):
    folder = opened(tmp_path)
    (folder.trials / "000-baseline").mkdir()
    (folder.trials / "000-baseline" / "learner.log").write_text("Traceback")
    folder.clear()
    assert (folder.trials / "000-baseline" / "learner.log").exists()


def test_what_somebody_else_keeps_there_stays(tmp_path):
    folder = opened(tmp_path)
    (folder.root / "mine.txt").write_text("notes")
    folder.clear()
    assert (folder.root / "mine.txt").exists()
