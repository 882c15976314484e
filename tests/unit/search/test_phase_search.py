"""The phase strategy as a whole, on builds whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from sweeper.compare.voids import MAX_VOIDS
from sweeper.model.trial import Outcome, Params, Purpose, configuration_key
from sweeper.search.guesses import first_sessions
from sweeper.search.phase import search
from sweeper.search.phase.search import ENOUGH_BY_WORTH, expected, propose
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled
from sweeper.search.strategies import DEFAULT, STRATEGIES
from sweeper.study.history import History
from tests.helpers.builders import GIB, params_of, space_of, trial_of
from tests.helpers.world import World, collecting, number, updating

STUDY = (
    "env_path: b\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: [1, 2, 4, 6, 8, 12], num_areas: [1, 4, 16], batch_size: [64, 128, 256, 512], "
    "threaded: [false, true]}\n"
)
SPACE = space_of(STUDY)


def question(world: World, min_updates: float | None = None) -> Question:
    return Question(
        world.space, History(tuple(world.trials), world.space.baseline, min_updates), int(world.cap * GIB), 8
    )


def searched(world: World, most: int = 60, min_updates: float | None = None) -> Answer | None:
    """Measures what is proposed until it is settled; None where that takes more than `most` sessions."""
    world.measure(world.space.baseline, purpose=Purpose.BASELINE)
    for _ in range(most):
        answer = propose(question(world, min_updates))
        if isinstance(answer, Settled):
            return answer
        assert world.space.problem(answer.params) is None
        world.measure(answer.params, answer.measure_seconds or 4.0)
    return None


def leader(world: World) -> Params:
    found = expected(question(world))
    by_key = {trial.key: trial.params for trial in world.trials}
    return by_key[max(found, key=lambda key: found[key])]


def regret(world: World) -> float:
    return world.pace(leader(world)) / world.best_pace() - 1


def jumping(params: Params) -> float:
    """Off every smooth surface: from eight areas on a step costs more."""
    return collecting(params) * (1.6 if number(params, "num_areas") > 4 else 1.0)


BUILDS: dict[str, Callable[[Params], float]] = {
    "burns": collecting,
    "jumps": jumping,
    "inert areas": lambda params: 0.003 / min(number(params, "num_envs"), 8.0) + 0.0002,
}


@pytest.mark.parametrize("name", BUILDS)
def test_it_settles_on_one_of_the_fastest(name: str) -> None:
    found = []
    for seed in range(3):
        world = World(SPACE, BUILDS[name], seed=seed)
        answer = searched(world, most=80)
        assert isinstance(answer, Settled), f"seed {seed}"
        assert answer.regret is not None
        assert answer.regret < ENOUGH_BY_WORTH
        found.append(regret(world))
    assert max(found) < 0.05, found


def test_it_needs_few_sessions_where_the_model_holds() -> None:
    world = World(SPACE, noise=0.01)
    assert isinstance(searched(world), Settled)
    assert len(world.trials) < 25  # of 144 configurations


def test_a_slow_machine_at_one_time_does_not_make_a_winner() -> None:
    """Claims are what is believed, not the highest reading."""
    worlds = [World(SPACE, noise=0.08, seed=seed) for seed in range(4)]
    errors = []
    for world in worlds:
        searched(world, most=20)
        found = expected(question(world))
        best = leader(world)
        errors.append(math.log(found[configuration_key(best)] * world.pace(best)))
    assert abs(sum(errors) / len(errors)) < 0.06, errors


def test_hardly_anything_is_launched_that_breaks_the_cap() -> None:
    world = World(SPACE, memory=lambda p: 0.7 + number(p, "num_envs") * (0.5 + 0.05 * number(p, "num_areas")), cap=6.0)
    searched(world)
    broke = [trial for trial in world.trials if trial.outcome is Outcome.OVER_MEMORY]
    assert len(broke) <= 2
    assert world.memory(leader(world)) <= world.cap
    assert regret(world) < 0.05


def test_nothing_is_proposed_that_learns_too_little() -> None:
    world = World(SPACE)
    searched(world, min_updates=0.6)
    assert {trial.params["batch_size"] for trial in world.trials} == {64, 128}


def test_equal_questions_have_equal_answers() -> None:
    world = World(SPACE)
    world.measure(SPACE.baseline, purpose=Purpose.BASELINE)
    for _ in range(6):
        first, second = propose(question(world)), propose(question(world))
        assert first == second
        assert isinstance(first, Proposal)
        world.measure(first.params)


def test_the_first_sessions_are_the_guides_and_a_far_corner() -> None:
    world = World(SPACE)
    world.measure(SPACE.baseline, purpose=Purpose.BASELINE)
    for params in (params_of(4), params_of(8, 16, 512)):
        answer = propose(question(world))
        assert isinstance(answer, Proposal)
        assert (answer.params, answer.because) == (params, Because.FIRST)
        world.measure(params)
    answer = propose(question(world))
    assert isinstance(answer, Proposal)
    assert answer.because is Because.TEACHES
    assert answer.seconds is not None
    assert answer.left is not None


def test_what_is_left_is_over_the_fastest_that_was_measured() -> None:
    """Not over what the model takes for the fastest, which may be a guess."""
    space = space_of("env_path: b\nbaseline: {num_areas: 4}\nspace: {num_areas: [1, 2, 4, 16, 64]}\n", cores=1)
    world = World(space, noise=0.0)
    for areas in (4, 1, 2):
        world.measure(params_of(1, areas), purpose=Purpose.BASELINE if areas == 4 else Purpose.SEARCH)
    while isinstance(answer := propose(question(world)), Proposal) and answer.because is Because.FIRST:
        world.now, world.trials = world.now + 1, [*world.trials, trial_of(99, answer.params, outcome=Outcome.CRASHED)]
    assert isinstance(answer, Proposal) and answer.left is not None
    assert answer.left > math.log(1.3)


def test_what_was_given_up_is_not_proposed() -> None:
    space = space_of("env_path: b\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2, 4], num_areas: [1, 4]}\n")
    world = World(space, collecting, updating)
    world.measure(space.baseline, purpose=Purpose.BASELINE)
    given_up = params_of(4)
    world.trials += [trial_of(1 + at, given_up, outcome=Outcome.DISTURBED) for at in range(MAX_VOIDS)]
    for _ in range(20):
        answer = propose(question(world))
        if isinstance(answer, Settled):
            break
        assert answer.params != given_up
        world.measure(answer.params)


def test_failures_alone_do_not_stop_it() -> None:
    trials = [trial_of(0, SPACE.baseline, purpose=Purpose.BASELINE, outcome=Outcome.OVER_MEMORY)]
    for at in range(1, 12):
        answer = propose(Question(SPACE, History(tuple(trials), SPACE.baseline), 8 * GIB, 8))
        assert isinstance(answer, Proposal)
        trials.append(trial_of(at, answer.params, outcome=Outcome.CRASHED))
    assert len({trial.key for trial in trials}) == len(trials)


def test_a_build_that_tells_no_phases_is_searched_by_its_rates() -> None:
    world = World(SPACE, tells_phases=False)
    searched(world)
    assert regret(world) < 0.1


def test_of_a_huge_space_a_part_is_thought_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 50)
    space = space_of(
        "env_path: b\nbaseline: {num_envs: 1}\nspace: {num_envs: {low: 1, high: 64}, num_areas: {low: 1, high: 64}, "
        "batch_size: [64, 128, 256, 512]}\n"
    )
    world = World(space)
    assert searched(world, most=5) is None
    first = first_sessions(space, 8)
    assert [trial.params for trial in world.trials[1:3]] == first
    thought_about = {configuration_key(params) for params in search._View(question(world)).configurations}
    fastest = max(world.trials, key=lambda trial: trial.steps_per_second or 0.0).params
    beside = [params for params in search._beside(space, fastest) if space.problem(params) is None]
    assert len(beside) > 2
    assert {configuration_key(params) for params in beside} <= thought_about


def test_a_baseline_outside_the_space_is_never_the_answer() -> None:
    space = space_of("env_path: b\nbaseline: {num_envs: 7}\nspace: {num_envs: [1, 2], num_areas: [1, 4]}\n")
    world = World(space)
    assert isinstance(searched(world), Settled)
    assert {trial.params["num_envs"] for trial in world.trials[1:]} <= {1, 2}


def test_every_strategy_proposes_something_legal_and_is_a_name_of_the_study_file() -> None:
    from sweeper.inputs.study_file import SAMPLERS

    assert tuple(STRATEGIES) == SAMPLERS
    assert DEFAULT in STRATEGIES
    world = World(SPACE)
    world.measure(SPACE.baseline, purpose=Purpose.BASELINE)
    for params in (params_of(8, 16), params_of(1, 16), params_of(8)):
        world.measure(params)
    for name, strategy in STRATEGIES.items():
        answer = strategy.propose(question(world))
        assert isinstance(answer, Proposal), name
        assert SPACE.contains(answer.params)
        assert SPACE.problem(answer.params) is None
