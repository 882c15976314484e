"""What is worth measuring next."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from sweeper.compare.voids import MAX_VOIDS
from sweeper.model.trial import Outcome, ParamValue, Purpose, TrialResult, configuration_key
from sweeper.plan.space import Space
from sweeper.search.guesses import first_guesses
from sweeper.search.optunas import _pooled_study, _sampled, first_guess, tpe
from sweeper.search.proposal import Proposal, Question
from sweeper.study.history import History
from tests.helpers.builders import GIB, params_of, space_of, trial_of

CAP = 8 * GIB
WIDE = (
    "env_path: b\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: {low: 1, high: 12}, num_areas: [1, 2, 4, 8, 16], batch_size: [64, 128, 256, 512], "
    "threaded: [false, true]}\n"
)
Params = Mapping[str, ParamValue]


def history(space: Space, trials: list[TrialResult]) -> History:
    return History(tuple(trials), space.baseline)


def ask(space: Space, trials: list[TrialResult], seed: int | None = None) -> dict[str, ParamValue] | None:
    question = Question(space, history(space, trials), CAP, 8)
    seeded = lambda _: TPESampler(seed=seed)  # noqa: E731
    answer = tpe(question) if seed is None else first_guess(question) or _sampled(question, seeded)
    return dict(answer.params) if isinstance(answer, Proposal) else None


def landscape(params: Params) -> tuple[float, float]:
    """Rate and peak memory (GiB): a smooth hill with a wall of memory through its slope."""
    envs, areas = float(params["num_envs"] or 0), float(params["num_areas"] or 0)
    batch = float(params["batch_size"] or 0)
    rate = 1000 * envs / (1 + (envs / 7) ** 2) * areas**0.4 * (1 + batch / 2048) * (0.9 if params["threaded"] else 1.0)
    return rate, 0.6 + envs * (0.25 + 0.045 * areas)


def measured(number: int, params: Params) -> TrialResult:
    rate, memory = landscape(params)
    purpose = Purpose.SEARCH if number else Purpose.BASELINE
    outcome = Outcome.OK if memory * GIB <= CAP else Outcome.OVER_MEMORY
    return trial_of(number, params, rate, purpose, outcome, peak_memory_bytes=int(min(memory, 8.4) * GIB))


def test_first_guesses() -> None:
    space = space_of(WIDE)
    assert first_guesses(space, 8) == [params_of(8, 16), params_of(1, 16), params_of(8, 1)]
    assert first_guesses(space, 1) == [params_of(1, 16)]


def test_first_guesses_are_in_the_space_and_legal() -> None:
    space = space_of("env_path: b\nspace: {num_envs: [1, 4], batch_size: [64, 256]}\n")
    assert first_guesses(space, 8) == []  # the baseline's batch_size is not among the values
    assert first_guesses(space_of("space: {num_envs: [1, 4], num_areas: [1, 4]}\n"), 8) == [params_of(1, 4)]


def test_the_first_suggestions_are_the_guesses() -> None:
    space = space_of(WIDE)
    trials = [measured(0, space.baseline)]
    for guess in first_guesses(space, 8):
        assert ask(space, trials) == guess
        trials.append(measured(len(trials), guess))


def test_same_input_same_answer() -> None:
    space = space_of(WIDE)
    trials = [measured(0, space.baseline)]
    for _ in range(14):
        first, second = ask(space, trials), ask(space, trials)
        assert first == second
        assert first is not None
        trials.append(measured(len(trials), first))


def test_never_illegal_never_a_repeat_and_none_when_nothing_is_left() -> None:
    space = space_of(
        "env_path: b\nbaseline: {num_envs: 1}\n"
        "space: {num_envs: [1, 2, 3], batch_size: [128, 1024, 4096], hyperparameters.buffer_size: [512, 2048]}\n"
    )
    legal = {configuration_key(params) for params in space.combinations()}
    assert 0 < len(legal) < space.size
    trials: list[TrialResult] = []
    while (params := ask(space, trials)) is not None:
        assert configuration_key(params) in legal
        trials.append(measured(len(trials), params))
        assert len(trials) <= len(legal)
    assert {trial.key for trial in trials} == legal
    assert len(trials) == len(legal)


def test_what_was_given_up_is_not_proposed() -> None:
    space = space_of("env_path: b\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2, 3, 4]}\n")
    trials = [measured(0, space.baseline)]
    trials += [
        trial_of(1 + at, params, outcome=Outcome.DISTURBED)
        for at, params in enumerate([params_of(4), params_of(2)] * MAX_VOIDS)
    ]
    assert ask(space, trials) == params_of(3)
    assert ask(space, [*trials, measured(len(trials), params_of(3))]) is None


def test_a_baseline_outside_the_space() -> None:
    space = space_of(
        "env_path: b\nbaseline: {num_envs: 7, batch_size: 100}\nspace: {num_envs: [1, 2], batch_size: [64, 128]}\n"
    )
    trials = [measured(0, space.baseline)]
    found = []
    while (params := ask(space, trials)) is not None:
        found.append((params["num_envs"], params["batch_size"]))
        trials.append(measured(len(trials), params))
    assert sorted(found) == [(1, 64), (1, 128), (2, 64), (2, 128)]


def test_words_and_truth_values_can_be_searched() -> None:
    space = space_of(
        "env_path: b\nspace: {threaded: [false, true], hyperparameters.learning_rate_schedule: [linear, constant]}\n"
    )
    trials = [measured(0, space.baseline)]
    found = set()
    while (params := ask(space, trials)) is not None:
        found.add((params["threaded"], params["hyperparameters.learning_rate_schedule"]))
        trials.append(trial_of(len(trials), params))
    assert found == {(False, "linear"), (False, "constant"), (True, "linear"), (True, "constant")}


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.TOO_FEW_UPDATES, Outcome.OVER_MEMORY, Outcome.TIMEOUT])
def test_failures_alone_do_not_stop_it(outcome: Outcome) -> None:
    space = space_of(WIDE)
    trials: list[TrialResult] = []
    for number in range(12):
        params = ask(space, trials)
        assert params is not None
        trials.append(trial_of(number, params, outcome=outcome, peak_memory_bytes=9 * GIB))
    assert len({trial.key for trial in trials}) == 12


def searched(space: Space, seed: int, count: int, result: Callable[[int, Params], TrialResult]) -> list[TrialResult]:
    trials = [result(0, space.baseline)]
    for _ in range(count):
        params = ask(space, trials, seed=1000 * seed + len(trials))
        assert params is not None
        trials.append(result(len(trials), params))
    return trials


def test_a_planted_optimum_behind_a_wall_of_memory_is_found() -> None:
    space = space_of(WIDE)
    best = max(rate for rate, memory in map(landscape, space.combinations()) if memory * GIB <= CAP)
    for seed in range(5):
        trials = searched(space, seed, 40, measured)
        found = max(trial.steps_per_second or 0.0 for trial in trials if trial.is_ok)
        assert found >= 0.9 * best, f"seed {seed}: {found / best:.2f}"
        later = trials[-20:]
        assert sum(trial.is_ok for trial in later) > len(later) / 2


def test_the_sampler_sees_one_trial_a_configuration_with_its_constraints() -> None:
    space = space_of(WIDE)
    again = trial_of(2, space.baseline, 4 * landscape(space.baseline)[0], peak_memory_bytes=GIB)
    trials = [measured(0, space.baseline), measured(1, params_of(12, 16)), again]
    good, bad = _pooled_study(space, history(space, trials), CAP, TPESampler(seed=0)).trials
    assert (good.state, bad.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    assert (good.value, bad.value) == (pytest.approx(2 * landscape(space.baseline)[0]), None)
    assert good.params == {"num_envs": 0, "num_areas": 0, "batch_size": 1, "threaded": False}  # ordered: by index
    assert bad.params == {"num_envs": 11, "num_areas": 4, "batch_size": 1, "threaded": False}
    assert max(good.constraints.values()) <= 0
    assert bad.constraints == {"memory": pytest.approx(0.05), "updates": 0.0, "failed": 0.0}


def test_a_baseline_outside_the_space_is_not_shown_to_the_sampler() -> None:
    space = space_of("env_path: b\nbaseline: {num_envs: 7}\nspace: {num_envs: [1, 2]}\n")
    assert _pooled_study(space, history(space, [measured(0, space.baseline)]), CAP, TPESampler(seed=0)).trials == []


def test_of_very_many_the_fastest_and_the_latest_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeper.search.optunas.MOST_SHOWN", 6)
    space = space_of("env_path: b\nbaseline: {num_envs: 1}\nspace: {num_envs: {low: 1, high: 12}}\n")
    trials = [trial_of(at, params_of(1 + at), 100.0 + (50 - at) ** 2) for at in range(12)]
    shown = {
        trial.params["num_envs"]
        for trial in _pooled_study(space, history(space, trials), CAP, TPESampler(seed=0)).trials
    }
    assert shown == {0, 1, 2, 9, 10, 11}  # by index
