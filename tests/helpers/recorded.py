"""Results with repeats, as a recording has them."""

from __future__ import annotations

from dataclasses import replace

from sweeper.model.study import Baseline, StudyResult
from sweeper.model.trial import Outcome
from tests.helpers.builders import params_of, space_of
from tests.helpers.results import full_result, info_of
from tests.helpers.world import World

STUDY = (
    "env_path: b\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2, 4, 8], num_areas: [1, 4], batch_size: [64, 128]}\n"
)
BROKEN = params_of(8, 4, 64)


def recording(repeats: int = 3) -> StudyResult:
    """Every configuration some times; one of them never runs."""
    world = World(space_of(STUDY), noise=0.02)
    for _ in range(repeats):
        for params in world.space.combinations():
            world.measure(params, 10.0)
    trials = tuple(
        replace(trial, outcome=Outcome.CRASHED, steps_per_second=None) if trial.params == BROKEN else trial
        for trial in world.trials
    )
    baseline = Baseline(0, True, world.space.baseline, None)
    return full_result(trials=trials, baseline=baseline, study=info_of(name="made", min_updates=None))
