"""The next configuration to measure, from a TPE sampler that sees one trial per configuration."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from sweeper.compare.candidates import Candidate
from sweeper.model.trial import Params, ParamValue, configuration_key
from sweeper.plan.space import Space
from sweeper.study.history import History

ASKS = 60
"""Suggestions to look through for one that is legal and not yet measured."""
MOST_SHOWN = 1_000
"""Candidates that the sampler is shown; asking takes seconds with thousands."""
LISTABLE = 5_000
"""Spaces up to this size are listed to know when nothing is left."""


def suggest(
    space: Space, history: History, cap_bytes: int, usable_cores: int, seed: int | None = None
) -> dict[str, ParamValue] | None:
    """The next configuration; None where every legal one has been measured, or given up.

    The first are guesses worth having; then TPE on the pooled view, ordered knobs encoded by index, repeats and
    illegal combinations passed over. A function of history: without a `seed` it is the number of results.
    """
    known = {item.key for item in history.candidates} | history.given_up
    for guess in first_guesses(space, usable_cores):
        if configuration_key(guess) not in known:
            return guess
    study = _pooled_study(space, history, cap_bytes, len(history.results) if seed is None else seed)
    distributions = _distributions(space)
    for _ in range(ASKS):
        trial = study.ask(fixed_distributions=distributions)
        params = space.configuration(_decoded(space, trial.params))
        if space.problem(params) is not None:
            trial.set_constraint("failed", 1.0)
            study.tell(trial, state=TrialState.PRUNED)
        elif configuration_key(params) in known:
            study.tell(trial, state=TrialState.FAIL)
        else:
            return params
    return _any_unmeasured(space, known)


def first_guesses(space: Space, usable_cores: int) -> list[dict[str, ParamValue]]:
    """The user's settings with as many environments as cores, with most areas, and with both; where legal."""
    envs = [value for value in space.knobs.get("num_envs", ()) if isinstance(value, int) and value <= usable_cores]
    areas = [value for value in space.knobs.get("num_areas", ()) if isinstance(value, int)]
    most: dict[str, ParamValue] = {}
    guesses: list[dict[str, ParamValue]] = []
    for knob, values in (("num_areas", areas), ("num_envs", envs)):
        if values:
            most[knob] = max(values)
            guesses.append({**space.baseline, knob: max(values)})
    guesses.insert(0, {**space.baseline, **most})
    seen = {configuration_key(space.baseline)}
    result = []
    for guess in guesses:
        if configuration_key(guess) not in seen and space.contains(guess) and space.problem(guess) is None:
            seen.add(configuration_key(guess))
            result.append(guess)
    return result


def _pooled_study(space: Space, history: History, cap_bytes: int, seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for item in _shown(history):
        if not space.contains(item.params):
            continue  # the baseline may lie outside the space
        violated = [history.constraints(trial, cap_bytes) for trial in item.trials]
        worst = {name: max(values[name] for values in violated) for name in violated[0]}
        rate = item.steps_per_second if item.is_feasible else None
        if rate is not None:
            worst = {name: min(value, 0.0) for name, value in worst.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.add_trial(
                create_trial(
                    state=TrialState.COMPLETE if rate is not None else TrialState.PRUNED,
                    value=rate,
                    params=_encoded(space, item.params),
                    distributions=_distributions(space),
                    constraints=worst,
                )
            )
    return study


def _shown(history: History) -> Sequence[Candidate]:
    """All candidates; of very many the fastest and the latest, which is what a sampler looks at closely anyway."""
    if len(history.candidates) <= MOST_SHOWN:
        return history.candidates
    latest = history.candidates[-MOST_SHOWN // 2 :]
    known = {item.key for item in latest}
    return (*latest, *(item for item in history.ranked[: MOST_SHOWN // 2] if item.key not in known))


def _any_unmeasured(space: Space, known: set[str]) -> dict[str, ParamValue] | None:
    if space.size > LISTABLE:
        return None
    return next((params for params in space.combinations() if configuration_key(params) not in known), None)


def _is_ordered(values: Sequence[ParamValue]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {
        knob: IntDistribution(0, len(values) - 1) if _is_ordered(values) else CategoricalDistribution(values)
        for knob, values in space.knobs.items()
    }


def _encoded(space: Space, params: Params) -> dict[str, ParamValue]:
    return {
        knob: values.index(params[knob]) if _is_ordered(values) else params[knob]
        for knob, values in space.knobs.items()
    }


def _decoded(space: Space, chosen: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    return {
        knob: values[int(chosen[knob] or 0)] if _is_ordered(values) else chosen[knob]
        for knob, values in space.knobs.items()
    }
