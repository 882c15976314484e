"""Samplers of Optuna's, which see one trial per configuration; and a shuffled grid."""

from __future__ import annotations

import random as randoms
import warnings
from collections.abc import Callable, Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import TrialState, create_trial

from sweeper.compare.candidates import Candidate
from sweeper.model.trial import Params, ParamValue, configuration_key
from sweeper.plan.space import LISTABLE, Space
from sweeper.search.guesses import first_guesses
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled
from sweeper.study.history import History

ASKS = 60
"""Suggestions to look through for one that is legal and not yet measured."""
MOST_SHOWN = 1_000
"""Candidates that the sampler is shown; asking takes seconds with thousands."""

SEEDS_APART = 100_003
"""More than a search has results, so that no two draws, of one search or of two, have the same seed."""

MakeSampler = Callable[[int], BaseSampler]


def tpe(question: Question) -> Answer:
    """Guesses worth having, then Optuna's TPE with the memory cap and the learning guard as constraints."""
    return first_guess(question) or _sampled(question, lambda seed: optuna.samplers.TPESampler(seed=seed))


def gp(question: Question) -> Answer:
    """Guesses worth having, then Optuna's Gaussian process, likewise constrained."""
    return first_guess(question) or _sampled(question, _gp_sampler)


def random(question: Question) -> Answer:
    """Whatever is legal and was not measured, in random order."""
    return _sampled(question, lambda seed: optuna.samplers.RandomSampler(seed=seed))


def grid(question: Question) -> Answer:
    """Every legal configuration, in a random order that the seed decides alone."""
    legal = list(question.space.legal) if question.space.size <= LISTABLE else []
    randoms.Random(question.seed).shuffle(legal)
    known = _known(question.history)
    found = next((params for params in legal if configuration_key(params) not in known), None)
    if found is not None:
        return Proposal(found, Because.SAMPLED)
    return random(question) if question.space.size > LISTABLE else Settled()


def _gp_sampler(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.GPSampler(seed=seed)


def _known(history: History) -> frozenset[str]:
    return frozenset(history.by_key) | history.given_up


def first_guess(question: Question) -> Proposal | None:
    """The first of the guesses worth having that was not tried; None when all were."""
    known = _known(question.history)
    guesses = first_guesses(question.space, question.usable_cores)
    found = next((guess for guess in guesses if configuration_key(guess) not in known), None)
    return None if found is None else Proposal(found, Because.FIRST)


def _sampled(question: Question, make: MakeSampler) -> Answer:
    """What the sampler says on the pooled view, ordered knobs encoded by index, repeats and illegal ones passed over.

    A function of the question: its seed and the number of results decide.
    """
    space, known = question.space, _known(question.history)
    study = _pooled_study(space, question.history, question.cap_bytes, make(_seed(question)))
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
            return Proposal(params, Because.SAMPLED)
    found = _any_unmeasured(space, known, _seed(question))
    return Settled() if found is None else Proposal(found, Because.SAMPLED)


def _seed(question: Question) -> int:
    return SEEDS_APART * question.seed + len(question.history.results)


def _pooled_study(space: Space, history: History, cap_bytes: int, sampler: BaseSampler) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
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


def _any_unmeasured(space: Space, known: frozenset[str], seed: int) -> dict[str, ParamValue] | None:
    if space.size > LISTABLE:
        return None
    left = [params for params in space.legal if configuration_key(params) not in known]
    return randoms.Random(seed).choice(left) if left else None


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
