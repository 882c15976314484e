"""A recorded baseline: what it may hold, and what a batch of sessions against it says."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.check import stored as stored_module
from sweeper.app.check.folder import CheckFolder
from sweeper.app.check.run import Told, Wishes
from sweeper.app.check.stored import Alone, decide, memory_of, read_baseline, record
from sweeper.app.stop import StopSignal
from sweeper.errors import InvalidInput
from sweeper.model.gate import Because, GateVerdict, StoredBaseline, StoredSession
from sweeper.model.study import to_json
from tests.helpers.builders import GIB, machine_of
from tests.unit.app.check.test_gate import Check, wobble

WISHES = Wishes((), ("study.yaml",), 0.05, 1200.0, 0.1)
TOLD = Told(lambda text: None, lambda pair, look, seconds: None)


def alone(check: Check, tmp_path: Path) -> Alone:
    return Alone(check.both[1], machine_of(), check.pairs, check.said.append, CheckFolder(tmp_path))


def baseline(peak: int | None = GIB, days: int = 4) -> StoredBaseline:
    sessions = [
        StoredSession(f"2026-01-0{day + 1}T10:00:00+00:00", 1000.0 * (1 + 0.004 * (at + day - 2)), peak)
        for day in range(days)
        for at in range(2)
    ]
    return StoredBaseline("racer", {"machine": "m1"}, {}, tuple(sessions))


def test_a_batch_like_the_recorded_ones_passes_and_a_slow_one_has_to_be_repeated(tmp_path):
    assert decide(alone(Check(tmp_path), tmp_path), baseline(), WISHES)[1:] == (GateVerdict.PASS, Because.SPEED)
    slow = Check(tmp_path, slower=0.3)
    assert decide(alone(slow, tmp_path), baseline(), WISHES)[1:] == (GateVerdict.REGRESSED, Because.SPEED)
    assert len(slow.runner.sessions) == 6


@pytest.mark.parametrize(
    ("grown", "expected"),
    [(1.0, (GateVerdict.PASS, Because.SPEED)), (2.0, (GateVerdict.REGRESSED, Because.MEMORY))],
)
def test_memory_is_looked_at_against_a_recorded_baseline_too(tmp_path, grown, expected):
    check = Check(tmp_path, peak_bytes=int(grown * GIB))
    found, *verdict = decide(alone(check, tmp_path), baseline(), WISHES)
    assert tuple(verdict) == expected
    growth = memory_of(baseline(), found)
    assert growth is not None
    assert growth.estimate == pytest.approx(grown - 1)
    assert memory_of(baseline(peak=None), found) is None


def test_one_alarm_that_is_not_repeated_is_no_verdict(tmp_path):
    check = Check(tmp_path, jitter=lambda index: 0.6 if index < 3 else 1.0)
    assert decide(alone(check, tmp_path), baseline(), WISHES)[1:] == (GateVerdict.INCONCLUSIVE, Because.NOT_REPEATED)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps_per_second": 0}, "session 2: steps_per_second"),
        ({"steps_per_second": -3.0}, "session 2: steps_per_second"),
        ({"peak_memory_bytes": 0}, "session 2: peak_memory_bytes"),
        ({"at": "yesterday"}, "session 2: at: 'yesterday'"),
        ({"at": ""}, "session 2: at"),
    ],
)
def test_a_baseline_of_what_nobody_measured_is_refused_at_reading(tmp_path, wrong, said):
    data = to_json(baseline())
    data["sessions"][1].update(wrong)
    file = tmp_path / "base.json"
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match=said):
        read_baseline(file)


def test_a_list_is_no_baseline_and_the_line_has_no_hole(tmp_path):
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(InvalidInput) as caught:
        read_baseline(tmp_path / "list.json")
    assert ": :" not in str(caught.value)


def test_what_was_recorded_while_this_waited_for_the_machine_is_kept(tmp_path, monkeypatch):
    file = tmp_path / "base.json"
    one = alone(Check(tmp_path, jitter=wobble), tmp_path)

    @contextmanager
    def waited(*_: Any) -> Any:
        other = replace(baseline(), key=one.key)
        file.write_text(json.dumps(to_json(other)))
        yield one

    monkeypatch.setattr(stored_module, "_alone", waited)
    assert len(record(WISHES, file, TOLD, StopSignal()).sessions) == 8 + 5


def test_a_file_that_could_not_be_written_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(InvalidInput, match="--record: there is no folder"):
        record(WISHES, tmp_path / "nowhere" / "base.json", TOLD, StopSignal())


def test_numbers_are_finite(tmp_path):
    with pytest.raises(InvalidInput):
        data = to_json(baseline())
        data["sessions"][0]["steps_per_second"] = math.inf
        (tmp_path / "x.json").write_text(json.dumps(data))
        read_baseline(tmp_path / "x.json")
