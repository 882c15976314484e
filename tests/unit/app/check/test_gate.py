"""The course of a check, on scripted sessions: no process, no learner."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.check.gate import Gate, Terms
from sweeper.app.check.pairs import STANDSTILL_SECONDS, Pairs
from sweeper.app.check.run import concluded
from sweeper.app.check.sides import Side
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.conclude import updates_of
from sweeper.errors import Inconclusive, Interrupted, NotReady
from sweeper.model.gate import BASELINE, CANDIDATE, Because, CheckResult, GateVerdict, Mode
from sweeper.model.session import SessionEnd
from sweeper.report.check.words import headline
from sweeper.study.judge import Terms as Judging
from tests.helpers.builders import GIB, machine_of, prepared_of
from tests.helpers.scripted import BUSY, CORES, QUIET, ScriptedRunner, load_of

SETTINGS = {"num_envs": 2, "num_areas": 4, "batch_size": 128, "threaded": False}


def side(name: str, **params: Any) -> Side:
    return Side(name, ("as it is",), prepared_of().subject, {**SETTINGS, **params})


class Check:
    """One check of two scripted sides; `slower` is the candidate's doing."""

    def __init__(self, tmp_path: Path, slower: float = 0.0, whole: bool = True, seconds: float = 1200.0, **runner: Any):
        self.both = side(BASELINE), side(CANDIDATE)
        speeds = {BASELINE: 1000.0, CANDIDATE: 1000.0 * (1 - slower)}
        self.runner = ScriptedRunner(**runner)
        self.stop = StopSignal()
        self.said: list[str] = []
        judging = Judging(8 * GIB, None, CORES)
        self.pairs = Pairs(
            self.both, self.runner, tmp_path, judging, "m1", self.stop, self.runner.clock, first=0, max_seconds=seconds
        )
        self.runner.speed_of_plan = lambda plan: speeds[plan.folder.root.name[4:]]
        terms = Terms(0.05, seconds, 0.1, 8 * GIB, whole_sessions=whole)
        self.gate = Gate(self.pairs, terms, self.said.append, lambda pair, look: None)

    def run(self) -> CheckResult:
        verdict, because = self.gate.run()
        return concluded(self.gate, self.both, machine_of(), "2026-01-01T00:00:00+00:00", verdict, because)


def wobble(index: int) -> float:
    return (1.0, 1.01, 0.99, 1.02, 0.98)[index % 5]


@pytest.mark.parametrize("whole", [True, False])
def test_equal_sides_pass_soon(tmp_path, whole):
    found = Check(tmp_path, whole=whole, jitter=wobble).run()
    assert found.verdict is GateVerdict.PASS
    assert found.mode is (Mode.SESSIONS if whole else Mode.SLICES)
    assert 4 <= found.counted <= 8
    assert "5 % or more is excluded" in headline(found)


@pytest.mark.parametrize("whole", [True, False])
def test_a_slower_candidate_is_found_and_what_got_slower_is_named(tmp_path, whole):
    found = Check(tmp_path, slower=0.1, whole=whole, jitter=wobble).run()
    assert found.verdict is GateVerdict.REGRESSED
    assert found.change is not None
    assert found.change.estimate == pytest.approx(-0.1, abs=0.03)
    assert found.steps_per_second[CANDIDATE] < found.steps_per_second[BASELINE]


def test_a_faster_one_is_said_to_be(tmp_path):
    assert Check(tmp_path, slower=-0.2, jitter=wobble).run().verdict is GateVerdict.IMPROVED


@pytest.mark.parametrize("whole", [True, False])
def test_pairs_take_turns_in_who_is_started_first(tmp_path, whole):
    check = Check(tmp_path, whole=whole, jitter=wobble)
    check.run()
    names = [session.plan.folder.root.name[4:] for session in check.runner.sessions][2:]
    pairs = [tuple(names[at : at + 2]) for at in range(0, len(names), 2)]
    assert all(set(pair) == {BASELINE, CANDIDATE} for pair in pairs)
    assert all(one != other for one, other in itertools.pairwise(pairs))


def test_both_sides_of_a_pair_have_the_same_seed(tmp_path):
    check = Check(tmp_path, jitter=wobble)
    check.run()
    seeds = [session.plan.seed for session in check.runner.sessions][2:]
    assert seeds[::2] == seeds[1::2]
    assert len(set(seeds[::2])) == len(seeds[::2])


def test_disturbed_pairs_are_left_out_whatever_they_show(tmp_path):
    """The second pair was half as fast, and others were busy meanwhile."""
    check = Check(
        tmp_path,
        load=lambda index: BUSY if index in (4, 5) else QUIET,
        jitter=lambda index: 0.5 if index == 5 else wobble(index),
    )
    found = check.run()
    assert found.verdict is GateVerdict.PASS
    assert [pair.number for pair in found.pairs if pair.void] == [1]


