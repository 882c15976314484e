"""The default search as a sampler for plain Optuna.

    sampler = PhaseSampler({"num_envs": [1, 2, 4, 8], "batch_size": [64, 128, 256]}, usable_cores=8)
    study = optuna.create_study(direction="maximize", sampler=sampler)

The objective returns agent steps per second, and may tell more of its session by user attributes of the trial:
COLLECT_SECONDS and UPDATE_SECONDS of the measured window, without which a session teaches about its own configuration
and little else; PEAK_BYTES. A trial that is pruned or fails did not run, or needed more memory than `cap_bytes` if it
told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from sweeper.model.measurement import Phases
from sweeper.model.trial import Outcome, Params, ParamValue, Purpose, Stage, TrialResult
from sweeper.plan.space import Space
from sweeper.search.phase import search as phase
from sweeper.search.phase.cost import BRIEF_CYCLES
from sweeper.search.proposal import Proposal, Question
from sweeper.study.history import History

COLLECT_SECONDS, UPDATE_SECONDS, PEAK_BYTES = "collect_seconds", "update_seconds", "peak_memory_bytes"
_STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Anything:
    """Every combination is legal."""

    def refusal(self, _: Params) -> str | None:
        """Never."""
        return None

    def alteration(self, _: Params) -> str | None:
        """Nothing."""
        return None

    def update_share(self, _: Params, __: Params, ___: float | None = None) -> float | None:
        """Not known."""
        return None


class PhaseSampler(BaseSampler):
    """Proposes what teaches most about the fastest configuration for the seconds that it costs.

    Every parameter is suggested as a category: `trial.suggest_categorical(knob, values)`.
    """

    def __init__(self, space: Mapping[str, Sequence[ParamValue]], usable_cores: int, cap_bytes: int = 2**62) -> None:
        """`space`: knobs as a study file names them, each with its values in order; the first is what runs today."""
        knobs = {knob: tuple(values) for knob, values in space.items()}
        self._space = Space(knobs, {knob: values[0] for knob, values in knobs.items()}, Anything(), True)
        self._usable_cores, self._cap_bytes = usable_cores, cap_bytes
        self._random = RandomSampler(seed=0)

    def infer_relative_search_space(self, _: Study, __: FrozenTrial) -> dict[str, BaseDistribution]:
        """All knobs, together."""
        return {knob: CategoricalDistribution(values) for knob, values in self._space.knobs.items()}

    def sample_relative(self, study: Study, _: FrozenTrial, __: dict[str, BaseDistribution]) -> dict[str, Any]:
        """The baseline first, then what the search proposes; where it has settled, what it takes for the fastest."""
        finished = study.get_trials(deepcopy=False, states=_STATES)
        results = tuple(self._result(one) for one in finished if self._space.knobs.keys() <= one.params.keys())
        if not results:
            return dict(self._space.baseline)
        history = History(results, self._space.baseline)
        question = Question(self._space, history, self._cap_bytes, self._usable_cores)
        answer = phase.propose(question)
        if isinstance(answer, Proposal):
            return dict(answer.params)
        expected = phase.expected(question)
        best = max(expected, key=lambda key: expected[key], default=None)
        return dict(history.by_key[best].params if best is not None else self._space.baseline)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A parameter of the objective's own, at random."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _result(self, trial: FrozenTrial) -> TrialResult:
        told = trial.user_attrs
        breaks_cap = told.get(PEAK_BYTES, 0) > self._cap_bytes
        failed = Outcome.OVER_MEMORY if breaks_cap else Outcome.CRASHED
        outcome = Outcome.OK if trial.state is TrialState.COMPLETE else failed
        started = (trial.datetime_start or datetime.now()).astimezone()
        seconds = trial.duration.total_seconds() if trial.duration else 0.0
        phases = None
        if COLLECT_SECONDS in told and UPDATE_SECONDS in told:
            phases = Phases(float(told[COLLECT_SECONDS]), 0.0, float(told[UPDATE_SECONDS]), 0.0)
        measured = phases.collect_seconds + phases.update_seconds if phases else seconds
        return TrialResult(
            number=trial.number,
            params={knob: trial.params[knob] for knob in self._space.knobs},
            purpose=Purpose.SEARCH,
            outcome=outcome,
            started_at=started.isoformat(),
            total_seconds=seconds,
            seed=trial.number,
            steps_per_second=trial.value if outcome is Outcome.OK else None,
            measured_seconds=measured or None,
            cycles=BRIEF_CYCLES,  # the objective does not tell; at least these
            phases=phases,
            peak_memory_bytes=told.get(PEAK_BYTES),
            stage=Stage.SEARCH,
            brief=True,
        )
