"""Whether a study's answer still belongs to the trainer config that it is to be put into."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeper.app.outputs import REWRITTEN
from sweeper.errors import InvalidInput, NotComparable
from sweeper.inputs.flat import measured_settings
from sweeper.inputs.knob_values import knob_value
from sweeper.inputs.knobs import fault_of_knob
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, TrainerConfig, read_trainer_config
from sweeper.model.identity import differences
from sweeper.model.study import Best, StudyResult
from sweeper.outside import short
from sweeper.plan.rules import Rules
from sweeper.report.words.values import command_text


def measured_config(result: StudyResult) -> TrainerConfig:
    """The trainer config that the study measured, as it still is.

    Raises:
        InvalidInput: it is gone, or cannot be read.
        NotComparable: it was edited since it was measured; says what changed.
    """
    path = Path(result.study.trainer_config)
    again = command_text(("sweeper", "run", result.study.file))
    if not path.exists():
        message = f"{path}: the trainer config that this study measured is not there any more"
        hint = f"put it back; after a move, run the study from its new place: `{again}` writes down where it is"
        raise InvalidInput(message, hint)
    config = read_trainer_config(path)
    if (measured := result.study.trainer_settings) is not None:
        before, now = (_compared(result, settings) for settings in (measured, measured_settings(config)))
        if changed := differences({"what changed": before}, {"what changed": now}):
            message = f"{path}: this trainer config was edited since the study measured it; {'; '.join(changed)}"
            raise NotComparable(message, f"undo that, or measure it as it is now: `{again} --fresh`")
    return config


def check_best(results: Path, config: TrainerConfig, best: Best) -> None:
    """Refuse an answer that no study gives, such as one that was edited by hand.

    Raises:
        InvalidInput: names the setting in the file `results`, and what is wrong with it.
    """
    for knob, value in best.params.items():
        if fault := fault_of_knob(knob):
            raise _no_answer(results, f"best.params.{short(knob)}: {fault[0]}")
        try:
            if value is not None:
                knob_value(value)
        except ValueError as error:
            raise _no_answer(results, f"best.params.{knob}: {error}") from None
    if refusal := Rules(config, has_build=True).refusal(best.params):
        raise _no_answer(results, f"best.params: {refusal}")


def _no_answer(results: Path, message: str) -> InvalidInput:
    return InvalidInput(f"{results}: {message}", REWRITTEN)


def _compared(result: StudyResult, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Without the environments and areas of which the study file has the say, or that have no build."""
    stated = result.baseline is None or result.baseline.stated
    ignored = {f"env_settings.{knob}" for knob in LAUNCH_KNOBS} if stated else set()
    if result.study.env_path is None:
        ignored.add("env_settings.num_envs")
    return {path: value for path, value in settings.items() if path not in ignored}
