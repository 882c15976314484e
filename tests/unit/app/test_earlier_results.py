"""A results.json of an earlier version is completed from its trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.outputs import read_results, save_results
from sweeper.errors import InvalidInput
from sweeper.model.folder import StudyFolder
from sweeper.model.study import Pooled, StudyResult
from sweeper.model.trial import Outcome, Purpose
from sweeper.report.words.study_notes import study_note
from tests.helpers.builders import GIB, params_of, trial_of
from tests.helpers.results import FAST, OWN, full_result

OTHER = params_of(2)
NEW = ("rates", "peak_memory_bytes", "updates_per_1000_steps", "speedup")
Read = Callable[[StudyResult], StudyResult]


@pytest.fixture
def read_old(tmp_path: Path) -> Read:
    """Reads a result as if an earlier version had written it."""

    def read(result: StudyResult) -> StudyResult:
        folder = StudyFolder(tmp_path)
        save_results(folder, result)
        data = json.loads(folder.results.read_text())
        del data["reference"]
        data["configurations"] = [
            {key: value for key, value in item.items() if key not in NEW} for item in data["configurations"]
        ]
        folder.results.write_text(json.dumps(data))
        return read_results(folder)

    return read


def study(**fields: Any) -> StudyResult:
    confirmed = [
        trial_of(3 + at, params, rate, Purpose.CONFIRM, round=at // 3)
        for at, (params, rate) in enumerate(
            [(OWN, 1000.0), (FAST, 2000.0), (OTHER, 800.0), (OWN, 1010.0), (FAST, 2010.0), (OTHER, 805.0)]
        )
    ]
    trials = (
        trial_of(0, OWN, 990.0, Purpose.BASELINE),
        trial_of(9, params_of(9), outcome=Outcome.DISTURBED),
        trial_of(1, OTHER, 800.0, peak_memory_bytes=3 * GIB),
        trial_of(2, FAST, 2100.0),
        *confirmed,
    )
    bare = [Pooled(params, rate, None, None, 1, 0, True) for params, rate in ((OTHER, 800.0), (OWN, 1000.0))]
    never = Pooled(params_of(9), None, None, None, 0, 1, None)
    items = (never, *bare, Pooled(FAST, 2030.0, None, None, 3, 0, True))
    return full_result(trials=trials, configurations=items, **fields)


def test_what_was_left_out(read_old: Read) -> None:
    result = read_old(study())
    assert [item.params for item in result.configurations] == [FAST, OWN, OTHER, params_of(9)]
    fast, own, other, never = result.configurations
    assert (fast.rates, own.rates, other.rates, never.rates) == (
        (2100.0, 2000.0, 2010.0),
        (990.0, 1000.0, 1010.0),
        (800.0, 800.0, 805.0),
        (),
    )
    assert (other.peak_memory_bytes, never.peak_memory_bytes) == (3 * GIB, None)
    assert other.updates_per_1000_steps is not None
    assert fast.speedup is not None and fast.speedup.interval is not None
    assert fast.speedup.interval[0] < fast.speedup.estimate == pytest.approx(1.995, rel=0.02)
    assert other.speedup is not None and other.speedup.estimate == pytest.approx(0.8, rel=0.02)
    assert (own.speedup, never.speedup) == (None, None)


def test_without_confirmation_or_baseline(read_old: Read) -> None:
    result = study()
    few = read_old(replace(result, trials=result.trials[:4]))
    assert [item.speedup for item in few.configurations] == [None] * 4
    none = read_old(replace(result, baseline=None))
    assert [item.speedup for item in none.configurations] == [None] * 4


def test_slices_that_were_called_rounds(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    save_results(folder, full_result())
    data = json.loads(folder.results.read_text())
    values = {"lost_rounds": 2, "rounds": 4, "busiest": []}
    data["warnings"] = [{"kind": "slices_disturbed", "values": values, "text": "2 of 4 rounds"}]
    folder.results.write_text(json.dumps(data))
    (note,) = read_results(folder).warnings
    assert study_note(note) == "2 of 4 slices of the confirmation were disturbed by other programs and do not count."


def test_what_is_of_today_stays_as_it_is(tmp_path: Path) -> None:
    save_results(StudyFolder(tmp_path), full_result())
    assert read_results(StudyFolder(tmp_path)) == full_result()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda data: data["best"].update(steps_per_second=-5), "best.steps_per_second: no speed is below zero"),
        (lambda data: data["best"].update(trial=999), "best.trial: there is no trial 999"),
        (lambda data: data["baseline"].update(trial=77), "baseline.trial: there is no trial 77"),
        (lambda data: data["trials"][1].update(steps_per_second=-1.5), "trials.1.steps_per_second: no speed"),
        (lambda data: data["configurations"][0].update(rates=[-1]), "configurations.0.rates: no speed"),
    ],
)
def test_what_no_study_measures_is_refused(tmp_path: Path, edit: Callable[[Any], None], said: str) -> None:
    folder = StudyFolder(tmp_path)
    save_results(folder, full_result())
    data = json.loads(folder.results.read_text())
    edit(data)
    folder.results.write_text(json.dumps(data))
    with pytest.raises(InvalidInput) as caught:
        read_results(folder)
    assert str(caught.value).startswith(f"{folder.results}: {said}")


@pytest.mark.parametrize("text", ["[]", "3", "null", '"x"'])
def test_what_is_no_mapping_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"results\.json: not a sweeper\.results file: it holds .* is expected"):
        read_results(StudyFolder(tmp_path))


def test_results_that_are_gone_are_not_said_never_to_have_been(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("")
    with pytest.raises(InvalidInput, match="no results") as caught:
        read_results(StudyFolder(tmp_path))
    assert "the next `sweeper run` of it writes them" in str(caught.value.hint)
