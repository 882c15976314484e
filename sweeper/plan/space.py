"""Knobs and their legal combinations: what can be known about a configuration before anything is started."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from sweeper.errors import InvalidInput
from sweeper.inputs.knobs import KNOBS
from sweeper.inputs.study_file import Study
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, TrainerConfig
from sweeper.model.findings import Finding, FindingKind, Value
from sweeper.model.trial import Params, ParamValue
from sweeper.plan.derived import Bounds, derive
from sweeper.plan.rules import Refused, Rules
from sweeper.plan.updates import note_on_batches, refused_batches

LISTABLE = 5_000
"""Spaces up to this size are listed."""
MOST_JUDGED = 20_000
"""Combinations that are judged in search of a legal one; each takes some microseconds."""


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

    Every configuration carries all knobs of the baseline: those that are not searched stay as they are there. `listed`:
    all that may be searched, where that is not every combination of the values.
    """

    knobs: Mapping[str, tuple[ParamValue, ...]]
    baseline: Params
    rules: Legality
    baseline_stated: bool
    notes: tuple[Finding, ...] = ()
    listed: tuple[Params, ...] | None = None

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
        """True where every searched knob has one of its values, and all others are as the baseline has them."""
        others = params.keys() - self.knobs.keys()
        is_own = all(params[knob] == self.baseline.get(knob) for knob in others)
        return is_own and all(params.get(knob) in values for knob, values in self.knobs.items())

    @property
    def size(self) -> int:
        """Number of combinations, legal or not."""
        if self.listed is not None:
            return len(self.listed)
        result = 1
        for values in self.knobs.values():
            result *= len(values)
        return result

    def combinations(self) -> Iterator[dict[str, ParamValue]]:
        """Every legal configuration, in order."""
        chosen = (dict(zip(self.knobs, values)) for values in itertools.product(*self.knobs.values()))
        for params in map(self.configuration, chosen if self.listed is None else self.listed):
            if self.problem(params) is None:
                yield params

    @cached_property
    def legal(self) -> tuple[dict[str, ParamValue], ...]:
        """`combinations`, listed once; for spaces up to LISTABLE."""
        return tuple(self.combinations())

    def without(self, knob: str) -> Space:
        """The same with a knob left as the baseline has it."""
        knobs = {name: values for name, values in self.knobs.items() if name != knob}
        of_own = self.listed and tuple(params for params in self.listed if params.get(knob) == self.baseline.get(knob))
        return replace(self, knobs=knobs, listed=of_own)

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
    knobs, stated, least = study.spec.space, study.spec.baseline, study.spec.min_updates
    baseline = settings_today(study, config, accepts_areas)
    if knobs is None:
        bounds = Bounds(study.has_build, accepts_areas, usable_cores, cap_bytes, least)
        knobs, notes = derive(config, baseline, bounds, lambda params: not rules.problem(params))
    else:
        sizes = [size for size in knobs.get("batch_size", ()) if not rules.refusal({**baseline, "batch_size": size})]
        notes = note_on_batches(refused_batches(config, baseline, sizes, least), least, left_out=False)
    if not stated:
        notes.append(Finding(FindingKind.BASELINE_FROM_CONFIG))
    notes += _notes_on_config(study, config, stated or {})
    space = Space(dict(knobs), baseline, rules, bool(stated), tuple(notes))
    if space.any_legal() is None:
        raise _none_is_legal(study, space)
    return replace(space, notes=(*notes, *_left_out(space)))


def _notes_on_config(study: Study, config: TrainerConfig, stated: Params) -> list[Finding]:
    """What the trainer config decides where the study says nothing, and what it would and cannot."""
    notes = []
    if study.has_build and not study.source.has(("env_path",)):
        notes.append(Finding(FindingKind.BUILD_FROM_CONFIG, {"path": study.spec.env_path}))
    if not study.has_build and "num_envs" not in stated and (envs := config.value("num_envs")) != 1:
        notes.append(Finding(FindingKind.ENVS_NEED_A_BUILD, {"num_envs": envs}))
    if config.initial_run is not None and not study.source.has(("initialize_from",)):
        run = study.spec.initialize_from
        kind = FindingKind.RUN_NOT_FOUND if run is None else FindingKind.RUN_FROM_CONFIG
        notes.append(Finding(kind, {"path": run or str(config.initial_run)}))
    return notes


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
    rules = Rules(config, study.has_build, accepts_areas)
    if found := rules.found(settings):
        message = f"the settings you run today cannot be measured: {found.text}"
        unstated = {knob: value for knob, value in settings.items() if knob not in stated}
        if (own := rules.found(unstated)) and own.settings:
            raise config.source.error(_written_at(config, own), message, own.mend)
        alone = [knob for knob in stated if rules.refusal({**unstated, knob: stated[knob]})]
        raise study.source.error(("baseline", *alone[:1]), message, found.mend)
    return settings


def _written_at(config: TrainerConfig, refused: Refused) -> tuple[str, ...]:
    """The place in a trainer config that a refusal is about; of several settings, the first that is written out."""
    places = [
        ("env_settings", path) if path in LAUNCH_KNOBS else config.place(refused.behavior or "", path)
        for path in refused.settings
    ]
    return next((place for place in places if config.source.has(place)), places[0])


def _none_is_legal(study: Study, space: Space) -> InvalidInput:
    """Stands at the knob that is to blame, where it is one alone."""
    wrong = [
        knob
        for knob, values in (space.knobs if study.spec.space else {}).items()
        if all(space.problem(space.configuration({knob: value})) for value in {values[0], values[-1]})
    ]
    first = space.configuration({knob: values[0] for knob, values in space.knobs.items()})
    where = ("space", *wrong) if len(wrong) == 1 else ("space",)
    return study.source.error(where, f"no combination is legal; for one, {space.problem(first)}")


def _left_out(space: Space) -> list[Finding]:
    """What to say of combinations that are not legal: of values that none has, and of others where all have some."""
    values: dict[str, Value] = {"left_out": None, "combinations": None, "knob": None, "lost": None}
    judged = {knob: space.knobs[knob] for knob in LAUNCH_KNOBS if knob in space.knobs}
    if space.size <= LISTABLE:
        if not (count := space.size - len(space.legal)):
            return []
        judged = dict(space.knobs)
        values.update(left_out=count, combinations=space.size)
    notes = []
    for knob, every in judged.items():
        if lost := [value for value in every if not _occurs(space, knob, value)]:
            example = space.problem(space.configuration({knob: lost[0]}))
            found = {"knob": knob, "lost": tuple(map(str, lost)), "example": example}
            notes.append(Finding(FindingKind.COMBINATIONS_LEFT_OUT, {**values, **found}))
    if notes or space.size > LISTABLE:
        return notes
    every_one = (space.configuration(dict(zip(space.knobs, each))) for each in itertools.product(*space.knobs.values()))
    example = next(filter(None, map(space.problem, every_one)))
    return [Finding(FindingKind.COMBINATIONS_LEFT_OUT, {**values, "example": example})]


def _occurs(space: Space, knob: str, value: ParamValue) -> bool:
    """Whether a legal configuration has it; in a space too large to list, with the other knobs as in the baseline."""
    if space.size <= LISTABLE:
        return any(params[knob] == value for params in space.legal)
    return space.problem(space.configuration({knob: value})) is None


def _size(value: ParamValue) -> float:
    return float(value) if isinstance(value, (bool, int, float)) else 0.0
