"""A study in TensorBoard's own files, read back with its own reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.app.artefacts import prune
from sweeper.model.folder import TrialFolder
from sweeper.model.measurement import Phases
from sweeper.model.trial import Outcome
from sweeper.report.tensorboard import Board, scalars
from tests.helpers.builders import GIB, params_of, trial_of


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    # Files of the same second are read in any order.
    return {tag: sorted((e.step, e.value) for e in events.Scalars(tag)) for tag in events.Tags()["scalars"]}


def hparams(folder: Path) -> dict[str, object]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG, parse_session_start_info_plugin_data

    events = EventAccumulator(str(folder))
    events.Reload()
    found = events.SummaryMetadata(SESSION_START_INFO_TAG).plugin_data.content
    return {
        name: getattr(value, value.WhichOneof("kind"))
        for name, value in parse_session_start_info_plugin_data(found).hparams.items()
    }


TRIALS = [
    trial_of(0, params_of(1), 1000.0, peak_memory_bytes=GIB),
    trial_of(1, params_of(4), 3000.0, phases=Phases(6.0, 1.0, 2.0, 3.0), measured_seconds=10.0),
    trial_of(2, params_of(8), None, outcome=Outcome.OVER_MEMORY),
    trial_of(3, params_of(2), 2000.0),
]


def test_every_trial_is_a_run_and_the_study_another(tmp_path):
    Board(tmp_path).add(TRIALS)
    assert sorted(run.name for run in tmp_path.iterdir()) == [
        "0000-search", "0001-search", "0002-search", "0003-search", "study",
    ]  # fmt: skip
    study = read(tmp_path / "study")
    assert study["steps_per_second"] == [(0, 1000.0), (1, 3000.0), (3, 2000.0)]
    assert [value for _, value in study["fastest_so_far"]] == [1000.0, 3000.0, 3000.0, 3000.0]
    assert read(tmp_path / "0001-search")["phases/update_share"] == [(1, pytest.approx(0.2))]
    assert hparams(tmp_path / "0002-search") == {
        "num_envs": 8.0, "num_areas": 1.0, "batch_size": 128.0, "threaded": False, "outcome": "over_memory",
    }  # fmt: skip


def test_after_a_resume_only_what_is_new_is_written(tmp_path):
    Board(tmp_path).add(TRIALS[:2])
    Board(tmp_path).add(TRIALS)
    Board(tmp_path).add(TRIALS)
    assert read(tmp_path / "study")["steps_per_second"] == [(0, 1000.0), (1, 3000.0), (3, 2000.0)]


def test_what_was_not_measured_is_not_there():
    assert "memory_gib" not in scalars(trial_of(0, rate=None, outcome=Outcome.CRASHED, peak_memory_bytes=None))


def test_the_learners_own_event_files_stay_where_they_are_wanted(tmp_path):
    for keep in (True, False):
        folder = TrialFolder(tmp_path / str(keep))
        own = folder.results_dir / "trial" / "Car"
        own.mkdir(parents=True)
        for name in ("events.out.tfevents.1", "Car-1.pt"):
            (own / name).write_text("x")
        folder.player_logs.mkdir(parents=True)
        (folder.player_logs / "Player-0.log").write_text("x")
        prune(folder, keep_events=keep)
        assert [path.name for path in sorted(folder.results_dir.rglob("*")) if path.is_file()] == (
            ["events.out.tfevents.1", "Player-0.log"] if keep else ["Player-0.log"]
        )
