"""Searches on recorded sessions: what a surface is, what a session costs, and what is said of a search."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sweeper.model.replay import Course, Moment, figures, quantile
from sweeper.model.trial import Outcome, Params, Purpose, Stage, configuration_key
from sweeper.plan.space import LISTABLE
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled, Strategy
from sweeper.search.replay.play import play
from sweeper.search.replay.rivals import ALL
from sweeper.search.replay.staged import walked
from sweeper.search.replay.surface import NoSurface, Surface, Tape
from sweeper.study.history import History
from tests.helpers.builders import params_of, trial_of
from tests.helpers.recorded import BROKEN, recording
from tests.helpers.world import number

SURFACE = Surface.of(recording())
INERT_AREAS = Surface.of(
    replace(
        recording(), trials=tuple(replace(t, agents=4.0 * number(t.params, "num_envs")) for t in recording().trials)
    )
)
"""As many agents in every scene."""


def key_of(envs: int, areas: int) -> str:
    return configuration_key(params_of(envs, areas))


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

    def test_what_a_study_does_not_count_is_left_out(self) -> None:
        """A first attempt at the user's own settings that he mended, and what failed while nothing ran."""
        result = recording()
        own = SURFACE.own
        first = trial_of(-1, own, None, Purpose.BASELINE, Outcome.CRASHED)
        excused = trial_of(90, params_of(2), None, outcome=Outcome.CRASHED)
        anchor = trial_of(91, own, 900.0, Purpose.ANCHOR, excuses=(90,))
        found = Surface.of(replace(result, trials=(first, *result.trials, excused, anchor)))
        assert configuration_key(own) in found.speeds
        assert found.recorded[key_of(2, 1)] == SURFACE.recorded[key_of(2, 1)]

    def test_one_failure_among_more_sessions_that_ran_disqualifies_nobody(self) -> None:
        result = recording()
        found = Surface.of(
            replace(result, trials=(*result.trials, trial_of(90, params_of(2), None, outcome=Outcome.CRASHED)))
        )
        assert found.speeds[key_of(2, 1)] == pytest.approx(SURFACE.speeds[key_of(2, 1)])

    def test_how_well_speeds_are_known(self) -> None:
        """Sessions of a recording differ by 2 % and a little more, and three make a speed."""
        assert SURFACE.error == pytest.approx(0.025 / math.sqrt(3), rel=0.4)
        assert SURFACE.rivals >= 1
        once = Surface.of(recording(repeats=1))
        assert (once.error, once.rivals) == (None, 1)

    def test_of_very_many_combinations_only_what_was_recorded_is_searched(self) -> None:
        """The values seen make 6,561 combinations, of which 27 were measured."""
        knobs = {f"hyperparameters.knob{at}": tuple(range(1, 10)) for at in range(4)}
        own = dict.fromkeys(knobs, 1)
        chooser = random.Random(0)
        params = [own, *({knob: chooser.choice(values) for knob, values in knobs.items()} for _ in range(26))]
        trials = tuple(trial_of(at, one, 1000.0 * 1.2**at) for at, one in enumerate(params))
        result = recording()
        assert result.baseline is not None
        surface = Surface.of(replace(result, trials=trials, baseline=replace(result.baseline, params=own)))
        assert math.prod(map(len, surface.space.knobs.values())) > LISTABLE
        assert surface.space.size == len(surface.space.legal) == len(surface.recorded) == 27
        for name in ("grid", "random"):
            assert play(surface, ALL[name], 0, seconds=1e9).moments[-1].regret == 0.0, name
        course = play(surface, ALL["phase"], 0, seconds=200.0)
        assert course.moments[-1].regret < course.moments[0].regret

    def test_too_little_is_no_surface(self) -> None:
        result = recording()
        with pytest.raises(NoSurface, match="1 configurations; 4"):
            Surface.of(replace(result, trials=(trial_of(0, SURFACE.own),)))
        with pytest.raises(NoSurface, match="your own settings"):
            Surface.of(replace(result, baseline=None))
        broken = [trial_of(100 + at, trial.params, outcome=Outcome.CRASHED) for at, trial in enumerate(result.trials)]
        with pytest.raises(NoSurface, match="no configuration ran without a failure"):
            Surface.of(replace(result, trials=tuple(broken)))

    def test_what_differs_in_inert_knobs_alone_is_as_fast(self) -> None:
        speeds = INERT_AREAS.speeds
        rates = [t.steps_per_second or 0.0 for areas in (1, 4) for t in INERT_AREAS.recorded[key_of(2, areas)]]
        assert speeds[key_of(2, 1)] == speeds[key_of(2, 4)] == pytest.approx(math.prod(rates) ** (1 / 6))
        assert SURFACE.speeds[key_of(2, 1)] != SURFACE.speeds[key_of(2, 4)]


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

    def test_there_is_an_answer_even_where_the_first_session_takes_too_long(self) -> None:
        course = play(SURFACE, listed(params_of(2)), seed=0, seconds=0.1)
        assert [moment.regret for moment in course.moments] == [1 - SURFACE.speeds[key_of(1, 1)] / SURFACE.best]

    def test_what_turned_out_to_do_nothing_is_not_searched(self) -> None:
        asked: list[set[str]] = []
        wanted = (params_of(1, 4), params_of(2))

        def propose(question: Question) -> Answer:
            asked.append(set(question.space.knobs))
            return Proposal(wanted[len(asked) - 1], Because.SAMPLED) if len(asked) <= len(wanted) else Settled()

        play(INERT_AREAS, Strategy(propose), seed=0, seconds=1e6)
        assert ["num_areas" in knobs for knobs in asked] == [True, False, False]
        asked.clear()
        play(INERT_AREAS, Strategy(propose), seed=0, seconds=1e6, drops_inert=False)
        assert all("num_areas" in knobs for knobs in asked)

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


def test_a_quantile_is_what_so_many_do_not_exceed() -> None:
    assert quantile(list(range(1, 11)), 0.9) == 9
    assert quantile([1.0] * 90 + [math.inf] * 10, 0.9) == 1.0
    assert quantile([1.0] * 89 + [math.inf] * 11, 0.9) is None
    assert quantile([3.0], 0.5) == 3.0


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

    @pytest.mark.parametrize("name", ["quick", "halving"])
    def test_the_first_session_of_your_own_settings_counts(self, name: str) -> None:
        """It is paid once: what comes next of them is a repeat that the search asks for."""
        surface = Surface.of(recording())
        tape = Tape(surface, 1)
        tape.play(surface.own, Purpose.BASELINE)
        first = []
        while not isinstance(answer := ALL[name].propose(_question(tape)), Settled) and len(tape.trials) < 16:
            first.append(configuration_key(answer.params))
            tape.play(answer.params)
        assert configuration_key(surface.own) not in first[:14]

    def test_the_answer_is_among_what_was_measured_most_often(self) -> None:
        trials = (
            trial_of(0, params_of(1), 2000.0),
            trial_of(1, params_of(2), 1000.0),
            trial_of(2, params_of(2), 1100.0),
        )
        found = ALL["halving"].expected(Question(SURFACE.space, History(trials, params_of(1)), 2**62, 4))
        assert found == {key_of(1, 1): 0.0}


def _question(tape: Tape) -> Question:
    history = History(tuple(tape.trials), SURFACE.own)
    return Question(SURFACE.space, history, SURFACE.cap_bytes, SURFACE.usable_cores)
