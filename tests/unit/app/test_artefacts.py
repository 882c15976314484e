"""What trials leave on the disk, and when a session counts as stalled."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.app.artefacts import check_disk, prune
from sweeper.errors import NotReady
from sweeper.model.folder import TrialFolder
from sweeper.session.disk import RESERVE_BYTES
from sweeper.study.limits import MIN_STALL_SECONDS, stall_seconds
from tests.helpers.builders import trial_of


def test_models_and_events_go_and_logs_stay(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0001")
    for path in (
        folder.player_logs / "Player-0.log",
        folder.results_dir / "trial" / "Car" / "events.out",
        folder.config,
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (folder.results_dir / "trial" / "Car.onnx").write_text("x")
    prune(folder)
    left = sorted(str(path.relative_to(folder.root)) for path in folder.root.rglob("*") if path.is_file())
    assert left == ["config.yaml", "learner/trial/run_logs/Player-0.log"]
    prune(TrialFolder(tmp_path / "never was"))


def test_a_full_disk_is_noticed_before_a_trial(tmp_path: Path, monkeypatch: Any) -> None:
    check_disk(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=RESERVE_BYTES - 1))
    with pytest.raises(NotReady, match="only 199 MiB left"):
        check_disk(tmp_path)


def test_the_stall_limit_is_what_is_normal_for_the_build() -> None:
    def trial(silence: float) -> Any:
        return trial_of(longest_silence_seconds=silence)

    assert stall_seconds([], 90.0) == 90.0
    assert stall_seconds([trial_of()], 90.0) == 90.0
    assert stall_seconds([trial(1.0)], 90.0) == MIN_STALL_SECONDS
    assert stall_seconds([trial(1.0), trial(4.0)], 90.0) == 40.0
    assert stall_seconds([trial(20.0)], 90.0) == 90.0
