"""A list of checks: is this machine, this environment, this build ready?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from sweeper.app.prepare import Overrides, load
from sweeper.errors import SweeperError
from sweeper.inputs.study_file import Study, StudyFile
from sweeper.inputs.trainer_config import TrainerConfig
from sweeper.inputs.yaml_text import parse_yaml
from sweeper.machine import describe_machine
from sweeper.measure.contention import TOLD_PROGRAMS
from sweeper.report.drawing import why_nothing_can_be_drawn
from sweeper.report.words.values import busiest_text
from sweeper.session.build import find_build, told
from sweeper.session.disk import RESERVE_BYTES, free_bytes
from sweeper.session.learner import Learner, breakages, installed_packages, locate_learner, probe_learner, python_of
from sweeper.session.load import LoadMonitor
from sweeper.session.ports import free_block, port_for
from sweeper.session.quiet import wait_for_quiet
from sweeper.session.surroundings import proxy_for_localhost, speed_settings
from sweeper.troubles.beforehand import PROXY
from sweeper.units import format_bytes

FEW_CORES = 2


class Level(IntEnum):
    """How a check went; ordered by severity."""

    OK = 0
    WARNING = 1
    FAILED = 2


@dataclass(frozen=True)
class Check:
    """One line, and how to mend it where it is not well."""

    name: str
    level: Level
    text: str
    mend: str | None = None


def examine(path: Path | None) -> Iterator[Check]:
    """Check everything that can be checked without training; `path` is a study file."""
    study, wants_gpu = None, False
    if path is not None:
        try:
            study, config = load(path, Overrides())
            wants_gpu = _asks_for_cuda(config)
            names = ", ".join(behavior.name or "any behaviour" for behavior in config.behaviors)
            yield Check("study file", Level.OK, f"{path}, training {names}")
        except SweeperError as error:
            yield _failed("study file", error)
    yield from _machine(wants_gpu)
    yield from _surroundings()
    yield from _learner(study or _default_study())
    if study is not None:
        yield from _build(study)
    yield from _ports(study)
    yield from _disk()
    yield _figures()


def _surroundings() -> Iterator[Check]:
    """What is set around us, and reaches the learner and its players."""
    if (proxy := proxy_for_localhost()) is not None:
        what, _, mend = PROXY.told({"proxy": proxy}).partition("; mend it with: ")
        yield Check("proxy", Level.WARNING, what, mend)
    if told := speed_settings():
        yield Check("surroundings", Level.OK, f"{', '.join(told)}; set it where you train, too")


def _figures() -> Check:
    why = why_nothing_can_be_drawn()
    if why is None:
        return Check("report", Level.OK, "figures can be drawn")
    return Check(
        "report", Level.WARNING, f"it will have no figures: {why}", "mend matplotlib; measuring is not touched"
    )


def _asks_for_cuda(config: TrainerConfig) -> bool:
    settings = config.data.get("torch_settings")
    return isinstance(settings, dict) and str(settings.get("device")).startswith("cuda")


def _machine(wants_gpu: bool) -> Iterator[Check]:
    machine = describe_machine({})
    text = (
        f"{machine.cpu_model}, {machine.usable_cores} usable cores, "
        f"{format_bytes(machine.available_memory_bytes)} of {format_bytes(machine.memory_bytes)} available"
    )
    few = machine.usable_cores <= FEW_CORES
    yield Check("machine", Level.OK, text + ("; few cores: numbers will be noisy" if few else ""))
    if wants_gpu and not machine.gpus:
        mend = "set `torch_settings: {device: cpu}`, or install NVIDIA's driver (is nvidia-smi on PATH?)"
        yield Check("gpu", Level.WARNING, "none seen, and the trainer config asks for cuda", mend)
    else:
        yield Check("gpu", Level.OK, ", ".join(machine.gpus) or "none seen")
    yield _quiet(machine.usable_cores)


def _quiet(usable_cores: int) -> Check:
    """Whether other programs leave the machine alone, just now."""
    monitor = LoadMonitor(usable_cores)
    monitor.start()
    glance = wait_for_quiet(lambda: monitor.read([]).others_cpu_seconds, usable_cores, max_seconds=0.0)
    most = monitor.busiest()[:TOLD_PROGRAMS]
    busiest = busiest_text([process.name for process in most], [process.cores for process in most])
    text = f"other programs use {glance.others_percent:.0f} % of the cores{busiest}"
    if glance.is_quiet:
        return Check("quiet", Level.OK, text)
    mend = "close what you can; trials that are disturbed are run again (or see measure.contention)"
    return Check("quiet", Level.WARNING, text, mend)


def _learner(study: Study) -> Iterator[Check]:
    try:
        path = locate_learner(study)
    except SweeperError as error:
        yield _failed("learner", error)
        return
    try:
        learner, failure = probe_learner(path), None
        packages = learner.packages
    except SweeperError as error:
        learner, failure = None, error
        packages = installed_packages(python_of(path))
    known = breakages(packages)
    for text in known:
        what, _, mend = text.partition("; mend it with: ")
        yield Check("learner's packages", Level.FAILED, what, mend)
    if learner is not None:
        yield _answers(learner)
    elif failure is not None and not known:
        yield _failed("learner", failure)


def _answers(learner: Learner) -> Check:
    version = learner.packages.get("mlagents", "of unknown version")
    text = f"{learner.path}: mlagents {version}, torch {learner.packages.get('torch', 'of unknown version')}"
    if "mlagents" not in learner.packages:
        mend = "an upgrade will not be noticed: name the mlagents-learn of its environment itself in `learner:`"
        return Check("learner", Level.WARNING, text, mend)
    if "--num-areas" not in learner.flags:
        return Check("learner", Level.WARNING, f"{text}; it does not know --num-areas", "num_areas stays 1")
    return Check("learner", Level.OK, text)


_EDITOR = (
    "none: training in the Unity Editor; every trial waits for Play, which `sweeper editor-script PROJECT` can press"
)


def _build(study: Study) -> Iterator[Check]:
    try:
        build = find_build(study)
        if build is not None:
            told(build)
    except SweeperError as error:
        yield _failed("build", error)
        return
    yield Check("build", Level.OK, str(build) if build else _EDITOR)


def _ports(study: Study | None) -> Iterator[Check]:
    try:
        if study is not None and not study.has_build:
            yield Check("ports", Level.OK, f"port {port_for(1, in_editor=True)}, on which the Editor connects, is free")
            return
        yield Check("ports", Level.OK, f"a block of 32 is free from {free_block(32)}")
    except SweeperError as error:
        yield _failed("ports", error)


def _disk() -> Iterator[Check]:
    free = free_bytes(Path.cwd())
    if free < RESERVE_BYTES:
        yield Check("disk", Level.FAILED, f"only {format_bytes(free)} free here", "free some space")
    else:
        yield Check("disk", Level.OK, f"{format_bytes(free)} free here")


def _failed(name: str, error: SweeperError) -> Check:
    return Check(name, Level.FAILED, str(error), error.hint)


def _default_study() -> Study:
    """Without a study file: the learner of this environment."""
    text = "{version: 1, name: doctor, trainer_config: none}"
    source = parse_yaml(Path("study.yaml"), text, "study file")
    return Study(StudyFile.model_validate(source.data), source)
