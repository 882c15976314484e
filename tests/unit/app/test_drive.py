"""The loop that drives a study, from beginning to end, and on resume; sessions are scripted."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.stop import StopSignal
from sweeper.app.trials import MAX_WAIT_SECONDS, WAIT_SECONDS, WAIT_SHARE
from sweeper.compare.voids import MAX_VOIDS
from sweeper.errors import Inconclusive, Interrupted, NothingFeasible, NotReady
from sweeper.inputs.study_limits import Budget
from sweeper.model.events import StageChanged, TrialFinished, TrialStarted
from sweeper.model.findings import FindingKind
from sweeper.model.session import SessionEnd
from sweeper.model.study import Verdict
from sweeper.model.trial import Outcome, Params, Purpose, Stage
from sweeper.search.proposal import Because, Proposal, Strategy
from sweeper.search.strategies import STRATEGIES
from sweeper.study.allowance import ANCHOR_EVERY
from sweeper.study.course import FAILURES_TO_LOOK_INTO, MAX_FAILURES_IN_A_ROW, Measure, Why
from sweeper.study.rounds import SLICES
from tests.helpers.builders import GIB, PPO, params_of, prepared_of
from tests.helpers.scripted import (
    BUSY,
    OWN_KEY,
    QUIET,
    Scripted,
    ScriptedRunner,
    is_disturbed,
    on_disk,
    scripted,
)

pytestmark = pytest.mark.usefixtures("scripted_world")

OWN = params_of(1)
BASELINE, SEARCH, ANCHOR, CONFIRM = Purpose.BASELINE, Purpose.SEARCH, Purpose.ANCHOR, Purpose.CONFIRM
OK, VOID = Outcome.OK, Outcome.DISTURBED


def disturbed(*indices: int) -> Any:
    return lambda index: BUSY if index in indices else QUIET


class TestOrder:
    def test_a_quiet_study_from_beginning_to_end(self) -> None:
        study = scripted(2000.0)
        assert study.run() == "every configuration was measured"
        parts = [(purpose, len(list(found))) for purpose, found in groupby(study.purposes)]
        eight = [(SEARCH, ANCHOR_EVERY), (ANCHOR, 1)]
        assert parts[:6] == [(BASELINE, 1), (ANCHOR, 1), *eight, *eight]
        assert parts[-1][0] is CONFIRM
        stages = [stage for stage, _ in groupby(trial.stage for trial in study.results)]
        assert stages == [Stage.PILOT, Stage.SEARCH, Stage.FINALS, Stage.CONFIRMATION]
        assert len({trial.key for trial in study.of(SEARCH)}) == 17
        assert all(trial.outcome is OK for trial in study.results)
        assert {trial.machine for trial in study.results} == {"m1"}
        result = study.conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params) == (Verdict.BETTER, params_of(4, 4, 256))

    def test_it_is_the_same_on_a_real_store(self, tmp_path: Path) -> None:
        study, real = scripted(320.0), on_disk(scripted(320.0), tmp_path)
        assert real.run() == study.run()
        assert [(t.purpose, t.stage, t.round, t.key, t.outcome, t.steps_per_second) for t in real.results] == [
            (t.purpose, t.stage, t.round, t.key, t.outcome, t.steps_per_second) for t in study.results
        ]
        assert {CONFIRM, SEARCH} < set(real.purposes)
        assert real.conclusion().best == study.conclusion().best
        assert real.store.spent_seconds == pytest.approx(study.store.spent_seconds)

    @pytest.mark.usefixtures("quick_search")
    def test_every_trial_is_told_and_saved(self) -> None:
        study = scripted(700.0)
        study.run()
        count = len(study.results)
        assert [event.number for event in study.events if isinstance(event, TrialStarted)] == list(range(count))
        finished = [event for event in study.events if isinstance(event, TrialFinished)]
        assert [event.result for event in finished] == study.results
        assert study.saves == count
        assert study.store.spent_seconds == pytest.approx(study.runner.now)
        remaining = [event.remaining_seconds for event in finished]
        assert remaining == sorted(remaining, reverse=True)
        assert list(study.store.constraints) == list(range(count))

    @pytest.mark.usefixtures("quick_search")
    def test_seeds_ports_and_folders_are_the_trials_own(self) -> None:
        study = scripted(1200.0)
        study.run()
        assert [trial.seed for trial in study.results] == list(range(len(study.results)))
        own = [trial.seed for trial in study.results if trial.key == OWN_KEY]
        assert len(own) >= 3
        assert len(set(own)) == len(own)

    @pytest.mark.usefixtures("quick_search")
    def test_every_second_is_somebodys_cost(self) -> None:
        study = scripted(1200.0)
        study.runner.on_session = lambda index: setattr(study.runner, "now", study.runner.now + 7.0)
        study.run()
        assert sum(trial.cost_seconds or 0.0 for trial in study.results) == pytest.approx(study.runner.now)
        alone = [trial for trial in study.results if not trial.slices]
        assert [trial.cost_seconds for trial in alone] == pytest.approx([trial.total_seconds + 7.0 for trial in alone])

    @pytest.mark.usefixtures("quick_search")
    def test_a_second_pilot_only_where_it_is_cheap(self) -> None:
        assert scripted_purposes(1200.0)[:2] == [BASELINE, ANCHOR]
        assert scripted_purposes(300.0)[:2] == [BASELINE, SEARCH]

    def test_warm_up_is_fixed_by_the_pilots(self) -> None:
        """The first update ends the start-up; of the two slow cycles after it the first pilot tells."""
        study = scripted(300.0, slow_cycles=lambda index: 3 if index == 0 else 0)
        study.run()
        rules = [session.rule.warmup_cycles for session in study.runner.sessions]
        assert rules[0] is None
        assert set(rules[1:]) == {2}
        assert {trial.warmup_cycles for trial in study.results} == {2}

    @pytest.mark.usefixtures("quick_search")
    def test_sessions_are_as_long_as_the_budget_allows(self) -> None:
        study = scripted(1200.0)
        study.run()
        assert {(s.rule.min_seconds, s.rule.max_seconds) for s in study.runner.sessions} == {(45.0, 60.0)}

    @pytest.mark.usefixtures("quick_search")
    def test_both_pilots_are_asked(self) -> None:
        study = scripted(1200.0, slow_cycles=lambda index: (2, 4)[index] if index < 2 else 0)
        study.run()
        rules = [session.rule.warmup_cycles for session in study.runner.sessions]
        assert rules[:2] == [None, None]
        assert set(rules[2:]) == {3}


class TestTheGuardDecidesOnce:
    """How many bursts fall into a session must not throw a leader out of its own confirmation."""

    def test_what_kept_it_is_not_refused_later(self) -> None:
        study = scripted(1200.0)
        trials = study.trials()
        trials.run(Measure(study.prepared.space.baseline, BASELINE, Stage.PILOT, Why.BASELINE))
        fast = params_of(4)
        assert trials.run(Measure(fast, SEARCH, Stage.SEARCH, Why.SEARCH)).outcome is OK
        study.runner.bursts = lambda _: 5
        assert trials.run(Measure(fast, CONFIRM, Stage.CONFIRMATION, Why.CONFIRMATION), 0).outcome is OK
        other = trials.run(Measure(params_of(2), SEARCH, Stage.SEARCH, Why.SEARCH))
        assert other.outcome is Outcome.TOO_FEW_UPDATES


def scripted_purposes(seconds: float) -> list[Purpose]:
    study = scripted(seconds)
    study.run()
    return study.purposes


@pytest.mark.usefixtures("quick_search")
class TestBudgetIsKept:
    @pytest.mark.parametrize("seconds", [300.0, 400.0, 600.0])
    def test_search_leaves_the_confirmation_what_it_needs(self, seconds: float) -> None:
        study = scripted(seconds)
        study.run()
        assert study.conclusion().verdict is Verdict.BETTER
        assert study.store.spent_seconds <= seconds

    def test_what_the_confirmation_gives_back_is_searched_with(self) -> None:
        """They look a little faster while they are searched for, and are much faster when they are confirmed."""
        study = scripted(1200.0, study=NARROW.replace("[1, 2, 4]", "{low: 1, high: 32}"), peak_bytes=LARGE)

        def speed(params: Params) -> float:
            confirming = any(isinstance(e, TrialStarted) and e.purpose is CONFIRM for e in study.events)
            little = 1000.0 + 3.0 * int(params["num_envs"] or 1)
            return little * (5.0 if confirming and params["num_envs"] != 1 else 1.0)

        study.runner.speed = speed
        study.run()
        stages = [stage for stage, _ in groupby(trial.stage for trial in study.results)]
        assert stages[:4] == [Stage.PILOT, Stage.SEARCH, Stage.CONFIRMATION, Stage.SEARCH]
        assert study.conclusion().verdict is Verdict.BETTER
        assert study.store.spent_seconds <= 1200.0

    def test_a_limit_on_trials(self) -> None:
        study = scripted(1e5, trials=20)
        study.run()
        assert len(study.results) <= 20
        assert set(study.purposes) == {BASELINE, ANCHOR, SEARCH, CONFIRM}

    def test_hardly_any_time(self) -> None:
        study = scripted(30.0)
        assert study.run() == "budget"
        assert study.purposes == [BASELINE]
        assert study.conclusion().verdict is Verdict.UNCONFIRMED


@pytest.mark.usefixtures("quick_search")
class TestDisturbedSearch:
    def test_it_is_measured_again_and_never_ranked(self) -> None:
        study = scripted(1200.0, load=disturbed(3))
        study.run()
        void = study.results[3]
        again = [trial for trial in study.results[4:] if trial.key == void.key and trial.outcome is OK]
        assert (void.purpose, void.outcome, void.steps_per_second) == (SEARCH, VOID, None)
        assert void.number not in [trial.number for item in study.history.candidates for trial in item.trials]
        assert again[0].purpose is SEARCH
        (found,) = (item for item in study.conclusion().configurations if item.params == void.params)
        assert found.disturbed == 1
        (busy,) = (n for n in study.conclusion().warnings if n.kind is FindingKind.MACHINE_BUSY)
        assert busy.values["disturbed_sessions"] == 1

    def test_it_comes_back_though_nobody_proposes_it_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        study = scripted(500.0, load=disturbed(2))
        proposed = iter([params for params in study.prepared.space.combinations() if params != dict(OWN)])
        strategy = Strategy(lambda _: Proposal(next(proposed), Because.SAMPLED))
        study.prepared = replace(study.prepared, strategy=strategy)
        study.run()
        void = study.results[2]
        assert is_disturbed(void)
        assert [trial.outcome for trial in study.of(SEARCH) if trial.key == void.key][:2] == [VOID, OK]

    def test_a_void_session_says_nothing_to_the_ranking_on_the_way(self) -> None:
        study = scripted(1200.0, load=disturbed(2))
        study.run()
        finished = [event for event in study.events if isinstance(event, TrialFinished)]
        assert finished[2].best_params == finished[1].best_params == dict(OWN)

    def test_the_next_session_waits_longer_for_quiet(self) -> None:
        study = scripted(1200.0, load=disturbed(2, 3))
        study.run()
        waits = [session.waited for session in study.runner.sessions[:6]]
        assert waits == [WAIT_SECONDS * count for count in (1, 1, 1, 2, 3, 1)]

    def test_but_not_for_ever(self) -> None:
        study = scripted(9000.0, load=disturbed(*range(2, 14)))
        study.run()
        assert max(session.waited for session in study.runner.sessions) == MAX_WAIT_SECONDS

    def test_nor_longer_than_the_budget(self) -> None:
        study = scripted(700.0, load=disturbed(*range(2, 40)))
        study.run()
        left, waits = 700.0, []
        for session, trial in zip(study.runner.sessions, study.results):
            assert session.waited <= WAIT_SHARE * left + 1e-9
            waits.append(session.waited == pytest.approx(WAIT_SHARE * left))
            left -= trial.total_seconds
        assert any(waits)

    def test_an_anchor_is_not_repeated_at_once(self) -> None:
        anchor = 2 + ANCHOR_EVERY
        study = scripted(1200.0, load=disturbed(anchor))
        study.run()
        assert study.purposes[anchor : anchor + 2] == [ANCHOR, SEARCH]
        assert is_disturbed(study.results[anchor])

    def test_one_configuration_is_given_up_after_three(self) -> None:
        """Somebody is always busy when this one runs, as where a player wakes a virus scanner."""
        study = scripted(2000.0)
        unlucky = params_of(4, 4, 128)

        def load(index: int) -> Any:
            return BUSY if dict(study.runner.sessions[-1].plan.params) == unlucky else QUIET

        study.runner.load = load
        study.run()
        attempts = Counter(trial.key for trial in study.results if is_disturbed(trial))
        assert list(attempts.values()) == [MAX_VOIDS]
        assert len({trial.key for trial in study.results}) > 10


@pytest.mark.usefixtures("quick_search")
class TestNeverQuiet:
    def test_three_voids_then_as_it_is(self) -> None:
        study = scripted(1200.0, load=lambda index: BUSY, turns_load=BUSY)
        study.run()
        outcomes = [trial.outcome for trial in study.results]
        assert outcomes[:4] == [VOID, VOID, VOID, OK]
        assert set(outcomes[4:]) == {OK}
        assert study.purposes[:4] == [BASELINE] * 4
        assert all(FindingKind.MACHINE_BUSY in [note.kind for note in trial.warnings] for trial in study.results[3:])
        assert [session.waited for session in study.runner.sessions[3:]] == [0.0] * len(study.runner.sessions[3:])
        result = study.conclusion()
        assert result.verdict is Verdict.BETTER
        (busy,) = (note for note in result.warnings if note.kind is FindingKind.MACHINE_BUSY)
        assert (busy.values["never_quiet"], busy.values["busiest"]) == (True, ("stress", "chrome"))
        told = [event.text for event in study.events if isinstance(event, StageChanged)]
        assert any("never quiet" in text for text in told)

    def test_quiet_in_time(self) -> None:
        study = scripted(1200.0, load=disturbed(0, 1, 8))
        study.run()
        outcomes = [trial.outcome for trial in study.results]
        assert outcomes[:3] == [VOID, VOID, OK]
        assert outcomes[8] is VOID

    def test_quiet_at_the_last_moment(self) -> None:
        study = scripted(1200.0, load=disturbed(0, 1, 2, 6))
        study.run()
        outcomes = [trial.outcome for trial in study.results]
        assert (outcomes[:4], outcomes[6]) == ([VOID, VOID, VOID, OK], VOID)

    def test_also_where_the_first_run_was_interrupted(self) -> None:
        study = scripted(1200.0, load=lambda index: BUSY)
        study.runner.end = lambda index: SessionEnd.INTERRUPTED if index == 1 else SessionEnd.MEASURED
        study.runner.on_session = lambda index: study.stop.ask() if index == 1 else None
        with pytest.raises(Interrupted):
            study.run()
        study.stop = type(study.stop)()
        study.run()
        assert study.purposes[:5] == [BASELINE] * 5
        assert study.results[4].outcome is OK

    def test_no_time_left(self) -> None:
        study = scripted(60.0, load=lambda index: BUSY)
        with pytest.raises(Inconclusive, match=r"could not be measured: other programs used 40 % of the cores"):
            study.run()
        assert [is_disturbed(trial) for trial in study.results] == [True, True]

    def test_no_trials_left(self) -> None:
        study = scripted(1200.0, trials=2, load=lambda index: BUSY)
        with pytest.raises(Inconclusive, match="could not be measured"):
            study.run()
        assert [is_disturbed(trial) for trial in study.results] == [True, True]

    def test_marked_instead_of_void(self) -> None:
        study = scripted(700.0, load=disturbed(2))
        spec = study.prepared.subject.study.spec
        spec = spec.model_copy(update={"measure": spec.measure.model_copy(update={"contention": "mark"})})
        subject = replace(study.prepared.subject, study=replace(study.prepared.subject.study, spec=spec))
        study.prepared = replace(study.prepared, subject=subject)
        study.run()
        assert {trial.outcome for trial in study.results} == {OK}
        marked = [t.number for t in study.results if FindingKind.MACHINE_BUSY in [note.kind for note in t.warnings]]
        assert marked == [2]


@pytest.mark.usefixtures("quick_search")
class TestBaselineThatDoesNotRun:
    def study(self, end: SessionEnd, **fields: Any) -> Scripted:
        return scripted(1200.0, end=lambda index: end if index == 0 else SessionEnd.MEASURED, **fields)

    @pytest.mark.parametrize("end", [SessionEnd.EXITED, SessionEnd.NO_STEPS, SessionEnd.STALLED])
    def test_the_users_settings_must_run(self, end: SessionEnd) -> None:
        with pytest.raises(NotReady, match=r"your own settings do not run: (?s:.)*last words"):
            self.study(end).run()

    def test_too_slow_to_measure(self) -> None:
        with pytest.raises(Inconclusive, match="too slow to measure"):
            slow_study().run()

    def test_over_memory_but_something_smaller_fits(self) -> None:
        study = self.study(SessionEnd.OVER_MEMORY)
        study.prepared = replace(
            prepared_of("env_path: b\nbaseline: {num_envs: 2}\nspace: {num_envs: [1, 2, 4], num_areas: [1, 4]}\n"),
            budget=study.prepared.budget,
        )
        study.run()
        assert (study.results[1].params["num_envs"], study.results[1].stage) == (1, Stage.PILOT)
        result = study.conclusion()
        assert result.reference == dict(study.results[1].params)
        assert result.best is not None
        assert result.verdict is Verdict.BETTER
        assert result.best.speedup is not None
        assert result.best.speedup.interval is not None

    def test_nothing_fits(self) -> None:
        study = scripted(1200.0, end=lambda index: SessionEnd.OVER_MEMORY, peak_bytes=9 * GIB)
        with pytest.raises(NothingFeasible, match=r"the memory cap of 8\.0 GiB is below"):
            study.run()

    def test_many_failures_in_a_row(self) -> None:
        study = self.study(SessionEnd.OVER_MEMORY)
        study.runner.end = lambda index: SessionEnd.EXITED if index else SessionEnd.OVER_MEMORY
        with pytest.raises(NothingFeasible, match=f"{MAX_FAILURES_IN_A_ROW} configurations in a row failed"):
            study.run()


def slow_study() -> Scripted:
    """Two cycles, and then the time is over."""
    study = scripted(1200.0)

    class Slow(ScriptedRunner):
        def run(self, plan: Any, watch: Any, max_wait_seconds: float) -> Any:
            record = super().run(plan, watch, max_wait_seconds)
            return replace(record, end=SessionEnd.TOO_SLOW, samples=record.samples[:4])

    study.runner = Slow()
    return study


@pytest.mark.usefixtures("quick_search")
class TestStopping:
    def test_a_session_that_was_cut_off_is_recorded_and_run_again(self) -> None:
        study = scripted(1000.0, end=lambda index: SessionEnd.INTERRUPTED if index == 4 else SessionEnd.MEASURED)
        study.runner.on_session = lambda index: study.stop.ask() if index == 4 else None
        with pytest.raises(Interrupted):
            study.run()
        assert [trial.outcome for trial in study.results] == [OK] * 4 + [Outcome.INTERRUPTED]
        study.stop = type(study.stop)()
        study.run()
        cut = study.results[4]
        assert study.purposes.count(BASELINE) == 1
        assert [trial.outcome for trial in study.results if trial.key == cut.key][-1] is OK
        assert study.conclusion().verdict is Verdict.BETTER

    def test_in_the_editor_people_press_play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sweeper.session.ports.is_free", lambda port: True)
        study = scripted(600.0)
        study.prepared = replace(
            prepared_of("baseline: {num_areas: 1}\nspace: {num_areas: [1, 4, 8]}\n", PPO), budget=study.prepared.budget
        )
        study.run()
        assert study.runner.in_turns == []
        assert study.purposes.count(CONFIRM) >= 3
        monkeypatch.setattr("sweeper.session.ports.is_free", lambda port: False)
        with pytest.raises(NotReady, match="port 5004"):
            replace(study, store=type(study.store)()).run()

    def test_nobody_pressed_play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sweeper.session.ports.is_free", lambda port: True)
        study = scripted(600.0, end=lambda index: SessionEnd.NOBODY_PLAYED if index == 2 else SessionEnd.MEASURED)
        study.prepared = replace(
            prepared_of("baseline: {num_areas: 1}\nspace: {num_areas: [1, 4, 8]}\n", PPO), budget=study.prepared.budget
        )
        with pytest.raises(NotReady, match="nobody pressed Play"):
            study.run()
        missed = study.results[2]
        assert missed.outcome is Outcome.INTERRUPTED
        study.runner.end = lambda index: SessionEnd.MEASURED
        study.run()
        assert [trial.outcome for trial in study.results if trial.key == missed.key][-1] is OK

    def test_waiting_for_play_is_no_time_of_the_study(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sweeper.session.ports.is_free", lambda port: True)
        prepared = prepared_of("baseline: {num_areas: 1}\nspace: {num_areas: [1, 4, 8]}\n", PPO)
        spent, costs = [], []
        for asked in (0.0, 100.0):
            study = scripted(600.0)
            study.prepared = replace(prepared, budget=study.prepared.budget)
            study.runner.asked_seconds = asked
            study.run()
            spent.append(study.store.spent_seconds)
            costs.append([trial.cost_seconds for trial in study.results])
        assert spent[1] == pytest.approx(spent[0])
        assert costs[1] == pytest.approx(costs[0])

    def test_a_disk_that_runs_short_in_mid_trial_ends_the_run_and_blames_nobody(self) -> None:
        study = scripted(1000.0, end=lambda index: SessionEnd.DISK_SHORT if index == 2 else SessionEnd.MEASURED)
        with pytest.raises(NotReady, match="nearly full in the middle of a trial"):
            study.run()
        (*_, missed) = study.results
        assert (missed.number, missed.outcome) == (2, Outcome.INTERRUPTED)
        study.runner.end = lambda index: SessionEnd.MEASURED
        study.run()
        assert [trial.outcome for trial in study.results if trial.key == missed.key][-1] is OK

    def test_a_session_that_cannot_be_started_leaves_nothing_running(self) -> None:
        study = scripted(1000.0)

        def fail(index: int) -> None:
            if index == 3:
                raise NotReady("cannot start mlagents-learn: No such file or directory")

        study.runner.on_session = fail
        with pytest.raises(NotReady, match="cannot start"):
            study.run()
        assert study.store.abandoned == [3]
        assert len(study.results) == 3


@pytest.mark.usefixtures("quick_search")
class TestABrokenMachine:
    """A library gone at two in the morning."""

    def broken_from(self, first: int, until: int = 10_000) -> Scripted:
        return scripted(2000.0, end=lambda index: SessionEnd.EXITED if first <= index < until else SessionEnd.MEASURED)

    def test_the_run_ends_and_nobody_is_blamed(self) -> None:
        study = self.broken_from(5)
        with pytest.raises(NotReady, match=r"nothing runs on this machine any more(?s:.)*last words"):
            study.run()
        failed = study.results[5:]
        assert len(failed) == FAILURES_TO_LOOK_INTO + 1
        assert (failed[-1].key, failed[-1].purpose) == (OWN_KEY, ANCHOR)
        assert failed[-1].excuses == tuple(trial.number for trial in failed)
        assert study.conclusion().verdict is Verdict.UNCONFIRMED
        study.runner.end = lambda index: SessionEnd.MEASURED
        study.run()
        result = study.conclusion()
        assert result.verdict is Verdict.BETTER
        for trial in failed[:-1]:
            again = [later for later in study.results if later.key == trial.key and later.number > trial.number]
            assert again[0].outcome is OK
        assert all(item.feasible for item in result.configurations)

    def test_an_anchor_that_no_longer_runs(self) -> None:
        anchor = 2 + ANCHOR_EVERY
        study = self.broken_from(anchor)
        with pytest.raises(NotReady, match="nothing runs"):
            study.run()
        assert [trial.key for trial in study.results[anchor:]] == [OWN_KEY] * 2

    def test_one_bad_moment_ends_nothing(self) -> None:
        anchor = 2 + ANCHOR_EVERY
        study = self.broken_from(anchor, anchor + 1)
        study.run()
        assert study.conclusion().verdict is Verdict.BETTER

    def test_configurations_that_really_do_not_run(self) -> None:
        study = scripted(2000.0)

        def end(index: int) -> SessionEnd:
            runs = study.runner.sessions[-1].plan.params["num_areas"] == 1
            return SessionEnd.MEASURED if runs else SessionEnd.EXITED

        study.runner.end = end
        study.run()
        assert not study.history.excused
        result = study.conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params["num_areas"]) == (Verdict.BETTER, 1)


LARGE = 4 * GIB
"""Three of them do not fit under the cap of 8 GiB together."""


def close(params: Params) -> float:
    """Differences so small that a few rounds are needed."""
    return 1000.0 * (1 + 0.1 * (int(params["num_envs"] or 1) - 1) / 3)


@pytest.mark.usefixtures("quick_search")
class TestConfirmation:
    def noisy(self, seconds: float = 4000.0, **runner: Any) -> Scripted:
        chooser = random.Random(4)
        known = {"speed": close, "jitter": lambda index: math.exp(chooser.gauss(0, 0.1)), **runner}
        return scripted(seconds, study=NARROW, **known)

    def test_in_turn_each_round_started_anew(self) -> None:
        study = self.noisy()
        study.run()
        assert len(study.runner.in_turns) >= 2
        contenders = study.runner.in_turns[0]
        starts = [[one.plan.params["num_envs"] for one in round] for round in study.runner.in_turns[:2]]
        assert starts[0] == starts[1][::-1], "who is started first seems slower"
        assert {1, 4} <= set(starts[0])
        assert len({one.plan.seed for one in contenders}) == len({one.name for one in contenders}) == len(contenders)
        assert {one.warmup_cycles for one in contenders} == {1}
        assert all(len(trial.slices) == SLICES for trial in study.of(CONFIRM))
        rounds = [trial.round for trial in study.of(CONFIRM)]
        assert rounds == sorted(rounds)  # type: ignore[type-var]
        result = study.conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params["num_envs"]) == (Verdict.BETTER, 4)

    def test_whole_sessions_where_they_do_not_fit_into_memory(self) -> None:
        study = self.noisy(peak_bytes=LARGE)
        study.run()
        assert study.runner.in_turns == []
        rounds = [[trial.key for trial in study.of(CONFIRM) if trial.round == at] for at in range(2)]
        assert rounds[0] == rounds[1][::-1]

    def test_turns_that_break_once_are_tried_again(self) -> None:
        study = self.noisy(turns_end=SessionEnd.TURNS_BROKEN)
        study.runner.on_turns = lambda: (
            setattr(study.runner, "turns_end", SessionEnd.MEASURED) if len(study.runner.in_turns) == 2 else None
        )
        study.run()
        assert len(study.runner.in_turns) > 2
        assert study.conclusion().verdict is Verdict.BETTER

    def test_but_not_for_ever(self) -> None:
        study = self.noisy(turns_end=SessionEnd.TURNS_BROKEN)
        study.run()
        assert len(study.runner.in_turns) == 2
        whole = [trial for trial in study.of(CONFIRM) if not trial.turns_broke]
        assert whole and not any(trial.slices for trial in whole)

    def test_slices_that_others_disturbed_are_made_up_for(self) -> None:
        study = self.noisy(turns_load=BUSY)
        study.run()
        assert any(is_disturbed(trial) for trial in study.of(CONFIRM))
        assert study.store.spent_seconds <= 4000.0

    def test_a_machine_that_stays_busy_does_not_keep_us_for_ever(self) -> None:
        study = self.noisy(peak_bytes=LARGE)
        study.runner.load = lambda index: BUSY if index >= 5 else QUIET
        study.run()
        assert study.store.spent_seconds <= 4000.0
        assert study.conclusion().verdict is not Verdict.BETTER


NARROW = "env_path: build.x86_64\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2, 4]}\n"
"""Too few for finals."""


@pytest.fixture(params=["memory", "disk"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the study is stored; None for in memory."""
    return tmp_path if request.param == "disk" else None


