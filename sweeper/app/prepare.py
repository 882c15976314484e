"""From a study file to everything that a study needs: learner, build, machine, space, folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sweeper.app.named_by_config import with_what_it_names
from sweeper.app.parsed import check_with_parser
from sweeper.errors import InvalidInput, NotReady
from sweeper.inputs.knobs import KNOBS
from sweeper.inputs.study_file import Study, read_study
from sweeper.inputs.study_limits import Budget, MemoryCap
from sweeper.inputs.trainer_config import TrainerConfig, read_trainer_config
from sweeper.inputs.tuned import tuned_text
from sweeper.machine import describe_machine, memory_margin
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.folder import StudyFolder
from sweeper.model.machine import Machine
from sweeper.model.trial import TrialResult
from sweeper.plan.space import Space, build_space
from sweeper.plan.subject import Subject
from sweeper.plan.trial_plan import Launch
from sweeper.search.proposal import Question, Strategy
from sweeper.search.strategies import DEFAULT, STRATEGIES
from sweeper.session.build import find_build, told
from sweeper.session.build_files import identity
from sweeper.session.learner import Learner, command_name, locate_learner, probe_learner
from sweeper.session.parser import NotAsked
from sweeper.study.answer import Facts
from sweeper.study.history import History
from sweeper.units import format_bytes

NEEDED_FLAGS = ("--num-areas", "--max-lifetime-restarts", "--timeout-wait")
"""Flags that a trial uses and that older learners lack; a trial goes without, and the study says so."""


@dataclass(frozen=True)
class Overrides:
    """What the command line says over the study file. `until`: the local time at which the study must have ended.

    `tensorboard`: whether event files are written, and the learner's own kept.
    """

    budget_seconds: float | None = None
    until: datetime | None = None
    trials: int | None = None
    memory_cap: MemoryCap | None = None
    out: Path | None = None
    sampler: str | None = None
    tensorboard: bool = False


@dataclass(frozen=True)
class Prepared:
    """A study that can start."""

    subject: Subject
    learner: Learner
    machine: Machine
    space: Space
    cap_bytes: int
    budget: Budget
    until: datetime | None
    folder: StudyFolder
    strategy: Strategy = STRATEGIES[DEFAULT]
    cap_note: Finding | None = None
    tensorboard: bool = False

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What a reader of the results should know before all else."""
        missing = [flag for flag in NEEDED_FLAGS if flag not in self.learner.flags]
        editor = (Finding(FindingKind.IN_EDITOR),) if self.subject.is_in_editor else ()
        unknown = () if "mlagents" in self.learner.packages else (Finding(FindingKind.VERSIONS_UNKNOWN),)
        lowered = () if self.cap_note is None else (self.cap_note,)
        return (
            *self.space.notes,
            *lowered,
            *notes_on_gpu(self.subject.study, self.machine),
            *editor,
            *unknown,
            *(Finding(FindingKind.FLAG_NOT_ACCEPTED, {"flag": flag}) for flag in missing),
        )

    def history(self, results: Sequence[TrialResult]) -> History:
        """What these results say of this study."""
        found = History(tuple(results), self.space.baseline, self.subject.study.spec.min_updates)
        return replace(found, expected=self.strategy.expected(self.question(found)))

    def question(self, history: History) -> Question:
        """What the search is asked."""
        return Question(history.still_searched(self.space), history, self.cap_bytes, self.machine.usable_cores)

    def facts(
        self, started_at: str, spent_seconds: float, cap_bytes: int, reason: str | None, cut_short: bool = False
    ) -> Facts:
        """What a conclusion needs beside the history."""
        return Facts(
            self.subject,
            self.space,
            self.machine,
            self.budget,
            str(self.folder.best.absolute()),
            self.notes,
            started_at,
            spent_seconds,
            cap_bytes,
            reason,
            cut_short,
        )

    def identity(self) -> dict[str, Any]:
        """What makes numbers comparable; another value of any of these is another study."""
        spec = self.subject.study.spec
        return {
            **self.subject.fingerprint(),
            # A derived space follows the memory that happens to be free, which makes no other study of it.
            "space": spec.space and {knob: list(values) for knob, values in spec.space.items()},
            "baseline": dict(self.space.baseline),
            "memory cap": self.memory_cap_as_asked,
            "min_updates": spec.min_updates,
            "machine": self.machine.key,
        }

    def note_on_cap(self, kept_bytes: int) -> Finding | None:
        """What to say of the cap that the study has kept since its first run."""
        if kept_bytes == self.cap_bytes:
            return self.cap_note
        asked = self.subject.study.spec.memory_cap.bytes
        if asked is None or kept_bytes >= asked:
            return None
        return _cap_lowered(kept_bytes, asked)

    @property
    def memory_cap_as_asked(self) -> int | str:
        """Bytes, or the share of available memory that was asked for."""
        cap = self.subject.study.spec.memory_cap
        return cap.bytes if cap.bytes is not None else f"{100 * (cap.share or 0):g}%"

    def knob_values(self) -> dict[str, tuple[Any, ...]]:
        """Every value that a knob may take, the baseline's included."""
        baseline = self.space.baseline
        knobs = (*baseline, *(knob for knob in self.space.knobs if knob not in baseline))
        return {
            knob: (*self.space.knobs.get(knob, ()), *((baseline[knob],) if knob in baseline else ())) for knob in knobs
        }


