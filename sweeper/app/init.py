"""A first study file, about what is found nearby; where nothing is, a demo that runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sweeper.app.named_by_config import build_named_by, place_of_build
from sweeper.app.nearby import look_around
from sweeper.app.outputs import write_atomically
from sweeper.app.study_draft import Draft, Written, free_place, relative
from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import DEMO_BUILD
from sweeper.inputs.trainer_config import TrainerConfig, read_trainer_config
from sweeper.racer import TRAINER_CONFIG


def write_study(path: Path, demo: bool = False) -> Written:
    """Write a commented study file, `study.yaml` where `path` is a folder; with `demo`, about the bundled demo build.

    Raises:
        InvalidInput: a file is in the way, or the folder does not exist.
    """
    path = free_place(path)
    folder = path.parent.absolute()
    if demo:
        return _demo(path, folder)
    nearby = look_around(folder)
    configs = list(_readable(nearby.configs))
    builds = [relative(build, folder) for build in nearby.builds]
    if configs:
        return _about(path, configs[0], [relative(config.path, folder) for config in configs], builds)
    written = _demo(path, folder)
    if not builds:
        return written
    hint = f"There is a build, {builds[0]}, but no trainer config: with one here, `sweeper init` is about both."
    return replace(written, told=(*written.told, hint))


def _readable(paths: Sequence[Path]) -> Iterator[TrainerConfig]:
    for path in paths:
        try:
            yield read_trainer_config(path)
        except InvalidInput:
            continue


def _about(path: Path, config: TrainerConfig, configs: Sequence[str], builds: Sequence[str]) -> Written:
    """The study of `config`, the first of `configs`; those that were not chosen are named in comments."""
    build, others, told = _choice(config, builds)
    write_atomically(path, Draft(configs[0], build, configs[1:], others).text(path))
    return Written(path, (path,), (f"Trainer config: {configs[0]}{_others(configs)}.", told))


def _choice(config: TrainerConfig, builds: Sequence[str]) -> tuple[str | None, Sequence[str], str]:
    """The build that the study is to name, None for none; the others; and a sentence about it."""
    own = build_named_by(config)
    if place_of_build(config) is not None:
        return None, builds, f"Build: {own}, which the trainer config names."
    if builds:
        return builds[0], builds[1:], f"Build: {builds[0]}{_others(builds)}."
    if own is not None:
        return None, (), f"The trainer config names a build that is not there, {own}: name yours in env_path."
    missing = "No Unity build was found nearby: this study trains in the Editor. To use a build, name it in env_path."
    return None, (), missing


def _others(found: Sequence[str]) -> str:
    more = len(found) - 1
    return f"; {more} more {'is' if more == 1 else 'are'} named beside it" if more else ""


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
    write_atomically(path, Draft(config.name, DEMO_BUILD).text(path))
    told = "This study is about the bundled demo build; name your own trainer config and build in it."
    return Written(path, tuple(files), (told,))
