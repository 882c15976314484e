"""Git revisions as sides: a worktree of the project is made for the check and removed after it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.outside import short
from sweeper.session.guardian import Guardian
from sweeper.session.identity import new_mark
from sweeper.session.scratch import PREFIX, Scratch

SECONDS = 300.0
WORKTREE = "worktree"
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
"""A worktree that nobody works in is none of the hooks' business; on Windows git reads this name likewise."""
ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Variables that say where a repository and its index are: git sets them for its hooks, and other folders are asked
for here (git rev-parse --local-env-vars)."""


def is_revision(text: str, folder: Path | None = None) -> bool:
    """Whether git knows a commit by this name in `folder`, the current one where it is None."""
    if text.startswith("-"):
        return False
    return _git(folder or Path.cwd(), "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}").is_ok


def check_revision(revision: str, inside: Path) -> Path:
    """That there is such a revision; the folder of the repository that holds `inside`.

    Raises:
        NotReady: no git, no repository there that git may read, or no such revision.
    """
    if shutil.which("git") is None:
        raise NotReady(
            "git is not on PATH, and a side is a revision", "install git, or name a build or a study instead"
        )
    top = _git(inside, "rev-parse", "--show-toplevel")
    if not top.is_ok:
        if "dubious ownership" in top.said:
            raise NotReady(
                f"git refuses the repository that holds {inside}: {_first_line(top.said)}",
                "let it: git config --global --add safe.directory FOLDER, as the user who runs the check",
            )
        if "not a git repository" in top.said:
            raise NotReady(f"{inside} is not in a git repository", "name a study file that is, beside the revision")
        raise NotReady(f"git cannot read {inside}: {_first_line(top.said)}", "mend it: git -C FOLDER status says more")
    if not is_revision(revision, inside):
        raise _no_revision(revision, inside, top.text)
    return Path(top.text)


def _no_revision(revision: str, inside: Path, top: str) -> NotReady:
    def is_there(name: str) -> bool:
        return not name.startswith("-") and _git(inside, "rev-parse", "--verify", "--quiet", name).is_ok

    if not is_there("HEAD"):
        return NotReady(f"{top} has no commit yet, so no revision '{revision}'", "commit first")
    if ".." in revision or is_there(revision):
        return NotReady(f"'{revision}' is no commit of {top}", "name one commit, branch or tag")
    return NotReady(f"git knows no revision '{revision}' in {top}", "fetch it first: CI often clones one commit only")


def forget_lost_worktrees(inside: Path) -> None:
    """Those of checks that were killed, whose folders are gone; nobody else's."""
    listed = _git(inside, "worktree", "list", "--porcelain")
    for line in listed.text.splitlines():
        place = Path(line.removeprefix("worktree "))
        is_ours = place.name == WORKTREE and place.parent.name.startswith(PREFIX)
        if line.startswith("worktree ") and is_ours and not place.exists():
            _git(inside, "worktree", "remove", "--force", str(place))


@contextmanager
def worktree(revision: str, inside: Path) -> Iterator[tuple[Path, Path]]:
    """The project that holds `inside` as it was at `revision`: the worktree, and what it was made of.

    Raises:
        NotReady: no git, no repository there, or no such revision.
    """
    top = check_revision(revision, inside)
    with _watched_folder() as folder:
        place = Path(folder) / WORKTREE
        try:
            made = _git(inside, *NO_HOOKS, "worktree", "add", "--detach", str(place), revision)
            if not made.is_ok:
                raise NotReady(
                    f"git could not make a worktree of '{revision}' in {top}: {_last_line(made.said)}",
                    f"git worktree add --detach FOLDER {revision}, by hand, says more",
                )
            yield place, top
        finally:
            _git(inside, "worktree", "remove", "--force", str(place))
    forget_lost_worktrees(inside)


@contextmanager
def _watched_folder() -> Iterator[str]:
    """A temporary folder that goes even if this process is killed."""
    mark = new_mark()
    with Guardian() as guardian:
        try:
            with Scratch(partial(guardian.watch, mark)) as folder:
                yield folder
        finally:
            guardian.forget(mark)


@dataclass(frozen=True)
class _Answer:
    """What git printed, and what it said of errors."""

    is_ok: bool
    text: str = ""
    said: str = ""


def _git(folder: Path, *arguments: str) -> _Answer:
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
            env={**{key: value for key, value in os.environ.items() if key not in ELSEWHERE}, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return _Answer(False, said=str(error))
    return _Answer(answer.returncode == 0, answer.stdout.strip(), answer.stderr.strip())


def _first_line(text: str) -> str:
    return short(next(iter(text.splitlines()), "it does not say why"))


def _last_line(text: str) -> str:
    return short(next(iter(reversed(text.splitlines())), "it does not say why"))