def test_a_disturbance_that_passes_ends_no_check(tmp_path):
    """Two of the first five pairs: nothing is decided until they are less than three in ten, and then it is."""
    found = Check(tmp_path, load=lambda index: BUSY if index in (4, 5, 8, 9) else QUIET, jitter=wobble).run()
    assert [pair.number for pair in found.pairs if pair.void] == [1, 3]
    assert found.verdict is GateVerdict.PASS
    assert len(found.pairs) >= 7


def test_a_machine_that_is_never_quiet_is_no_verdict_and_names_who_was_busy(tmp_path):
    found = Check(tmp_path, load=lambda index: BUSY if index > 1 and index % 3 else QUIET, slower=0.2).run()
    assert (found.verdict, found.because) == (GateVerdict.INCONCLUSIVE, Because.BUSY)
    assert "stress" in headline(found)


def test_a_burner_that_runs_only_beside_the_candidate_is_no_regression(tmp_path):
    """It takes 12 % of the cores, which alone is no reason to void a session."""
    check = Check(tmp_path, slower=0.12)
    check.runner.load = lambda index: load_of(12.0 if _candidates(check, index) else 0.5)
    found = check.run()
    assert found.verdict is GateVerdict.INCONCLUSIVE


def test_a_little_load_beside_the_candidate_alone_is_no_regression_either(tmp_path):
    check = Check(tmp_path, slower=0.12)
    check.runner.load = lambda index: load_of(6.0 if _candidates(check, index) else 0.5)
    found = check.run()
    assert (found.verdict, found.because) == (GateVerdict.INCONCLUSIVE, Because.UNEVEN_LOAD)


def _candidates(check: Check, index: int) -> bool:
    return check.runner.sessions[index].plan.folder.root.name.endswith(CANDIDATE)


def test_a_candidate_that_crashes_twice_has_its_own_verdict(tmp_path):
    check = Check(tmp_path)
    check.runner.end = lambda index: SessionEnd.EXITED if _candidates(check, index) else SessionEnd.MEASURED
    found = check.run()
    assert (found.verdict, found.because) == (GateVerdict.CANDIDATE_FAILS, Because.FAILED)
    assert "two of its sessions failed" in headline(found)


def test_a_first_session_that_is_repeated_says_why(tmp_path):
    check = Check(tmp_path, jitter=wobble, end=lambda index: SessionEnd.EXITED if index == 0 else SessionEnd.MEASURED)
    check.run()
    first = [text for text in check.said if "first session" in text or "does not count" in text]
    assert [text.partition(":")[0] for text in first] == [
        "first session of the baseline", "it does not count", "first session of the baseline",
        "first session of the candidate",
    ]  # fmt: skip


def test_being_asked_to_stop_is_no_second_failure(tmp_path):
    """A first session of the candidate fails, and the next one is interrupted."""
    check = Check(tmp_path)
    ends = (SessionEnd.MEASURED, SessionEnd.EXITED, SessionEnd.INTERRUPTED)
    check.runner.end = lambda index: ends[index]
    check.runner.on_session = lambda index: check.stop.ask() if index == 2 else None
    with pytest.raises(Interrupted):
        check.run()


def test_updates_are_those_of_the_pairs_that_count(tmp_path):
    check = Check(tmp_path, jitter=wobble)
    found = check.run()
    counted = [trial for two in check.gate.counted for trial in two]
    assert len(counted) == 2 * found.counted < len(found.trials)  # first sessions belong to no pair
    assert found.updates == updates_of(counted)


def test_one_crash_is_bad_luck(tmp_path):
    check = Check(tmp_path, jitter=wobble, end=lambda index: SessionEnd.EXITED if index == 5 else SessionEnd.MEASURED)
    found = check.run()
    assert found.verdict is GateVerdict.PASS
    assert [pair.number for pair in found.pairs if pair.difference is None] == [1]


@pytest.mark.parametrize("both", [True, False])
def test_a_baseline_that_does_not_run_is_no_verdict_about_the_candidate(tmp_path, both):
    check = Check(tmp_path)
    check.runner.end = lambda index: SessionEnd.EXITED if both or not _candidates(check, index) else SessionEnd.MEASURED
    with pytest.raises(NotReady, match="the baseline does not run"):
        check.run()


def test_sessions_that_do_not_survive_their_turns_are_measured_whole(tmp_path):
    found = Check(tmp_path, whole=False, jitter=wobble, turns_end=SessionEnd.TURNS_BROKEN).run()
    assert found.verdict is GateVerdict.PASS
    assert found.mode is Mode.SESSIONS


def test_a_learner_that_only_prints_is_measured_in_whole_sessions(tmp_path):
    found = Check(tmp_path, whole=False, jitter=wobble, from_console=True).run()
    assert (found.verdict, found.mode) == (GateVerdict.PASS, Mode.SESSIONS)


