"""The two sides of a check: what each names, and what it takes from the other or from the study that is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sweeper.app.check.git import check_revision, forget_lost_worktrees
from sweeper.app.check.named import Named, both_named
from sweeper.app.check.today import TODAY, Revision, revision_of, start_of
from sweeper.app.named_by_config import with_what_it_names
from sweeper.app.outputs import read_results
from sweeper.app.prepare import subject_of
from sweeper.errors import InvalidInput, NotComparable
from sweeper.inputs.study_file import Study, read_study
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, read_trainer_config
from sweeper.model.folder import StudyFolder
from sweeper.model.gate import BASELINE, CANDIDATE, SideFacts
from sweeper.model.trial import Params
from sweeper.outside import short
from sweeper.plan.space import settings_today
from sweeper.plan.subject import Subject
from sweeper.session.build import find_build
from sweeper.session.learner import locate_learner, probe_learner

FOUND_IN = Path("reports")
_SIDES = "a build, a trainer config, a learner or a git revision"


@dataclass(frozen=True)
class Side:
    """One side, ready to be measured with `params`. `from_today`: parts that its revision does not hold."""

    name: str
    named: tuple[str, ...]
    subject: Subject
    params: Params
    revision: Revision = TODAY
    from_today: tuple[str, ...] = ()

    @property
    def facts(self) -> SideFacts:
        """For the result."""
        config = self.subject.config.path.name
        command = self.subject.command(self.params, config)
        study, revision = self.subject.study, self.revision
        known = {
            **self.subject.fingerprint(),
            "behaviours": [behavior.name for behavior in self.subject.config.behaviors if behavior.name],
            "initialize_from": start_of(study, revision),
            "learner program": revision.program(Path(self.subject.launch.learner)),
        }
        path = _from_here(revision.at_home(study.path))
        return SideFacts(self.name, self.named, self.params, command, known, self.from_today, path)


def _from_here(path: Path) -> str:
    """Relative to the current folder where it lies below: CI looks for it in the project."""
    whole, here = path.resolve(), Path.cwd().resolve()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


@dataclass(frozen=True)
class Ground:
    """The study that a check goes by. `best`: of its folder, the settings that it found; None of a study file."""

    study: Path
    best: Params | None = None


@contextmanager
def sides(baseline: Sequence[str], candidate: Sequence[str]) -> Iterator[tuple[Side, Side]]:
    """Baseline and candidate, for as long as the context lasts: worktrees are made for it.

    Raises:
        InvalidInput: a word means nothing, or no study is named or found.
        NotReady: a learner, a build or a revision is missing.
        NotComparable: nobody to compare with.
    """
    before, after = both_named(baseline, candidate)
    ground = _ground(before, after)
    after = _as_the_baseline(after, before)
    as_written = before.config is not None or after.config is not None
    probe = cache(probe_learner)
    forget_lost_worktrees(ground.study.absolute().parent)
    with ExitStack() as stack:
        found = [
            _side(name, own, as_written, ground, stack, probe) for name, own in ((BASELINE, before), (CANDIDATE, after))
        ]
        yield found[0], found[1]


def _as_the_baseline(after: Named, before: Named) -> Named:
    """The candidate with what it does not name as the baseline has it; one that names a study is what that says."""
    if after.study is not None or after.folder is not None:
        return after
    return replace(
        after,
        build=after.build or before.build,
        config=after.config or before.config,
        learner=after.learner or before.learner,
        rev=after.rev or before.rev,
    )


def look_at(baseline: Sequence[str], candidate: Sequence[str], needs_both: bool = False, option: str = BASELINE) -> str:
    """What is wrong with the words or their files is said at once, before anything is waited for or started.

    `needs_both`: whether there are to be two sides. `option`: with which a study that is missing can be named.

    Returns:
        The study's name.

    Raises:
        InvalidInput, NotReady, NotComparable: as `sides` does.
    """
    before, after = both_named(baseline, candidate)
    ground = _ground(before, after, option=option)
    if needs_both and not candidate:
        raise NotComparable("there is no candidate: nothing would be compared", f"name {_SIDES} with --candidate")
    if needs_both and not baseline and not _names_a_part(after):
        what = "the candidate is the study itself, and there is no baseline"
        raise NotComparable(what, f"name {_SIDES}: sweeper check --help")
    after = _as_the_baseline(after, before)
    for own in (before, after) if needs_both else (after,):
        start = _start(own, ground)
        if own.rev is not None:
            check_revision(own.rev, start.study.absolute().parent)
        else:
            study = _with_parts(read_study(start.study), own, TODAY)
            config = read_trainer_config(study.resolve(study.spec.trainer_config))
            find_build(with_what_it_names(study, config))
            locate_learner(study)
    return read_study(ground.study).spec.name


def one_side(words: Sequence[str]) -> Side:
    """The candidate alone, for a stored baseline. Raises as `sides` does."""
    after = named_alone(words)
    with ExitStack() as stack:
        return _side(CANDIDATE, after, after.config is not None, _ground(after), stack, probe_learner)


def named_alone(words: Sequence[str]) -> Named:
    """What the candidate's words mean where there is no other side.

    Raises:
        InvalidInput: one means nothing, or a revision.
    """
    after = both_named((), words)[1]
    if after.rev is not None:
        raise InvalidInput(
            "--candidate: a recorded baseline knows no revisions", "check the revision out, or name a build"
        )
    return after


def _names_a_part(own: Named) -> bool:
    return any(part is not None for part in (own.build, own.config, own.learner, own.rev))


def _ground(*who: Named, option: str = BASELINE) -> Ground:
    """Of what is named, the folder first, then the study file; else the one finished study in reach.

    `option`: with which one is to be named where that is not clear.
    """
    for own in who:
        if own.folder is not None:
            return _of_folder(own.folder)
    for own in who:
        if own.study is not None:
            return Ground(own.study)
    places = [Path(), *sorted(FOUND_IN.glob("*"))]
    found = [StudyFolder(place) for place in places if StudyFolder(place).results.is_file()]
    if len(found) == 1:
        return _of_folder(found[0])
    if found:
        names = ", ".join(str(folder.root) for folder in found[:5])
        raise InvalidInput(f"{len(found)} studies are here: {names}", f"name one with --{option}")
    what = "revisions are named, but no study" if any(own.rev for own in who) else "no study is named"
    raise InvalidInput(
        f"{what}, and no finished one is here",
        f"name a study file or folder too, which the rest is taken from: --{option} study.yaml",
    )


def _of_folder(folder: StudyFolder) -> Ground:
    result = read_results(folder)
    if result.best is None:
        raise NotComparable(f"{folder.root} has no answer yet", "finish it with `sweeper run`, or name its study file")
    if not result.study.file or not Path(result.study.file).is_file():
        raise InvalidInput(
            f"{folder.root}: its study file {short(str(result.study.file))} is not there any more",
            "name where it is now: a study file can be a side too",
        )
    return Ground(Path(result.study.file), result.best.params)


def _start(own: Named, ground: Ground) -> Ground:
    """The study that a side is made from: its own, or the one at hand."""
    return _of_folder(own.folder) if own.folder else Ground(own.study) if own.study else ground


def _side(name: str, own: Named, as_written: bool, ground: Ground, stack: ExitStack, probe: Any) -> Side:
    """`as_written`: whether trainer configs are measured as they are, because a side names one."""
    start = _start(own, ground)
    revision = TODAY if own.rev is None else stack.enter_context(revision_of(own.rev, start.study))
    study = read_study(revision.in_tree(start.study))
    if own.config is None:
        revision.check_config(study)
    study = _with_parts(study, own, revision)
    config = read_trainer_config(study.resolve(study.spec.trainer_config))
    at_home = replace(config, path=revision.of_today(study).resolve(study.spec.trainer_config))
    subject, learner = subject_of(with_what_it_names(study, at_home), config, probe)
    settings = {**settings_today(subject.study, config, "--num-areas" in learner.flags), **(start.best or {})}
    if as_written:
        # Two trainer configs are compared as they are: what a study chose for one would hide how they differ.
        settings = {knob: value if knob in LAUNCH_KNOBS else config.value(knob) for knob, value in settings.items()}
    return Side(name, own.words or ("the study's own",), subject, settings, revision, revision.from_today(own, subject))


def _with_parts(study: Study, own: Named, revision: Revision) -> Study:
    """The study with what the side names, and with what git does not hold from where it lies today."""
    parts: dict[str, Any] = dict(revision.left_at_home(study))
    if own.config is not None:
        parts["trainer_config"] = str(own.config)
    if own.build is not None:
        parts["env_path"] = own.build
    if own.learner is not None:
        parts["learner"] = str(own.learner)
    return replace(study, spec=study.spec.model_copy(update=parts))
