"""Searches on recorded sessions: what a surface is, what a session costs, and what is said of a search."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sweeper.model.replay import Course, Moment, figures
from sweeper.model.trial import Outcome, Params, Purpose, Stage, configuration_key
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled, Strategy
from sweeper.search.replay.play import play
from sweeper.search.replay.rivals import ALL
from sweeper.search.replay.staged import walked
from sweeper.search.replay.surface import NoSurface, Surface, Tape
from sweeper.study.history import History
from tests.helpers.builders import params_of, trial_of
from tests.helpers.recorded import BROKEN, recording

SURFACE = Surface.of(recording())


class TestSurface:
    def test_it_is_what_was_recorded_and_nothing_else(self) -> None:
        assert len(SURFACE.space.legal) == len(SURFACE.recorded) == 16
        assert SURFACE.space.knobs == {"num_envs": (1, 2, 4, 8), "num_areas": (1, 4), "batch_size": (64, 128)}
        assert SURFACE.space.problem(params_of(3)) is not None

    def test_the_truth_is_the_mean_of_all_sessions_where_all_ran(self) -> None:
        key = configuration_key(params_of(2))
        rates = [trial.steps_per_second or 0.0 for trial in SURFACE.recorded[key]]
        assert SURFACE.speeds[key] == pytest.approx(math.prod(rates) ** (1 / 3))
        assert configuration_key(BROKEN) not in SURFACE.speeds
        assert SURFACE.summary().feasible == 15

    def test_what_others_disturbed_and_what_ran_in_turn_is_left_out(self) -> None:
        more = (trial_of(90, outcome=Outcome.DISTURBED), trial_of(91, slices=(1.0, 2.0), rate=1.0))
        result = recording()
        assert Surface.of(replace(result, trials=(*result.trials, *more))).recorded == SURFACE.recorded

    def test_too_little_is_no_surface(self) -> None:
        result = recording()
        with pytest.raises(NoSurface, match="1 configurations; 4"):
            Surface.of(replace(result, trials=(trial_of(0, SURFACE.own),)))
        with pytest.raises(NoSurface, match="your own settings"):
            Surface.of(replace(result, baseline=None))
        broken = [trial_of(100 + at, trial.params, outcome=Outcome.CRASHED) for at, trial in enumerate(result.trials)]
        with pytest.raises(NoSurface, match="no configuration ran without a failure"):
            Surface.of(replace(result, trials=(*result.trials, *broken)))


class TestTape:
    def test_every_recorded_session_comes_before_any_comes_again(self) -> None:
        tape = Tape(SURFACE, seed=1)
        rates = [tape.play(SURFACE.own).steps_per_second for _ in range(6)]
        recorded = sorted(trial.steps_per_second or 0.0 for trial in SURFACE.recorded[configuration_key(SURFACE.own)])
        assert sorted(rates[:3]) == sorted(rates[3:]) == recorded

    def test_it_charges_what_the_session_took_and_numbers_anew(self) -> None:
        tape = Tape(SURFACE, seed=1)
        first, second = tape.play(SURFACE.own, Purpose.BASELINE), tape.play(params_of(2))
        assert tape.seconds == first.total_seconds + second.total_seconds
        assert [(t.number, t.stage, t.cost_seconds) for t in tape.trials] == [
            (0, Stage.PILOT, first.total_seconds),
            (1, Stage.SEARCH, second.total_seconds),
        ]

    def test_another_seed_draws_otherwise(self) -> None:
        drawn = {
            tuple(t.play(SURFACE.own).steps_per_second for _ in range(3)) for t in (Tape(SURFACE, s) for s in range(9))
        }
        assert len(drawn) > 1


def listed(*wanted: Params) -> Strategy:
    """Proposes these, one after another."""

    def propose(question: Question) -> Answer:
        done = len(question.history.results) - 1
        return Proposal(wanted[done], Because.SAMPLED) if done < len(wanted) else Settled()

    return Strategy(propose)


class TestPlay:
    def test_the_answer_is_followed_to_the_end(self) -> None:
        best = max(SURFACE.speeds, key=lambda key: SURFACE.speeds[key])
        params = SURFACE.recorded[best][0].params
        course = play(SURFACE, listed(params_of(2), BROKEN, params), seed=0, seconds=1e6)
        assert course.settled
        assert course.infeasible == 1 / 4
        assert [round(moment.regret, 9) for moment in course.moments][-1] == 0.0
        assert course.moments[0].regret == pytest.approx(
            1 - SURFACE.speeds[configuration_key(SURFACE.own)] / SURFACE.best
        )
        assert course.seconds_to(0.01) == course.moments[-1].seconds

    def test_it_ends_when_its_time_is_up(self) -> None:
        course = play(SURFACE, listed(*[params_of(2)] * 50), seed=0, seconds=100.0)
        assert not course.settled
        assert course.moments[-1].seconds < 100.0

    @pytest.mark.parametrize("name", [name for name in ALL if name != "gp"])
    def test_every_strategy_finds_its_way(self, name: str) -> None:
        course = play(SURFACE, ALL[name], seed=3, seconds=400.0)
        assert course.moments[-1].regret < course.moments[0].regret

    def test_chance_goes_by_the_seed(self) -> None:
        found = {tuple(m.regret for m in play(SURFACE, ALL["grid"], seed, 200.0).moments) for seed in range(4)}
        assert len(found) > 1
        assert play(SURFACE, ALL["random"], 5, 200.0) == play(SURFACE, ALL["random"], 5, 200.0)


def test_figures_are_medians_and_what_is_never_reached_is_null() -> None:
    def course(regret: float) -> Course:
        return Course((Moment(10.0, 0.5, 0.0), Moment(30.0, regret, 0.1)), 0.25, True)

    found = figures([course(0.0), course(0.015), course(0.3)])
    assert found["seconds_to_2_percent"] == 30.0
    assert found["seconds_to_2_percent_p90"] is None
    assert found["seconds_to_1_percent"] is None
    assert found["regret_percent"] == pytest.approx(1.5)
    assert found["infeasible_percent"] == 25.0


def test_an_answer_that_was_good_and_is_no_more_was_not_reached() -> None:
    moments = (Moment(10.0, 0.01, 0.0), Moment(20.0, 0.5, 0.0), Moment(30.0, 0.01, 0.0))
    course = Course(moments, 0.0, False)
    assert course.seconds_to(0.02) == 30.0
    assert [course.regret_at(at) for at in (5.0, 15.0, 25.0)] == [1.0, 0.01, 0.5]


class TestStaged:
    def test_a_course_goes_on_with_what_its_sessions_gave(self) -> None:
        """It asks for one setting twice, then for another where the second session was the slower one."""

        def course(question: Question) -> Iterator[Params]:
            yield question.history.own
            first = yield params_of(2)
            second = yield params_of(2)
            assert first.steps_per_second != second.steps_per_second
            yield params_of(4)

        tape = Tape(SURFACE, 1)
        tape.play(SURFACE.own, Purpose.BASELINE)
        asked = []
        while not isinstance(answer := walked(course)(_question(tape)), Settled):
            assert isinstance(answer, Proposal)
            asked.append(answer.params["num_envs"])
            tape.play(answer.params)
        assert asked == [2, 2, 4]

    def test_quick_climbs_from_the_smallest_corner_and_ends_by_itself(self) -> None:
        course = play(SURFACE, ALL["quick"], 0, 1e9)
        assert course.settled
        assert len(course.moments) < 25
        assert course.moments[-1].regret < course.moments[0].regret

    def test_halving_measures_the_best_again_and_ends_by_itself(self) -> None:
        tape = Tape(SURFACE, 1)
        tape.play(SURFACE.own, Purpose.BASELINE)
        while not isinstance(answer := ALL["halving"].propose(_question(tape)), Settled):
            assert isinstance(answer, Proposal)
            tape.play(answer.params)
        counts = Counter(trial.key for trial in tape.trials)
        assert max(counts.values()) >= 3
        assert counts[configuration_key(BROKEN)] == 1


def _question(tape: Tape) -> Question:
    history = History(tuple(tape.trials), SURFACE.own)
    return Question(SURFACE.space, history, SURFACE.cap_bytes, SURFACE.usable_cores)