def load(path: Path, overrides: Overrides) -> tuple[Study, TrainerConfig]:
    """Read the study file, with the command line's say, and its trainer config. Starts nothing."""
    for place in (path, overrides.out or path):
        if any("\ud800" <= character <= "\udfff" for character in str(place.absolute())):
            raise InvalidInput(f"{place.absolute()}: this path is not text in UTF-8", "rename the folder or file")
    study = read_study(path)
    spec = study.spec
    if overrides.memory_cap is not None:
        spec = spec.model_copy(update={"memory_cap": overrides.memory_cap})
    if overrides.sampler is not None:
        spec = spec.model_copy(update={"sampler": overrides.sampler})
    budget = Budget(overrides.budget_seconds or spec.budget.seconds, overrides.trials or spec.budget.trials)
    study = replace(study, spec=spec.model_copy(update={"budget": budget}))
    if spec.initialize_from and not study.resolve(spec.initialize_from).is_dir():
        raise study.source.error(("initialize_from",), f"no trained run at {study.resolve(spec.initialize_from)}")
    config = read_trainer_config(study.resolve(spec.trainer_config))
    study = with_what_it_names(study, config)
    spec = study.spec
    # What could not be written at the end is refused now; no knob is -1, so that every line is tried.
    knobs = {*(KNOBS if spec.space is None else spec.space), *(spec.baseline or {})}
    tuned_text(config, dict.fromkeys(knobs, -1), engine=spec.engine.model_dump(), in_editor=not study.has_build)
    return study, config


def prepare(path: Path, overrides: Overrides) -> Prepared:
    """Everything a study needs, checked.

    Raises:
        InvalidInput: the study file, the trainer config or the space is wrong, or the learner refuses what follows.
        NotReady: the learner or the build is missing or broken.
    """
    study, config = load(path, overrides)
    subject, learner = subject_of(study, config)
    machine = describe_machine(learner.packages)
    cap, cap_note = memory_cap(study.spec.memory_cap, machine)
    space = build_space(study, config, machine.usable_cores, cap, "--num-areas" in learner.flags)
    with suppress(NotAsked):  # then the first trial shows what it says
        check_with_parser(subject, space, learner.path)
    return Prepared(
        subject=subject,
        learner=learner,
        machine=machine,
        space=space,
        cap_bytes=cap,
        budget=study.spec.budget,
        until=overrides.until,
        folder=StudyFolder(overrides.out or Path("reports") / study.spec.name),
        strategy=STRATEGIES[study.spec.sampler],
        cap_note=cap_note,
        tensorboard=overrides.tensorboard,
    )


def subject_of(
    study: Study, config: TrainerConfig, probe: Callable[[Path], Learner] = probe_learner
) -> tuple[Subject, Learner]:
    """Who is to be measured, and the learner that answered.

    Raises:
        NotReady: the learner or the build is missing or broken.
    """
    build = find_build(study)
    learner = probe(locate_learner(study))
    env = told(build) if build else None
    launch = Launch(str(learner.path), command_name(study, learner.path), build, learner.flags, env)
    return Subject(study, config, launch, identity(build), learner.packages), learner


def memory_cap(asked: MemoryCap, machine: Machine) -> tuple[int, Finding | None]:
    """What was asked for, but never what the machine needs to stay on its feet."""
    cap, margin = asked.resolve(machine.available_memory_bytes), memory_margin(machine.memory_bytes)
    most = machine.available_memory_bytes - margin
    if cap <= most:
        return cap, None
    if most <= 0:
        available = format_bytes(machine.available_memory_bytes)
        raise NotReady(f"only {available} of this machine's memory are available", "end other programs first")
    return most, _cap_lowered(most, cap, machine.available_memory_bytes, margin)


def gpu_cap_bytes(study: Study, free_bytes: int | None) -> int | None:
    """The cap of GPU memory, of what is free; None where no GPU tells."""
    return None if free_bytes is None else study.spec.gpu_memory_cap.resolve(free_bytes)


def notes_on_gpu(study: Study, machine: Machine) -> tuple[Finding, ...]:
    """What to say of a cap on GPU memory that the study file states where there is no GPU to hold to it."""
    stated = study.source.has(("gpu_memory_cap",))
    return (Finding(FindingKind.GPU_CAP_WITHOUT_GPU),) if stated and not machine.gpus else ()


def _cap_lowered(cap: int, asked: int, available: int | None = None, kept_free: int | None = None) -> Finding:
    """In bytes; without what is available where it was lowered on the first run."""
    values = {"cap_bytes": cap, "asked_bytes": asked, "available_bytes": available, "kept_free_bytes": kept_free}
    return Finding(FindingKind.MEMORY_CAP_LOWERED, values)