@pytest.mark.usefixtures("quick_search")
class TestRunAgain:
    def opened(self, study: Scripted, folder: Path | None, seconds: float | None = None) -> Scripted:
        """The same study in a new run: on disk, the store is opened again."""
        again = replace(study, stop=StopSignal())
        if seconds is not None:
            again = replace(again, prepared=replace(again.prepared, budget=Budget(seconds)))
        return on_disk(again, folder) if folder else again

    @pytest.mark.parametrize("peak_bytes", [GIB, LARGE])
    def test_what_is_finished_runs_nothing(self, folder: Path | None, peak_bytes: int) -> None:
        study = self.opened(scripted(600.0, study=NARROW, peak_bytes=peak_bytes), folder)
        study.run()
        before, sessions = study.results, len(study.runner.sessions)
        assert study.conclusion().verdict is Verdict.BETTER
        for budget in (600.0, 5000.0):
            again = self.opened(study, folder, budget)
            again.run()
            assert again.results == before
            assert len(again.runner.sessions) == sessions
        assert again.store.spent_seconds <= 600.0

    def test_more_search_is_confirmed_anew(self, folder: Path | None) -> None:
        wider = NARROW.replace("2, 4", "2, 4, 8, 16")
        study = self.opened(scripted(150.0, study=wider, speed=squared), folder)
        assert study.run() == "budget"
        count = len(study.results)
        again = self.opened(study, folder, 1500.0)
        again.run()
        new = again.purposes[count:]
        assert SEARCH in new
        assert new[-1] is CONFIRM
        assert again.results[:count] == study.results[:count]
        best = again.conclusion().best
        assert best is not None
        assert (best.verdict, best.params["num_envs"]) == (Verdict.BETTER, 16)

    @pytest.mark.parametrize("at", [0, 1, 3, 4, 5])
    def test_stopped_anywhere_it_goes_on(self, folder: Path | None, at: int) -> None:
        study = self.opened(scripted(900.0, study=NARROW, peak_bytes=LARGE), folder)
        study.runner.end = lambda index: SessionEnd.INTERRUPTED if index == at else SessionEnd.MEASURED
        study.runner.on_session = lambda index: study.stop.ask() if index == at else None
        with pytest.raises(Interrupted):
            study.run()
        again = self.opened(study, folder)
        again.runner.on_session = lambda index: None
        again.run()
        assert again.purposes.count(BASELINE) == (2 if at == 0 else 1)
        assert len({trial.key for trial in again.of(SEARCH)}) == 2
        assert again.conclusion().verdict is Verdict.BETTER
        assert again.store.spent_seconds <= 900.0


def squared(params: Params) -> float:
    """Twice the environments, four times the speed."""
    return 300.0 * int(params["num_envs"] or 1) ** 2


@pytest.mark.parametrize("strategy", ["phase", "tpe", "grid"])
@pytest.mark.parametrize("trials", [3, 4, 5, 6, 7, 8])
def test_few_trials_are_spent_where_something_was_never_tried(strategy: str, trials: int) -> None:
    """Three area counts, the largest refused by the guard, in six trials: 267 of 360 s were left once."""
    study = scripted(
        360.0, trials, "env_path: b\nbaseline: {num_areas: 1}\nspace: {num_areas: [1, 4, 27]}\n",
        speed=lambda params: 1000.0 * float(params["num_areas"] or 1) ** 0.25,
    )  # fmt: skip
    study.prepared = replace(study.prepared, strategy=STRATEGIES[strategy])
    study.runner.bursts = lambda params: 8 if params["num_areas"] == 27 else 1
    study.run()
    tried = {trial.params["num_areas"] for trial in study.results}
    assert tried == {1, 4, 27} or len(study.results) == trials
    used = sum(trial.outcome.uses_limit for trial in study.results)
    assert trials - used < 2 or study.conclusion().verdict is Verdict.BETTER
