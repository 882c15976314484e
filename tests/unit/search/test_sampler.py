"""The default search from plain Optuna: no study file, no session of ours."""

from __future__ import annotations

import optuna
import pytest

from sweeper.search.sampler import COLLECT_SECONDS, PEAK_BYTES, UPDATE_SECONDS, PhaseSampler
from tests.helpers.world import collecting, updating

KNOBS = {"num_envs": [1, 2, 4, 8], "num_areas": [1, 4, 16], "batch_size": [64, 128, 256]}
STEPS = 4096


def pace(params: dict[str, int]) -> float:
    return collecting(params) + updating(params)


def objective(trial: optuna.Trial) -> float:
    params = {knob: trial.suggest_categorical(knob, values) for knob, values in KNOBS.items()}
    trial.suggest_float("something_else", 0.0, 1.0)
    trial.set_user_attr(COLLECT_SECONDS, STEPS * collecting(params))
    trial.set_user_attr(UPDATE_SECONDS, STEPS * updating(params))
    trial.set_user_attr(PEAK_BYTES, 2**30)
    if params["num_envs"] == 8 and params["num_areas"] == 16:
        raise optuna.TrialPruned
    return 1 / pace(params)


def test_it_finds_the_fastest_that_runs_in_a_few_trials() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=PhaseSampler(KNOBS, usable_cores=8))
    study.optimize(objective, n_trials=12)
    assert {knob: study.trials[0].params[knob] for knob in KNOBS} == {knob: values[0] for knob, values in KNOBS.items()}
    best = max(
        1 / pace({"num_envs": e, "num_areas": a, "batch_size": b})
        for e in KNOBS["num_envs"] for a in KNOBS["num_areas"] for b in KNOBS["batch_size"] if (e, a) != (8, 16)
    )  # fmt: skip
    assert study.best_value == pytest.approx(best, rel=0.03)


def test_without_phases_it_still_searches() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=PhaseSampler(KNOBS, usable_cores=8))
    study.optimize(lambda trial: 1 / pace({k: trial.suggest_categorical(k, v) for k, v in KNOBS.items()}), n_trials=6)
    assert len({tuple(trial.params.values()) for trial in study.trials}) > 3
