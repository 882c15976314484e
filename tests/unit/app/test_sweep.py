"""The loop: baseline, search, anchors, and what other programs void; sessions are scripted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.sweep import MAX_FAILURES_IN_A_ROW
from sweeper.app.trials import MAX_WAIT_SECONDS, WAIT_SECONDS, WAIT_SHARE
from sweeper.compare.confirm import MIN_BLOCKS
from sweeper.compare.pool import pool
from sweeper.compare.voids import MAX_VOIDS
from sweeper.errors import Inconclusive, Interrupted, NothingFeasible, NotReady
from sweeper.model.events import StageChanged, TrialFinished, TrialStarted
from sweeper.model.measurement import NoteKind
from sweeper.model.session import SessionEnd
from sweeper.model.study import Verdict
from sweeper.model.trial import Outcome, Purpose
from sweeper.study.allowance import ANCHOR_EVERY, CONFIRM_SHARE, LEADERS, MARGIN
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
        assert len({trial.key for trial in study.of(SEARCH)}) == 17
        assert all(trial.outcome is OK for trial in study.results)
        result = study.conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params) == (Verdict.BETTER, params_of(4, 4, 256))

    def test_it_is_the_same_on_a_real_store(self, tmp_path: Path) -> None:
        study, real = scripted(320.0), on_disk(scripted(320.0), tmp_path)
        assert real.run() == study.run()
        assert [(t.purpose, t.key, t.outcome, t.steps_per_second, t.slices) for t in real.results] == [
            (t.purpose, t.key, t.outcome, t.steps_per_second, t.slices) for t in study.results
        ]
        assert {CONFIRM, SEARCH} < set(real.purposes)
        assert real.store.spent_seconds == pytest.approx(study.store.spent_seconds)

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

    def test_seeds_ports_and_folders_are_the_trials_own(self) -> None:
        study = scripted(1200.0)
        study.run()
        assert [trial.seed for trial in study.results] == list(range(len(study.results)))
        own = [trial.seed for trial in study.results if trial.key == OWN_KEY]
        assert len(own) >= 3
        assert len(set(own)) == len(own)

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

    def test_sessions_are_as_long_as_the_budget_allows(self) -> None:
        study = scripted(1200.0)
        study.run()
        assert {(s.rule.min_seconds, s.rule.max_seconds) for s in study.runner.sessions} == {(45.0, 60.0)}

    def test_both_pilots_are_asked(self) -> None:
        study = scripted(1200.0, slow_cycles=lambda index: (2, 4)[index] if index < 2 else 0)
        study.run()
        rules = [session.rule.warmup_cycles for session in study.runner.sessions]
        assert rules[:2] == [None, None]
        assert set(rules[2:]) == {3}


def scripted_purposes(seconds: float) -> list[Purpose]:
    study = scripted(seconds)
    study.run()
    return study.purposes


@pytest.mark.usefixtures("quick_search")
class TestBudgetIsKept:
    @pytest.mark.parametrize("seconds", [400.0, 600.0, 700.0])
    def test_search_leaves_the_confirmation_its_share(self, seconds: float) -> None:
        study = scripted(seconds)
        assert study.run() == "budget"
        first = next(number for number, purpose in enumerate(study.purposes) if purpose is CONFIRM)
        # Finals may use half of it; they have block numbers.
        searched = [trial for trial in study.results[:first] if trial.block is None]
        spent = sum(trial.total_seconds for trial in searched)
        assert seconds - spent >= CONFIRM_SHARE * seconds
        block = sum(trial.total_seconds for trial in study.results[:1]) * (1 + LEADERS)
        assert spent > seconds - max(CONFIRM_SHARE * seconds, MIN_BLOCKS * MARGIN * block) - 2 * 45.0
        assert study.store.spent_seconds <= seconds

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
        assert void.number not in [trial.number for item in pool(study.results) for trial in item.trials]
        assert again[0].purpose is SEARCH
        (found,) = (item for item in study.conclusion().configurations if item.params == void.params)
        assert found.disturbed == 1
        assert "1 of " in next(n.text for n in study.conclusion().warnings if n.kind is NoteKind.MACHINE_BUSY)

    def test_it_comes_back_though_nobody_proposes_it_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        study = scripted(500.0, load=disturbed(2))
        proposed = iter([params for params in study.prepared.space.combinations() if params != dict(OWN)])
        monkeypatch.setattr("sweeper.app.sweep.suggest", lambda *_, **__: next(proposed))
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
        assert all(NoteKind.MACHINE_BUSY in [note.kind for note in trial.warnings] for trial in study.results[3:])
        assert [session.waited for session in study.runner.sessions[3:]] == [0.0] * len(study.runner.sessions[3:])
        result = study.conclusion()
        assert result.verdict is Verdict.BETTER
        text = next(note.text for note in result.warnings if note.kind is NoteKind.MACHINE_BUSY)
        assert text.startswith("This machine was never quiet")
        assert "stress, chrome" in text
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
        spec = study.prepared.study.spec
        spec = spec.model_copy(update={"measure": spec.measure.model_copy(update={"contention": "mark"})})
        study.prepared = replace(study.prepared, study=replace(study.prepared.study, spec=spec))
        study.run()
        assert {trial.outcome for trial in study.results} == {OK}
        marked = [t.number for t in study.results if NoteKind.MACHINE_BUSY in [note.kind for note in t.warnings]]
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
        assert (study.results[1].params["num_envs"], study.results[1].purpose) == (1, SEARCH)
        result = study.conclusion()
        assert result.verdict is Verdict.UNCONFIRMED
        assert result.best is not None
        assert result.best.speedup is None

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
        monkeypatch.setattr("sweeper.app.trials.is_free", lambda port: True)
        study = scripted(600.0)
        study.prepared = replace(
            prepared_of("baseline: {num_areas: 1}\nspace: {num_areas: [1, 4, 8]}\n", PPO), budget=study.prepared.budget
        )
        study.run()
        assert study.runner.in_turn == []
        assert study.purposes.count(CONFIRM) >= MIN_BLOCKS * 3
        monkeypatch.setattr("sweeper.app.trials.is_free", lambda port: False)
        with pytest.raises(NotReady, match="port 5004"):
            replace(study, store=type(study.store)()).run()
