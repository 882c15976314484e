"""A git revision as a side: which of its parts git holds, and which are taken from today."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.app.check.git import worktree
from sweeper.app.check.named import Named
from sweeper.errors import NotComparable
from sweeper.inputs.study_file import Study
from sweeper.plan.subject import Subject

TRAINED = "*.pt"


@dataclass(frozen=True)
class Revision:
    """A worktree `tree` of the project in `top`, both resolved; nothing of it for a side of today.

    `study`: where the study file lies today.
    """

    name: str = ""
    tree: Path | None = None
    top: Path | None = None
    study: Path | None = None

    def holds(self, path: Path) -> bool:
        """Whether this is in the worktree, and no link out of it."""
        return self.tree is not None and path.resolve().is_relative_to(self.tree)

    def at_home(self, path: Path) -> Path:
        """Where a path of the worktree lies in the project; any other as it is."""
        if self.tree is None or self.top is None or not self.holds(path):
            return path
        return self.top / path.resolve().relative_to(self.tree)

    def in_tree(self, study: Path) -> Path:
        """The study file as it was then.

        Raises:
            NotComparable: there was none.
        """
        if self.tree is None or self.top is None:
            return study
        then = study.resolve().relative_to(self.top)
        if not (self.tree / then).is_file():
            raise NotComparable(f"{self.name} has no {then}", "name a revision that has the study file")
        return self.tree / then

    def of_today(self, study: Study) -> Study:
        """A study of then as if it lay where that of today does."""
        return study if self.study is None else replace(study, source=replace(study.source, path=self.study))

    def left_at_home(self, study: Study) -> dict[str, str]:
        """Paths of a study of then that git does not hold, such as builds: they are taken from where it lies today."""
        if self.study is None:
            return {}
        home, found = self.of_today(study), {}
        for key in ("env_path", "learner", "initialize_from"):
            written = getattr(study.spec, key)
            is_path = {"env_path": not study.uses_demo_build, "learner": "/" in (written or "")}.get(key, True)
            if written and is_path and not study.resolve(written).exists():
                found[key] = str(home.resolve(written))
        return found

    def program(self, learner: Path) -> str:
        """What tells one learner's program from another; worktrees that hold the same do not differ."""
        return f"{self.at_home(learner.resolve())} {_digest([learner])}"

    def check_config(self, study: Study) -> None:
        """That git holds the trainer config, which is what a revision is about.

        Raises:
            NotComparable: it does not.
        """
        if self.tree is None:
            return
        path = study.resolve(study.spec.trainer_config)
        if not path.exists():
            raise NotComparable(
                f"{self.name} has no {study.spec.trainer_config}, which its {study.path.name} names as trainer_config",
                "have git hold it, or name one beside the revision: config:PATH",
            )

    def from_today(self, own: Named, subject: Subject) -> tuple[str, ...]:
        """Parts that the side does not name and git does not hold, for people."""
        if self.tree is None:
            return ()
        study, build, config = subject.study, subject.launch.build, subject.config.path
        found = []
        if own.build is None and build is not None and not study.uses_demo_build and not self.holds(build):
            found.append(f"the build {build.name}")
        if own.config is None and not self.holds(config):
            found.append(f"the trainer config {config.name}")
        if own.learner is None and "/" in study.spec.learner and not self.holds(Path(subject.launch.learner)):
            found.append(f"the learner {Path(study.spec.learner).name}")
        start = study.spec.initialize_from
        if start is not None and not self.holds(study.resolve(start)):
            found.append(f"the trained run {Path(start).name}")
        return tuple(found)


TODAY = Revision()


@contextmanager
def revision_of(name: str, study: Path) -> Iterator[Revision]:
    """A revision of the project that holds this study file, for as long as the context lasts.

    Raises:
        NotReady: no git, no repository there, or no such revision.
    """
    with worktree(name, study.absolute().parent) as (tree, top):
        yield Revision(name, tree.resolve(), top.resolve(), study)


def start_of(study: Study, revision: Revision) -> str | None:
    """The trained run that training starts from, by its place and content."""
    if study.spec.initialize_from is None:
        return None
    path = study.resolve(study.spec.initialize_from)
    return f"{revision.at_home(path)} {_digest(sorted(path.rglob(TRAINED)))}"


def _digest(files: list[Path]) -> str:
    found = hashlib.blake2b(digest_size=8)
    for path in files:
        try:
            found.update(path.read_bytes())
        except OSError:
            found.update(str(path).encode())
    return found.hexdigest()
