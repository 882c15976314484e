"""The two sides of a check: what each names, and what it takes from the other or from the study that is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sweeper.app.check.git import check_revision, forget_lost_worktrees, worktree
from sweeper.app.check.named import Named, both_named
from sweeper.app.check.today import Revision, start_of
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
from sweeper.session.learner import probe_learner

FOUND_IN = Path("reports")
_SIDES = "a build, a trainer config, a learner or a git revision"


@dataclass(frozen=True)
class Side:
    """One side, ready to be measured with `params`. `revision`: what it was made of, where it is one of git's."""

    name: str
    named: tuple[str, ...]
    subject: Subject
    params: Params
    revision: Revision | None = None
    from_today: tuple[str, ...] = ()

    @property
    def facts(self) -> SideFacts:
        """For the result."""
        config = self.subject.config.path.name
        command = self.subject.command(self.params, config)
        study, revision = self.subject.study, self.revision or Revision()
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
        InvalidInput, NotComparable: as `sides` does.
    """
    before, after = both_named(baseline, candidate)
    ground = _ground(before, after, option=option)
    if needs_both and not candidate:
        raise NotComparable("there is no candidate: nothing would be compared", f"name {_SIDES} with --candidate")
    if needs_both and not baseline and not _names_a_part(after):
        what = "the candidate is the study itself, and there is no baseline"
        raise NotComparable(what, f"name {_SIDES}: sweeper check --help")
    for own in (before, after):
        study = read_study(own.study or ground.study)
        if own.rev is not None:
            check_revision(own.rev, study.path.absolute().parent)
        else:
            read_trainer_config(own.config or study.resolve(study.spec.trainer_config))
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


def _side(name: str, own: Named, as_written: bool, ground: Ground, stack: ExitStack, probe: Any) -> Side:
    """`as_written`: whether trainer configs are measured as they are, because a side names one."""
    named_ground = _of_folder(own.folder) if own.folder else Ground(own.study) if own.study else ground
    path, elsewhere, revision = named_ground.study, None, None
    if own.rev is not None:
        place, top = stack.enter_context(worktree(own.rev, path.absolute().parent))
        revision = Revision(own.rev, place.resolve(), top.resolve())
        elsewhere = path
        path = place / path.resolve().relative_to(top.resolve())
        if not path.is_file():
            raise NotComparable(
                f"{own.rev} has no {path.relative_to(place)}", "name a revision that has the study file"
            )
    study = read_study(path)
    if revision is not None and own.config is None:
        revision.check_config(study)
    changes: dict[str, Any] = {}
    if elsewhere is not None:
        changes.update(_left_at_home(study, elsewhere))
    if own.config is not None:
        changes["trainer_config"] = str(own.config)
    if own.build is not None:
        changes["env_path"] = own.build
    if own.learner is not None:
        changes["learner"] = str(own.learner)
    study = replace(study, spec=study.spec.model_copy(update=changes))
    config_path = study.resolve(study.spec.trainer_config)
    config = read_trainer_config(config_path)
    study = with_what_it_names(
        study, replace(config, path=_at_home(study, elsewhere).resolve(study.spec.trainer_config))
    )
    subject, learner = subject_of(study, config, probe)
    settings = {**settings_today(study, config, "--num-areas" in learner.flags), **(named_ground.best or {})}
    if as_written:
        # Two trainer configs are compared as they are: what a study chose for one would hide how they differ.
        settings = {knob: value if knob in LAUNCH_KNOBS else config.value(knob) for knob, value in settings.items()}
    today = revision.from_today(own, subject, config_path) if revision is not None else ()
    return Side(name, own.words or ("the study's own",), subject, settings, revision, today)


def _at_home(study: Study, elsewhere: Path | None) -> Study:
    """A revision's study as if it lay where the study of today does, `elsewhere`; any other as it is."""
    return study if elsewhere is None else replace(study, source=replace(study.source, path=elsewhere))


def _left_at_home(study: Study, elsewhere: Path) -> dict[str, str]:
    """Paths of a revision's study that git does not hold, such as builds: they are taken from where the study lies."""
    home, found = _at_home(study, elsewhere), {}
    for key in ("env_path", "learner", "initialize_from"):
        written = getattr(study.spec, key)
        is_path = {"env_path": not study.uses_demo_build, "learner": "/" in (written or "")}.get(key, True)
        if written and is_path and not study.resolve(written).exists():
            found[key] = str(home.resolve(written))
    return found


def check_sides(one: SideFacts, other: SideFacts, same: bool = False) -> None:
    """That a comparison of these two would tell something. `same`: they are meant to be one thing.

    Raises:
        InvalidInput: they are meant to be one thing and are not.
        NotComparable: nothing that is known of them differs, or their steps are of other behaviours.
    """
    counts = [len(side.fingerprint["behaviours"]) for side in (one, other)]
    if counts[0] != counts[1] and all(counts):
        names = [", ".join(side.fingerprint["behaviours"]) for side in (one, other)]
        raise NotComparable(
            f"the baseline's trainer config is of {short(names[0])}, the candidate's of {short(names[1])}: agent steps "
            "of other behaviours are other steps",
            "give both configs the same behaviours",
        )
    differing = differences(one, other)
    if same and differing:
        raise InvalidInput(f"--same: the sides differ in {', '.join(differing)}", "leave it out to compare them")
    if same or differing:
        return
    today = [f"of {' '.join(side.named)}, {' and '.join(side.from_today)}" for side in (one, other) if side.from_today]
    taken = f"; {'; '.join(today)} was taken from today, because git does not hold it" if today else ""
    raise NotComparable(
        f"nothing that is known of the two sides differs (build, trainer config, learner, settings){taken}",
        "name what differs, such as --baseline build:OLD beside the revision; to compare a thing with itself: --same",
    )


def differences(one: SideFacts, other: SideFacts) -> tuple[str, ...]:
    """Names of what differs between two sides."""
    keys = {**one.fingerprint, **other.fingerprint}
    found = [key for key in keys if one.fingerprint.get(key) != other.fingerprint.get(key)]
    if one.params != other.params:
        found.append("settings")
    return tuple(found)
