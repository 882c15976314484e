"""Logs that others write: bounded while they grow, beginning and end kept, however they are written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.model.folder import TrialFolder
from sweeper.session import disk
from sweeper.session.disk import TrialLogs, free_bytes, is_short

posix = pytest.mark.skipif(sys.platform == "win32", reason="nobody cuts a file there that somebody has open")
KIB = 1024
LINES = [f"line {number}\n".encode() for number in range(60_000)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialFolder:
    monkeypatch.setattr(disk, "GROWING_BYTES", 64 * KIB)
    monkeypatch.setattr(disk, "KEPT_BYTES", 16 * KIB)
    found = TrialFolder(tmp_path)
    found.player_logs.mkdir(parents=True)
    return found


def player_log(folder: TrialFolder, number: int = 0) -> Path:
    return folder.player_logs / f"Player-{number}.log"


def taken(path: Path) -> int:
    return min(path.stat().st_size, path.stat().st_blocks * 512)


@posix
@pytest.mark.parametrize("mode", ["wb", "ab"])
@pytest.mark.parametrize("log", [lambda folder: folder.learner_log, player_log])
def test_beginning_and_end_are_left(folder: TrialFolder, mode: str, log: Callable[[TrialFolder], Path]) -> None:
    path, logs, most = log(folder), TrialLogs(folder), 0
    with path.open(mode, buffering=0) as file:
        for number in range(0, len(LINES), 500):
            file.write(b"".join(LINES[number : number + 500]))
            logs.bound()
            most = max(most, taken(path))
    logs.finish()
    assert most < 80 * KIB
    text = path.read_bytes()
    assert len(text) <= 16 * KIB
    whole = b"".join(LINES)
    beginning, note, end = text.split(b"\n[", 1)[0], text.split(b"[", 1)[1].split(b"]")[0], text.split(b"]\n")[1]
    assert whole.startswith(beginning) and len(beginning) > 7 * KIB
    assert whole.endswith(end) and len(end) > 7 * KIB
    left_out = int(note.split()[-3])
    assert left_out == pytest.approx(len(whole) - len(beginning) - len(end), rel=0.2)
    logs.finish()
    assert path.read_bytes() == text


def test_what_is_short_stays_as_it_is(folder: TrialFolder) -> None:
    player_log(folder).write_bytes(b"".join(LINES[:500]))
    logs = TrialLogs(folder)
    logs.bound()
    logs.finish()
    assert player_log(folder).read_bytes() == b"".join(LINES[:500])
    TrialLogs(TrialFolder(folder.root / "nothing")).finish()


def test_one_that_was_never_cut_while_it_grew_is_cut_at_its_end(folder: TrialFolder) -> None:
    """As on Windows, or where a session is shorter than the time between two looks."""
    player_log(folder).write_bytes(b"".join(LINES))
    TrialLogs(folder).finish()
    text = player_log(folder).read_bytes()
    assert len(text) <= 16 * KIB and text.startswith(LINES[0]) and text.endswith(LINES[-1])


@posix
def test_a_player_that_says_nothing_more_keeps_its_last_words(folder: TrialFolder) -> None:
    player_log(folder).write_bytes(b"".join(LINES))
    logs = TrialLogs(folder)
    logs.bound()
    logs.finish()
    assert player_log(folder).read_bytes().endswith(b"".join(LINES[-300:]))


def test_the_bound_is_that_of_all_together(folder: TrialFolder) -> None:
    for number in range(8):
        player_log(folder, number).write_bytes(b"".join(LINES))
    TrialLogs(folder).finish()
    assert sum(path.stat().st_size for path in folder.player_logs.iterdir()) <= 16 * KIB


@posix
def test_what_a_link_leads_to_is_somebody_elses(folder: TrialFolder, tmp_path: Path) -> None:
    (tmp_path / "thesis").write_bytes(b"".join(LINES))
    player_log(folder).symlink_to(tmp_path / "thesis")
    TrialLogs(folder).finish()
    assert (tmp_path / "thesis").read_bytes() == b"".join(LINES)


def test_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0
    for free, short in ((disk.RESERVE_BYTES, False), (disk.RESERVE_BYTES // 2 - 1, True)):
        monkeypatch.setattr(disk, "free_bytes", lambda folder, free=free: free)
        assert is_short(tmp_path) is short
