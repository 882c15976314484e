"""Frozen values, to JSON and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.errors import ExitCode, Inconclusive, Interrupted, InvalidInput, NotComparable, NothingFeasible, NotReady
from sweeper.model.findings import Bottleneck, BottleneckFigures, Finding, FindingKind
from sweeper.model.folder import StudyFolder, TrialFolder
from sweeper.model.load import BusyProcess, Contention, Part, Utilisation
from sweeper.model.measurement import Measurement, Method, PerThousandSteps, Phases
from sweeper.model.session import SessionEnd
from sweeper.model.study import study_from_json, to_json, trial_from_json
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key, measured_fields
from tests.helpers.builders import params_of, record_of, said, sample, trial_of
from tests.helpers.results import full_result, full_trial

numbers = st.floats(0, 1e12, allow_nan=False)
texts = st.text(max_size=20)
params = st.dictionaries(
    st.sampled_from(["num_envs", "threaded", "batch_size", "hyperparameters.beta"]),
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), texts),
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    numbers,
    texts,
    st.lists(texts, max_size=3).map(tuple),
    st.lists(numbers, max_size=3).map(tuple),
)
findings = st.builds(Finding, st.sampled_from(FindingKind), st.dictionaries(texts, values, max_size=3))
trials = st.builds(
    TrialResult,
    number=st.integers(0, 10**6),
    params=params,
    purpose=st.sampled_from(Purpose),
    outcome=st.sampled_from(Outcome),
    started_at=texts,
    total_seconds=numbers,
    seed=st.integers(0, 10**6),
    reason=st.none() | findings,
    bottleneck=st.none() | st.sampled_from(Bottleneck),
    bottleneck_figures=st.none() | st.builds(BottleneckFigures, numbers, numbers, numbers, st.none() | numbers),
    steps_per_second=st.none() | numbers,
    interval=st.none() | st.tuples(numbers, numbers),
    peak_memory_bytes=st.none() | st.integers(0, 2**50),
    updates_per_1000_steps=st.none() | st.builds(PerThousandSteps, st.none() | numbers, numbers),
    phases=st.none() | st.builds(Phases, numbers, numbers, numbers, numbers),
    utilisation=st.none()
    | st.builds(
        Utilisation,
        numbers,
        st.none() | numbers,
        st.dictionaries(st.sampled_from(Part), numbers),
        st.lists(numbers, max_size=2).map(tuple),
        st.dictionaries(st.sampled_from(Part), st.integers(0, 2**50)),
        st.none() | st.integers(1, 64),
        st.none() | numbers,
    ),
    command=st.lists(texts, max_size=3).map(tuple),
    warnings=st.lists(findings, max_size=2).map(tuple),
    round=st.none() | st.integers(0, 9),
    slices=st.lists(st.none() | numbers, max_size=3).map(tuple),
    relative_standard_error=st.none() | numbers,
    warmup_cycles=st.none() | st.integers(0, 9),
    method=st.none() | st.sampled_from(Method),
    contention=st.none()
    | st.builds(
        Contention,
        numbers,
        numbers,
        st.none() | numbers,
        st.none() | numbers,
        numbers,
        st.lists(st.builds(BusyProcess, texts, numbers), max_size=2).map(tuple),
    ),
)


@given(trials)
@settings(deadline=None, max_examples=80)
def test_a_trial_round_trips(trial: TrialResult) -> None:
    data = json.loads(json.dumps(to_json(trial)))
    again = trial_from_json(json.dumps(data))
    assert again == trial
    assert {knob: type(value) for knob, value in again.params.items()} == {
        knob: type(value) for knob, value in trial.params.items()
    }
    for mine, read in zip(trial.warnings, again.warnings):
        assert [type(value) for value in read.values.values()] == [type(value) for value in mine.values.values()]


def test_a_full_trial_is_plain_json() -> None:
    data = to_json(full_trial())
    assert data["outcome"] == "ok"
    assert data["purpose"] == "confirm"
    assert data["interval"] == [900.0, 1100.0]
    assert data["updates_per_1000_steps"] == {"gradient": 20.0, "policy": 0.5, "parts": {}}
    assert data["warnings"] == [{"kind": "not_precise", "values": {"error_percent": 3.1, "asked_percent": 2.0}}]
    assert data["reason"] == {"kind": "stalled", "values": {}}
    assert (data["bottleneck"], data["bottleneck_figures"]["update_share"]) == ("update", 0.6)
    assert data["predicted_memory_bytes"] == [1.0, 2.0]
    assert (data["method"], data["slices"], data["warmup_cycles"]) == ("slices", [1900.0, 2100.0], 2)
    assert data["contention"] == {
        "others_percent": 3.0,
        "steal_percent": 0.0,
        "memory_stall_percent": 0.5,
        "gpu_others_percent": None,
        "waited_seconds": 12.0,
        "busiest": [{"name": "chrome", "cores": 0.2}],
    }


def test_a_study_round_trips() -> None:
    result = full_result()
    text = json.dumps(to_json(result))
    assert study_from_json(text) == result
    assert study_from_json(text.encode()) == result
    data = json.loads(text)
    assert (data["format"], data["version"], data["verdict"]) == ("sweeper.results", 1, "better")
    # the contract of INTERFACE.md
    assert {"study", "machine", "memory_cap_bytes", "warnings", "noise", "baseline", "best", "trials"} <= set(data)
    assert {"name", "file", "started_at", "seconds", "budget", "stopped_because"} <= set(data["study"])
    assert {"trial", "stated"} <= set(data["baseline"])
    assert {
        "trial", "params", "steps_per_second", "interval", "peak_memory_bytes", "updates_per_1000_steps", "bottleneck",
        "speedup", "tied_with", "command", "verdict",
    } <= set(data["best"])  # fmt: skip
    assert data["best"]["speedup"] == {"estimate": 2.0, "interval": [1.8, 2.2]}
    assert {
        "number", "started_at", "params", "purpose", "outcome", "reason", "diagnosis", "steps_per_second", "interval",
        "cycles", "startup_seconds", "warmup_seconds", "measured_seconds", "total_seconds", "peak_memory_bytes",
        "memory_source", "predicted_memory_bytes", "updates_per_1000_steps", "agents", "phases", "utilisation",
        "bottleneck", "contention", "seed", "command", "log_tail", "warnings", "slices", "method",
        "relative_standard_error", "warmup_cycles",
    } <= set(data["trials"][0])  # fmt: skip
    assert set(data["configurations"][0]) == {
        "params", "steps_per_second", "interval", "interval_from", "sessions", "disturbed", "feasible",
        "rates", "peak_memory_bytes", "updates_per_1000_steps", "speedup",
    }  # fmt: skip


def changed(**fields: Any) -> str:
    return json.dumps({**to_json(full_result()), **fields})


def test_keys_of_a_later_version_1_are_passed_over() -> None:
    assert study_from_json(changed(novelty={"a": 1})) == full_result()


class TestEarlierVersions:
    """Sentences were kept where the values are now."""

    def old(self, **fields: Any) -> dict[str, Any]:
        data = to_json(trial_of(outcome=Outcome.CRASHED))
        for name in ("reason", "bottleneck_figures"):
            del data[name]
        return {**data, "bottleneck_text": "The players are the bottleneck.", **fields}

    def read(self, **fields: Any) -> TrialResult:
        return trial_from_json(json.dumps(self.old(**fields)))

    def test_a_message(self) -> None:
        assert self.read(message="it broke").reason == said("it broke")
        assert self.read(message=None).reason is None

    @pytest.mark.parametrize(
        ("message", "kind"),
        [
            ("too few whole cycles in the time allowed; name a larger measure.max_seconds", FindingKind.TOO_SLOW),
            ("too few summaries printed in the time allowed; name a larger", FindingKind.TOO_SLOW),
            ("running in turn with others did not work", FindingKind.TURNS_BROKEN),
        ],
    )
    def test_what_others_ask_for_by_kind(self, message: str, kind: FindingKind) -> None:
        assert self.read(message=message).reason == said(message, kind)

    def test_warnings(self) -> None:
        note = {"kind": "trend", "text": "Cycles kept getting slower."}
        assert self.read(warnings=[note]).warnings == (said("Cycles kept getting slower.", FindingKind.TREND),)
        study = study_from_json(changed(warnings=[note], trials=[self.old(warnings=[note], message="it broke")]))
        assert study.warnings == study.trials[0].warnings == (said("Cycles kept getting slower.", FindingKind.TREND),)
        assert study.trials[0].reason == said("it broke")

    def test_of_today_the_values_count(self) -> None:
        note = {"kind": "trend", "values": {"slower": True}, "text": "Cycles kept getting faster."}
        assert self.read(warnings=[note]).warnings == (Finding(FindingKind.TREND, {"slower": True}),)
        reason = {"kind": "stalled", "values": {}}
        assert self.read(message="it broke", reason=reason).reason == Finding(FindingKind.STALLED)
        assert self.read(message="it broke", reason=None).reason is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        (changed(format="other"), "not a sweeper.results file"),
        ("{}", "not a sweeper.results file"),
        (changed(version=2), "format version 2; this sweeper reads up to 1"),
        (changed(version="1"), "format version '1'"),
        (changed(memory_cap_bytes="lots"), "memory_cap_bytes: "),
        (changed(trials=[{"number": 1}]), "trials.0."),
        (changed(warnings=[{"kind": "gossip", "values": {}}]), "warnings.0.kind"),
        (changed(warnings=[{"kind": "trend", "values": {"slower": {}}}]), "warnings.0.values.slower"),
        ("[]", ""),
    ],
)
def test_what_is_not_a_result_says_so(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        study_from_json(text)
    assert message in str(caught.value)


def test_outcomes_that_blame_the_configuration() -> None:
    assert {outcome for outcome in Outcome if not outcome.is_infeasible} == {
        Outcome.OK, Outcome.OUTPACED, Outcome.DISTURBED, Outcome.INTERRUPTED,
    }  # fmt: skip


def test_a_key_knows_no_order_but_kinds() -> None:
    assert configuration_key({"a": 1, "b": 2}) == configuration_key({"b": 2, "a": 1})
    assert configuration_key({"a": 1}) != configuration_key({"a": True})
    assert trial_of(params=params_of(3)).key == configuration_key(params_of(3))


def test_is_ok_needs_a_number() -> None:
    assert trial_of().is_ok
    assert not trial_of(rate=None).is_ok
    assert not trial_of(outcome=Outcome.TOO_FEW_UPDATES).is_ok


def test_measured_fields() -> None:
    assert measured_fields(None) == {}
    note = Finding(FindingKind.TREND, {"slower": True})
    measurement = Measurement(
        steps_per_second=10.0,
        interval=(9.0, 11.0),
        relative_standard_error=0.01,
        cycles=8,
        warmup_seconds=2.0,
        measured_seconds=16.0,
        steps=160,
        updates_per_1000_steps=PerThousandSteps(1.0, 2.0),
        agents=4.0,
        phases=None,
        window=(5.0, 21.0),
        warmup_cycles=2,
        method=Method.CYCLES,
        notes=(note,),
    )
    fields = measured_fields(measurement)
    assert (fields["relative_standard_error"], fields["warmup_cycles"], fields["method"]) == (0.01, 2, Method.CYCLES)
    assert fields["warnings"] == (note,)
    assert (fields["steps_per_second"], fields["interval"], fields["cycles"]) == (10.0, (9.0, 11.0), 8)
    assert TrialResult(0, {}, Purpose.SEARCH, Outcome.OK, "", 1.0, 0, **fields).measured_seconds == 16.0


def test_folders() -> None:
    study, trial = StudyFolder(Path("r/x")), TrialFolder(Path("r/x/trials/0007"))
    assert study.trial(7) == trial.root
    assert study.trial(12345) == Path("r/x/trials/12345")
    assert [path.name for path in (study.storage, study.results, study.report, study.best, study.log)] == [
        "study.db", "results.json", "report.html", "best.yaml", "run.log",
    ]  # fmt: skip
    assert trial.player_logs == Path("r/x/trials/0007/learner/trial/run_logs")


def test_startup_is_from_launch_to_the_first_decision() -> None:
    samples = [sample(95.0, 0, 0, "trainer"), sample(97.5, 0, 0, "tick", decisions=3), sample(99.0, 64, 1)]
    assert record_of(SessionEnd.MEASURED, samples).startup_seconds == 7.5
    assert record_of(SessionEnd.EXITED).startup_seconds is None
    # A line is printed a buffer later than the first decision.
    assert record_of(SessionEnd.MEASURED, samples, from_console=True).startup_seconds is None


def test_exit_codes() -> None:
    codes = {
        kind: int(kind.exit_code) for kind in (InvalidInput, NotReady, NothingFeasible, Inconclusive, NotComparable)
    }
    assert list(codes.values()) == [2, 3, 4, 6, 7]
    assert not issubclass(Interrupted, Exception)
    assert Interrupted().exit_code is ExitCode.INTERRUPTED
    assert InvalidInput("a", "b").hint == "b"