def test_slices_do_not_go_on_long_after_the_time_is_up(tmp_path):
    check = Check(tmp_path, whole=False, seconds=900.0, jitter=wobble)
    check.run()
    most = check.runner.turns_most_seconds
    assert most[0] < 900.0 + STANDSTILL_SECONDS
    assert most == sorted(most, reverse=True)
    check.pairs._began -= 10_000.0
    check.pairs.pair(99, check.gate.begin())
    assert check.runner.turns_most_seconds[-1] == STANDSTILL_SECONDS


def test_time_that_is_up_is_no_verdict_and_says_what_it_would_take(tmp_path):
    found = Check(tmp_path, seconds=400.0, jitter=lambda index: (1.0, 1.04, 0.97, 1.0, 1.02)[index % 5]).run()
    assert (found.verdict, found.because) == (GateVerdict.INCONCLUSIVE, Because.NOT_ENOUGH_PAIRS)
    assert found.pairs_needed is not None
    assert "--max-time" in headline(found)
    assert found.seconds <= 500.0


def test_memory_that_grew_does_not_pass(tmp_path):
    check = Check(tmp_path, jitter=wobble)
    run = check.runner.run

    def more(plan: Any, watch: Any, wait: float) -> Any:
        record = run(plan, watch, wait)
        grown = plan.folder.root.name.endswith(CANDIDATE)
        return replace(record, peak_memory_bytes=int(GIB * (1.3 if grown else 1.0)))

    check.runner.run = more  # type: ignore[method-assign]
    found = check.run()
    assert (found.verdict, found.because) == (GateVerdict.REGRESSED, Because.MEMORY)
    assert "+30.0 %" in headline(found)


@pytest.mark.parametrize(("grown", "because"), [(1.0, Because.SPEED), (1.2, Because.MEMORY)])
def test_of_sides_that_are_alive_together_memory_is_compared_while_both_are(tmp_path, grown, because):
    """Of the one that is started first pages are read whole that both have later: it seems to need more."""
    check = Check(tmp_path, whole=False, jitter=wobble, peak_bytes=3 * GIB)
    check.runner.turns_peak_bytes = lambda one: int(GIB * (grown if one.name == CANDIDATE else 1.0))
    found = check.run()
    assert found.because is because
    assert found.memory_growth is not None
    assert found.memory_growth.estimate == pytest.approx(grown - 1)


def test_being_asked_to_stop_stops(tmp_path):
    check = Check(tmp_path)
    check.runner.on_session = lambda index: check.stop.ask() if index == 3 else None
    with pytest.raises(Interrupted):
        check.run()


@pytest.mark.parametrize("grown", [18.0, 1.0])
def test_a_session_that_died_early_says_nothing_of_memory(tmp_path, grown):
    check = Check(tmp_path, jitter=wobble, end=lambda index: SessionEnd.EXITED if index == 5 else SessionEnd.MEASURED)
    _peaks(check, lambda index, is_candidate: 0.01 if index == 5 else grown if is_candidate else 1.0)
    found = check.run()
    assert (found.verdict is GateVerdict.REGRESSED) == (grown > 1)
    assert found.memory_growth is not None
    assert found.memory_growth.estimate == pytest.approx(grown - 1)


def test_memory_that_tells_nothing_does_not_pass(tmp_path):
    check = Check(tmp_path, jitter=wobble)
    _peaks(check, lambda index, is_candidate: (1.0, 8.0)[index // 2 % 2] if is_candidate else 1.0)
    found = check.run()
    assert (found.verdict, found.because) == (GateVerdict.INCONCLUSIVE, Because.MEMORY)
    assert "its memory differs too much" in headline(found)


def _peaks(check: Check, peak: Any) -> None:
    run = check.runner.run

    def scaled(plan: Any, watch: Any, wait: float) -> Any:
        index = len(check.runner.sessions)
        record = run(plan, watch, wait)
        return replace(record, peak_memory_bytes=int(GIB * peak(index, plan.folder.root.name.endswith(CANDIDATE))))

    check.runner.run = scaled  # type: ignore[method-assign]


def test_first_sessions_are_not_tried_again_when_the_time_is_up(tmp_path):
    check = Check(tmp_path, seconds=5.0, end=lambda index: SessionEnd.EXITED)
    with pytest.raises(Inconclusive, match="the time is up, and no first session of the baseline went well"):
        check.run()
    assert len(check.runner.sessions) == 1


def test_little_time_is_not_called_an_unsteady_machine(tmp_path):
    found = Check(tmp_path, seconds=150.0, jitter=lambda index: (1.0, 1.001)[index % 2]).run()
    assert found.verdict is GateVerdict.INCONCLUSIVE
    assert found.counted < 4
    assert "unsteady" not in headline(found)
