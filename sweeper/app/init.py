"""A first study file, about what is found nearby; where nothing is, a demo that runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.app.named_by_config import build_named_by, place_of_build
from sweeper.app.nearby import look_around
from sweeper.app.outputs import write_atomically
from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from sweeper.inputs.learner_words import LEARNER, is_in_container
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, read_trainer_config
from sweeper.model.trial import ParamValue
from sweeper.racer import TRAINER_CONFIG

DEMO_BUILD = "demo:racer"
MOST_LISTED = 5
TEMPLATE = """\
# A sweeper study: which settings make this training fastest on this machine?
# Run it with: sweeper run {name}
version: 1
name: "{stem}"

# Your ordinary ML-Agents trainer config; it is read, never modified. Paths are relative to this file.
trainer_config: {config}
{other_configs}
# Your Unity build. `demo:racer` is the bundled demo build. Left out: the one that the trainer config names; else you
# train in the Unity Editor, where num_envs is 1 and every trial waits for you to press Play.
{build}
{other_builds}{learner}
# What you run today, to compare with. Left out: what the trainer config says.
{baseline}

# The most memory that learner and players may use together: an amount, or a share of what is available.
memory_cap: 80%

# The study's total. Longer is better: every trial is a real, short training session.
budget: 20m   # or {{time: 8h, trials: 60}}, or {{trials: 60}} alone

# What to try. Left out: derived from this machine and the trainer config; `sweeper validate` lists it. num_areas acts
# only if the scene has a TrainingAreaReplicator. Any other key of the trainer config can be searched by its path.
# space:
#   num_envs: {{low: 1, high: 8}}
#   num_areas: [1, 4, 16]
#   batch_size: [128, 256, 512]
#   hyperparameters.buffer_size: [2048, 10240]

# The learning guard: a bigger batch is faster only because it learns less. Configurations with fewer updates per step
# than this share of yours are refused. `off` to allow them.
min_updates: 25%

