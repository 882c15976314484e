"""A first study file about a training command, whose settings are the baseline."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sweeper.app.named_by_config import build_named_by
from sweeper.app.outputs import write_atomically
from sweeper.app.study_draft import USUAL, Draft, Written, flow, free_place, relative
from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from sweeper.inputs.learner_words import LEARNER, is_in_container
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, read_trainer_config
from sweeper.model.trial import ParamValue

IN_CONTAINER = "the command starts the learner inside a container, and its paths are the container's"
OUT_OF_CONTAINER = "install sweeper in there and run it there, or give the command as it would be outside"


@dataclass(frozen=True)
class _Own:
    """What a trainer config says of its launch; of one that cannot be read, what the learner does where none says."""

    build: str | None = None
    knobs: Mapping[str, ParamValue] = field(default_factory=dict)
    results_dir: str = "results"
    torch_device: str | None = None


@dataclass(frozen=True)
class _Launch:
    """What a command launches, its trainer config's own settings put in.

    `place`: the folder that the paths of both are relative to. `folder`: the study's.
    """

    command: TrainingCommand
    own: _Own
    place: Path
    folder: Path

    @property
    def build(self) -> str | None:
        """None: the Editor."""
        written = self.command.env_path or self.own.build
        return None if written is None else self.relative(written)

    @property
    def learner(self) -> str | None:
        """None: the one on PATH."""
        return None if self.command.learner == LEARNER else self.relative(self.command.learner)

    @property
    def asked(self) -> dict[str, ParamValue]:
        """Environments and areas, as command and config say."""
        return {**USUAL, **self.own.knobs, **self.command.baseline}

    @property
    def baseline(self) -> dict[str, ParamValue]:
        """Likewise, as they can be: the Editor is one environment."""
        return self.asked if self.build is not None else {**self.asked, "num_envs": 1}

    @property
    def trained_run(self) -> str | None:
        """The one that it starts from."""
        run = self.command.initialize_from
        return None if run is None else self.relative(Path(self.command.results_dir or self.own.results_dir, run))

    def relative(self, written: str | Path) -> str:
        """A path of the command, as the study file has it."""
        return relative(self.place / written, self.folder)

    def draft(self) -> Draft:
        """The study of it."""
        return Draft(
            self.relative(self.command.config),
            self.build,
            learner=self.learner,
            baseline=self.baseline,
            engine=self.command.engine,
            env_args=self.command.env_args,
            initialize_from=self.trained_run,
        )


def write_study_from(path: Path, command: str) -> Written:
    """Write the study of a training command, or of the script that holds it; its settings are the baseline.

    Raises:
        InvalidInput: a file is in the way, no command is found, or its trainer config is not there.
    """
    path = free_place(path)
    found, place = read_command(command)
    launch = _Launch(found, _own(_config_of(found, place)), place, path.parent.absolute())
    write_atomically(path, launch.draft().text(path))
    told = (*_taken(launch), *_left_out(found), *_device_left_out(launch))
    return Written(path, (path,), told)


def _config_of(found: TrainingCommand, place: Path) -> Path:
    config = Path(os.path.normpath(place / found.config))
    if not os.path.isfile(config):  # noqa: PTH113 no error for what can be no name
        hint = "run this where the command runs; what a script names is looked for from the script's own folder"
        gone = f"the command's trainer config is not there: {config}"
        if is_in_container(found.around):
            raise InvalidInput(f"{gone}; {IN_CONTAINER}", OUT_OF_CONTAINER)
        raise InvalidInput(gone, hint)
    return config


def _own(config: Path) -> _Own:
    try:
        read = read_trainer_config(config)
    except InvalidInput:
        return _Own()
    results = (read.data.get("checkpoint_settings") or {}).get("results_dir")
    device = (read.data.get("torch_settings") or {}).get("device")
    own = _Own(results_dir=str(results or _Own.results_dir), torch_device=str(device) if device else None)
    try:
        return replace(own, build=build_named_by(read), knobs={knob: read.value(knob) for knob in LAUNCH_KNOBS})
    except InvalidInput:  # no number of environments or areas
        return own


def _taken(launch: _Launch) -> Iterator[str]:
    """A sentence for each part of the command that the study has."""
    config = launch.relative(launch.command.config)
    yield f"Trainer config: {config}. What the command runs is the baseline: {flow(launch.baseline)}."
    if launch.build is None:
        yield "The command names no build: this study trains in the Editor."
        if launch.asked != launch.baseline:
            yield f"Left out, because the Editor is one environment: num_envs {launch.asked['num_envs']}."
    elif launch.command.env_path is None:
        yield f"Build: {launch.build}, which the trainer config names."
    if launch.learner is not None:
        is_there = os.path.isfile(launch.place / launch.command.learner)  # noqa: PTH113 no error for what is no name
        missing = "" if is_there else ", which is not there: name yours in learner"
        yield f"Learner: {launch.learner}{missing}."


def _left_out(found: TrainingCommand) -> Iterator[str]:
    """A sentence for each kind of what the study does not have."""
    no_place = f"a study has no place for it: {', '.join(found.left_out)}" if found.left_out else ""
    decided = ""
    if found.decided:
        names = ", ".join(dict.fromkeys(found.decided))
        decided = f"sweeper chooses runs, ports, seeds, folders and time limits itself: {names}"
    if no_place or decided:
        yield f"Left out, because {'; because '.join(filter(None, (no_place, decided)))}."
    if is_in_container(found.around):
        yield f"Left out: {'; '.join(found.around)}. There {IN_CONTAINER}: {OUT_OF_CONTAINER}."
    elif found.around:
        yield (
            f"Left out, because it stands around the learner: {'; '.join(found.around)}. Run sweeper itself so, and "
            "where that chooses another mlagents-learn, name it in learner."
        )
    if found.open:
        yield f"Left out, because only who runs the script knows what it says: {', '.join(found.open)}."
    if found.commands > 1:
        yield f"The learner is started in {found.commands} places; this study is about the first that can be read."


def _device_left_out(launch: _Launch) -> Iterator[str]:
    device = launch.command.torch_device
    if device is not None and device != launch.own.torch_device:
        setting = f"torch_settings: {flow({'device': device})}"
        yield (
            f"Left out: --torch-device {device}, which changes every speed. It goes into the trainer config, as "
            f"`{setting}`; without it the learner chooses itself."
        )
