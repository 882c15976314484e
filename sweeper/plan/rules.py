"""Which settings the learner refuses, alters without a word, or would not learn with."""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.errors import InvalidInput
from sweeper.inputs.trainer_config import Behavior, TrainerConfig, trainer_paths
from sweeper.inputs.whole_numbers import is_whole
from sweeper.model.trial import Params
from sweeper.plan.updates import update_share
from sweeper.troubles.beforehand import EDITOR_IS_ONE

_BATCH, _BUFFER, _SEQUENCE = (
    "hyperparameters.batch_size", "hyperparameters.buffer_size", "network_settings.memory.sequence_length",
)  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """Why settings are refused. `settings`: which, by their paths in a behaviour or as knobs of launching."""

    text: str
    settings: tuple[str, ...] = ()
    behavior: str | None = None
    mend: str | None = None


@dataclass(frozen=True)
class Rules:
    """What decides whether a configuration is legal."""

    config: TrainerConfig
    has_build: bool
    accepts_areas: bool = True

    def refusal(self, params: Params) -> str | None:
        """Why the learner would refuse `params`, or train on them without learning; None where they are legal."""
        found = self.found(params)
        return found.text if found else None

    def found(self, params: Params) -> Refused | None:
        """As `refusal`, with what it is about and how to mend it."""
        envs, areas = params.get("num_envs", 1), params.get("num_areas", 1)
        for knob, value in (("num_envs", envs), ("num_areas", areas)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                return Refused(f"{knob} must be a whole number from 1, not {value!r}", (knob,))
        if envs != 1 and not self.has_build:
            return Refused(EDITOR_IS_ONE.told({"num_envs": envs}), ("num_envs",))
        if areas != 1 and not self.accepts_areas:
            text = f"num_areas is {areas}, but this version of mlagents-learn has no --num-areas"
            return Refused(text, ("num_areas",), mend="leave it out, or update mlagents")
        if not isinstance(params.get("threaded"), (bool, type(None))):
            return Refused(f"threaded must be true or false, not {params['threaded']!r}", ("threaded",))
        for path, value in trainer_paths(params).items():
            if is_whole(path) and isinstance(value, float) and not value.is_integer():
                return Refused(f"{path.rpartition('.')[2]} must be a whole number, not {value!r}", (path,))
        try:
            behaviors = self.config.behaviors_with(params)
        except InvalidInput as error:
            return Refused(str(error), mend=error.hint)
        return next((found for found in map(_refused, behaviors) if found), None)

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

    def problem(self, params: Params) -> str | None:
        """Why `params` cannot be searched; None where they can."""
        return self.refusal(params) or self.alteration(params)


def _refused(behavior: Behavior) -> Refused | None:
    name = f" of behaviour {behavior.name}" if behavior.name else ""
    if behavior.batch_size > behavior.buffer_size:
        text = (
            f"batch_size {behavior.batch_size} is above buffer_size {behavior.buffer_size}{name}: "
            "the learner would train without a single update, and without a word"
        )
        mend = "lower batch_size, or raise buffer_size to several times as much"
        return Refused(text, (_BATCH, _BUFFER), behavior.name, mend)
    if behavior.sequence_length and behavior.sequence_length > behavior.batch_size:
        text = (
            f"batch_size {behavior.batch_size} is below sequence_length {behavior.sequence_length}{name}, "
            "which the learner refuses"
        )
        return Refused(text, (_BATCH, _SEQUENCE), behavior.name, "raise batch_size, or lower sequence_length")
    return None
