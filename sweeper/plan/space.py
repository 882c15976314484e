"""Knobs and their legal combinations: what can be known about a configuration before anything is started."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import KNOBS, Study
from sweeper.inputs.study_limits import ROOM_FOR_BURSTS
from sweeper.inputs.trainer_config import Behavior, TrainerConfig
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Params, ParamValue
from sweeper.plan.updates import update_share

MEMORY_PER_ENV_BYTES = 150 * 1024**2
"""What deriving a space assumes an environment to need at the least, where nothing was measured yet."""
LEARNER_MEMORY_BYTES = 550 * 1024**2
"""PSS of the learner's main process with torch on CPU, facts of mlagents 1.1.0."""
LISTABLE = 5_000
"""Spaces up to this size are listed."""
MOST_JUDGED = 20_000
"""Combinations that are judged in search of a legal one; each takes some microseconds."""


@dataclass(frozen=True)
class Rules:
    """What decides whether a configuration is legal."""

    config: TrainerConfig
    has_build: bool
    accepts_areas: bool = True

    def refusal(self, params: Params) -> str | None:
        """Why the learner would refuse `params`, or train on them without learning; None where they are legal."""
        envs, areas = params.get("num_envs", 1), params.get("num_areas", 1)
        for knob, value in (("num_envs", envs), ("num_areas", areas)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                return f"{knob} must be a whole number from 1, not {value!r}"
        if envs != 1 and not self.has_build:
            return f"num_envs is {envs}, but the Editor is one environment: num_envs above 1 needs a build (env_path)"
        if areas != 1 and not self.accepts_areas:
            return f"num_areas is {areas}, but this version of mlagents-learn has no --num-areas"
        if not isinstance(params.get("threaded"), (bool, type(None))):
            return f"threaded must be true or false, not {params['threaded']!r}"
        try:
            behaviors = self.config.behaviors_with(params)
        except InvalidInput as error:
            return str(error)
        return next((text for text in map(_behavior_refusal, behaviors) if text), None)

    def alteration(self, params: Params) -> str | None:
        """What the learner would silently change in `params`, so that something else would be measured."""
        for behavior in self.config.behaviors_with(params):
            length = behavior.sequence_length
            if length and behavior.batch_size % length:
                rounded = behavior.batch_size // length * length
                return (
                    f"batch_size {behavior.batch_size} is not a multiple of sequence_length {length}: "
                    f"the learner would silently use {rounded}"
                )
        return None

    def update_share(self, own: Params, params: Params, steps: float | None = None) -> float | None:
        """Updates for each step with `params` over those with `own`; see updates.update_share."""
        return update_share(self.config.behaviors_with(own), self.config.behaviors_with(params), steps)


class Legality(Protocol):
    """What tells legal combinations, and what follows from settings alone."""

    def refusal(self, params: Params) -> str | None:
        """Why `params` would be refused, or trained on without learning; None where they are legal."""

    def alteration(self, params: Params) -> str | None:
        """What would silently be changed in `params`; None where nothing is."""

    def update_share(self, own: Params, params: Params, steps: float | None = None) -> float | None:
        """Updates for each step with `params` over those with `own`; None where that is not known."""


@dataclass(frozen=True)
class Space:
    """The knobs to search, each with its values in order, and the rules that tell legal combinations.

    Every configuration carries all knobs of the baseline: those that are not searched stay as they are there.
    """

    knobs: Mapping[str, tuple[ParamValue, ...]]
    baseline: Params
    rules: Legality
    baseline_stated: bool
    notes: tuple[Finding, ...] = ()

    def problem(self, params: Params) -> str | None:
        """Why `params` cannot be searched; None where it can."""
        return self.rules.refusal(params) or self.rules.alteration(params)

    def update_share(self, params: Params, steps: float | None = None) -> float | None:
        """Updates for each step, over those of the baseline, as the settings decide it; None: not known.

        `steps`: that an update sees, where that is more than the buffer asks for.
        """
        return self.rules.update_share(self.baseline, params, steps)

    def configuration(self, chosen: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Full parameters: the searched knobs as chosen, the others as in the baseline."""
        return {**self.baseline, **chosen}

    def contains(self, params: Params) -> bool:
        """True where every searched knob has one of its values."""
        return all(params.get(knob) in values for knob, values in self.knobs.items())

    @property
    def size(self) -> int:
        """Number of combinations, legal or not."""
        result = 1
        for values in self.knobs.values():
            result *= len(values)
        return result

    def combinations(self) -> Iterator[dict[str, ParamValue]]:
        """Every legal configuration, in order."""
        for values in itertools.product(*self.knobs.values()):
            params = self.configuration(dict(zip(self.knobs, values)))
            if self.problem(params) is None:
                yield params

    @cached_property
    def legal(self) -> tuple[dict[str, ParamValue], ...]:
        """`combinations`, listed once; for spaces up to LISTABLE."""
        return tuple(self.combinations())

    def without(self, knob: str) -> Space:
        """The same with a knob left as the baseline has it."""
        return replace(self, knobs={name: values for name, values in self.knobs.items() if name != knob})

    def smallest(self) -> dict[str, ParamValue] | None:
        """The legal configuration that needs least memory as far as can be told: fewest environments, then areas.

        None where MOST_JUDGED combinations hold none.
        """
        order = sorted(self.knobs, key=lambda knob: (KNOBS.index(knob) if knob in KNOBS else len(KNOBS), knob))
        return self._first_legal({knob: sorted(self.knobs[knob], key=_size) for knob in order})

    def any_legal(self) -> dict[str, ParamValue] | None:
        """Some legal configuration; None where MOST_JUDGED combinations hold none.

        Rules are about small batches in large buffers and the like, so extremes are judged before what lies between.
        """
        ends = {knob: (*values[:1], *values[-1:]) for knob, values in self.knobs.items()}
        return self._first_legal(ends) or self._first_legal(self.knobs)

    def _first_legal(self, knobs: Mapping[str, Sequence[ParamValue]]) -> dict[str, ParamValue] | None:
        for values in itertools.islice(itertools.product(*knobs.values()), MOST_JUDGED):
            params = self.configuration(dict(zip(knobs, values)))
            if self.problem(params) is None:
                return params
        return None


def build_space(study: Study, config: TrainerConfig, usable_cores: int, cap_bytes: int, accepts_areas: bool) -> Space:
    """The space of a study, named or derived, with the baseline.

    Raises:
        InvalidInput: an illegal baseline, or a space without a legal configuration; says which rule forbids it.
    """
    rules = Rules(config, study.has_build, accepts_areas)
    knobs, stated = study.spec.space, study.spec.baseline
    baseline = settings_today(study, config, accepts_areas)
    notes = []
    if knobs is None:
        knobs = _derived(rules, baseline, usable_cores, cap_bytes)
        notes.append(Finding(FindingKind.SPACE_DERIVED))
    refused = _refused_by_guard(rules, baseline, knobs.get("batch_size", ()), study.spec.min_updates)
    if refused is not None:
        is_derived = study.spec.space is None
        notes.append(Finding(FindingKind.BATCHES_REFUSED, {**refused, "left_out": is_derived}))
        if is_derived:
            sizes = tuple(size for size in knobs["batch_size"] if size not in refused["sizes"])
            knobs = {knob: sizes if knob == "batch_size" else values for knob, values in knobs.items()}
            knobs = {knob: values for knob, values in knobs.items() if len(values) > 1}
    if not stated:
        notes.append(Finding(FindingKind.BASELINE_FROM_CONFIG))
    space = Space(dict(knobs), baseline, rules, bool(stated), tuple(notes))
    if space.any_legal() is None:
        first = space.configuration({knob: values[0] for knob, values in knobs.items()})
        raise study.source.error(("space",), f"no combination is legal; for one, {space.problem(first)}")
    return space


def settings_today(study: Study, config: TrainerConfig, accepts_areas: bool) -> dict[str, ParamValue]:
    """What the user runs: as the study file states it, else as the trainer config has it.

    Raises:
        InvalidInput: they are illegal; says which rule forbids it.
    """
    stated = dict(study.spec.baseline or {})
    searched = KNOBS if study.spec.space is None else tuple(study.spec.space)
    settings = {knob: stated.get(knob, config.value(knob)) for knob in (*KNOBS, *stated, *searched)}
    if not study.has_build and "num_envs" not in stated:
        settings["num_envs"] = 1  # the trainer config's own count is for its build
    if refusal := Rules(config, study.has_build, accepts_areas).refusal(settings):
        raise study.source.error(("baseline",), f"the settings you run today cannot be measured: {refusal}")
    return settings


def _behavior_refusal(behavior: Behavior) -> str | None:
    name = f" of behaviour {behavior.name}" if behavior.name else ""
    if behavior.batch_size > behavior.buffer_size:
        return (
            f"batch_size {behavior.batch_size} is above buffer_size {behavior.buffer_size}{name}: "
            "the learner would train without a single update, and without a word"
        )
    if behavior.sequence_length and behavior.sequence_length > behavior.batch_size:
        return (
            f"batch_size {behavior.batch_size} is below sequence_length {behavior.sequence_length}{name}, "
            "which the learner refuses"
        )
    return None


def _derived(rules: Rules, baseline: Params, usable_cores: int, cap_bytes: int) -> dict[str, tuple[ParamValue, ...]]:
    """From cores, memory and the trainer config; up to a few hundred combinations around the user's own settings."""
    by_memory = max(1, (cap_bytes - LEARNER_MEMORY_BYTES) // MEMORY_PER_ENV_BYTES)
    most = min(max(usable_cores, 2), by_memory, 64) if rules.has_build else 1
    envs = tuple(count for count in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64) if count <= most)
    knobs: dict[str, tuple[ParamValue, ...]] = {"num_envs": envs}
    knobs["num_areas"] = (1, 2, 4, 8, 16) if rules.accepts_areas else (1,)
    batch = baseline["batch_size"]
    if isinstance(batch, int):
        candidates = (batch // 2, batch, batch * 2, batch * 4)
        legal = (
            size for size in candidates if size and Space({}, {}, rules, True).problem({"batch_size": size}) is None
        )
        knobs["batch_size"] = tuple(legal) or (batch,)
    knobs["threaded"] = (False, True)
    return {knob: values for knob, values in knobs.items() if len(values) > 1}


def _refused_by_guard(
    rules: Rules, baseline: Params, sizes: Sequence[ParamValue], min_updates: float | None
) -> dict[str, Any] | None:
    """Batch sizes that make too few gradient updates by arithmetic, with the share of the first; None without any."""
    if min_updates is None:
        return None
    found = {}
    for size in sizes:
        params = {**baseline, "batch_size": size}
        share = None if rules.refusal(params) else rules.update_share(baseline, params)
        if share is not None and share < ROOM_FOR_BURSTS * min_updates:
            found[size] = share
    if not found:
        return None
    first = next(iter(found.values()))
    return {"sizes": tuple(found), "share_percent": 100 * first, "least_percent": 100 * min_updates}


def _size(value: ParamValue) -> float:
    return float(value) if isinstance(value, (bool, int, float)) else 0.0