# Left out: as the trainer config has it. time_scale changes physics, so it is never searched.
engine: {engine}
{more}"""
IN_CONTAINER = "the command starts the learner inside a container, and its paths are the container's"
OUT_OF_CONTAINER = "install sweeper in there and run it there, or give the command as it would be outside"
BASELINE, ENGINE = "# baseline: {num_envs: 1, num_areas: 1}", "{no_graphics: true}"


@dataclass(frozen=True)
class Written:
    """What was written, and a sentence for each choice that was made."""

    study: Path
    files: tuple[Path, ...]
    told: tuple[str, ...]


def write_study(path: Path, demo: bool = False) -> Written:
    """Write a commented study file, `study.yaml` where `path` is a folder; with `demo`, about the bundled demo build.

    Raises:
        InvalidInput: a file is in the way, or the folder does not exist.
    """
    path = _free(path)
    folder = path.parent.absolute()
    nearby = look_around(folder)
    configs = [] if demo else [config for config in nearby.configs if _can_be_read(config)]
    if not configs:
        written = _demo(path, folder)
        if nearby.builds and not demo:
            build = _relative(nearby.builds[0], folder)
            hint = f"There is a build, {build}, but no trainer config: with one here, `sweeper init` is about both."
            return replace(written, told=(*written.told, hint))
        return written
    builds, config = nearby.builds, read_trainer_config(configs[0])
    own, is_taken = build_named_by(config), place_of_build(config) is not None
    told = [f"Trainer config: {_relative(configs[0], folder)}{_others(configs)}."]
    if is_taken:
        told.append(f"Build: {own}, which the trainer config names.")
    elif builds:
        told.append(f"Build: {_relative(builds[0], folder)}{_others(builds)}.")
    elif own is not None:
        told.append(f"The trainer config names a build that is not there, {own}: name yours in env_path.")
    else:
        told.append(
            "No Unity build was found nearby: this study trains in the Editor. To use a build, name it in env_path."
        )
    line, others = "# env_path: Builds/MyGame", builds
    if builds and not is_taken:
        line, others = f"env_path: {_quoted(_relative(builds[0], folder))}", builds[1:]
    text = _text(
        path,
        _relative(configs[0], folder),
        line,
        [_relative(other, folder) for other in configs[1:]],
        [_relative(other, folder) for other in others],
    )
    write_atomically(path, text)
    return Written(path, (path,), tuple(told))


def _free(path: Path) -> Path:
    """Where a study file may be written: `study.yaml` where `path` is a folder."""
    path = path / "study.yaml" if path.is_dir() else path
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise InvalidInput(
            f"{path} is no folder, and no name of a study file", f"name it {path}.yaml, or make the folder"
        )
    if path.exists():
        raise InvalidInput(f"{path} exists; nothing was overwritten", "choose another name: sweeper init PATH")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path.parent}: no such folder")
    return path


def write_study_from(path: Path, command: str) -> Written:
    """Write the study of a training command, or of the script that holds it; its settings are the baseline.

    Raises:
        InvalidInput: a file is in the way, no command is found, or its trainer config is not there.
    """
    path = _free(path)
    found, place = read_command(command)
    folder = path.parent.absolute()
    config = Path(os.path.normpath(place / found.config))
    if not os.path.isfile(config):  # noqa: PTH113 no error for what can be no name
        hint = "run this where the command runs; what a script names is looked for from the script's own folder"
        gone = f"the command's trainer config is not there: {config}"
        if is_in_container(found.around):
            raise InvalidInput(f"{gone}; {IN_CONTAINER}", OUT_OF_CONTAINER)
        raise InvalidInput(gone, hint)
    own, said = _said_by(config)
    env_path = found.env_path or own
    baseline = {"num_envs": 1, "num_areas": 1, **said, **found.baseline}
    asked = baseline["num_envs"]
    if env_path is None:
        baseline["num_envs"] = 1  # the Editor is one environment
    more = []
    if found.env_args:
        more.append(f"\n# Passed to the player.\nenv_args: {json.dumps(list(found.env_args), ensure_ascii=False)}")
    if found.initialize_from:
        trained = _relative(place / (found.results_dir or _results_of(config)) / found.initialize_from, folder)
        more.append(f"\n# Trials start from this trained run.\ninitialize_from: {_quoted(trained)}")
    build = "# env_path: Builds/MyGame"
    if env_path is not None:
        build = f"env_path: {_quoted(_relative(place / env_path, folder))}"
    learner = "" if found.learner == LEARNER else f"learner: {_quoted(_relative(place / found.learner, folder))}\n"
    write_atomically(
        path,
        TEMPLATE.format(
            name=path.name,
            stem=_stem(path),
            config=_quoted(_relative(config, folder)),
            build=build,
            other_configs="",
            other_builds="",
            learner=learner,
            baseline=f"baseline: {_flow(baseline)}",
            engine=_flow(found.engine) if found.engine else "{}",
            more="\n".join(more) + ("\n" if more else ""),
        ),
    )
    told = [f"Trainer config: {_relative(config, folder)}. What the command runs is the baseline: {_flow(baseline)}."]
    if env_path is None:
        told.append("The command names no build: this study trains in the Editor.")
        if asked != baseline["num_envs"]:
            told.append(f"Left out, because the Editor is one environment: num_envs {asked}.")
    elif found.env_path is None:
        told.append(f"Build: {_relative(place / env_path, folder)}, which the trainer config names.")
    if found.learner != LEARNER:
        is_there = os.path.isfile(place / found.learner)  # noqa: PTH113 no error for what can be no name
        missing = "" if is_there else ", which is not there: name yours in learner"
        told.append(f"Learner: {_relative(place / found.learner, folder)}{missing}.")
    told.extend(_left_out(found))
    if found.torch_device is not None and found.torch_device != _device_of(config):
        setting = f"torch_settings: {_flow({'device': found.torch_device})}"
        told.append(
            f"Left out: --torch-device {found.torch_device}, which changes every speed. It goes into the trainer "
            f"config, as `{setting}`; without it the learner chooses itself."
        )
    return Written(path, (path,), tuple(told))


def _device_of(config: Path) -> str | None:
    """The device that a trainer config names."""
    try:
        settings = read_trainer_config(config).data.get("torch_settings")
    except InvalidInput:
        return None
    return str(settings["device"]) if isinstance(settings, dict) and settings.get("device") else None


def _results_of(config: Path) -> str:
    """Where a trainer config keeps trained runs."""
    try:
        checkpoint = read_trainer_config(config).data.get("checkpoint_settings") or {}
    except InvalidInput:
        return "results"
    return str(checkpoint.get("results_dir") or "results")


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


def _said_by(config: Path) -> tuple[str | None, dict[str, ParamValue]]:
    """The build that a trainer config names, and its environments and areas; nothing of one that cannot be read."""
    try:
        read = read_trainer_config(config)
        return build_named_by(read), {knob: read.value(knob) for knob in LAUNCH_KNOBS}
    except InvalidInput:
        return None, {}


def _flow(values: Mapping[str, object]) -> str:
    """A mapping on one line of YAML."""
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in values.items()) + "}"


def _demo(path: Path, folder: Path) -> Written:
    config = folder / TRAINER_CONFIG.name
    text = TRAINER_CONFIG.read_text(encoding="utf-8")
    is_there = config.exists()
    if is_there and config.read_text(encoding="utf-8", errors="replace") != text:
        raise InvalidInput(f"{config} exists; nothing was overwritten", "write the demo into an empty folder")
    files = [path]
    if not is_there:
        write_atomically(config, text)
        files.append(config)
    write_atomically(path, _text(path, config.name, f"env_path: {DEMO_BUILD}", [], []))
    told = "This study is about the bundled demo build; name your own trainer config and build in it."
    return Written(path, tuple(files), (told,))


def _text(path: Path, config: str, build: str, other_configs: Sequence[str], other_builds: Sequence[str]) -> str:
    return TEMPLATE.format(
        name=path.name,
        stem=_stem(path),
        config=_quoted(config),
        build=build,
        other_configs="".join(f"# trainer_config: {_quoted(other)}\n" for other in other_configs[:MOST_LISTED]),
        other_builds="".join(f"# env_path: {_quoted(other)}\n" for other in other_builds[:MOST_LISTED]),
        learner="",
        baseline=BASELINE,
        engine=ENGINE,
        more="",
    )


def _stem(path: Path) -> str:
    """A study's name: ASCII letters and digits, '.', '_' and '-', the first a letter or digit."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", path.stem).lstrip("._-")[:80] or "study"


def _quoted(text: str) -> str:
    """As YAML reads it back, whatever is in it: JSON's strings are YAML's."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]*", text) else json.dumps(text, ensure_ascii=False)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _others(found: Sequence[Path]) -> str:
    more = len(found) - 1
    return f"; {more} more {'is' if more == 1 else 'are'} named beside it" if more else ""


def _can_be_read(path: Path) -> bool:
    try:
        read_trainer_config(path)
    except InvalidInput:
        return False
    return True
