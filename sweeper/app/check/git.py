"""Git revisions as sides: a worktree of the project is made for the check and removed after it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.session.scratch import Scratch

SECONDS = 300.0


def is_revision(text: str, folder: Path | None = None) -> bool:
    """Whether git knows a commit by this name in `folder`, the current one where it is None."""
    if text.startswith("-"):
        return False
    return _git(folder or Path.cwd(), "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}") is not None


@contextmanager
def worktree(revision: str, inside: Path) -> Iterator[tuple[Path, Path]]:
    """The project that holds `inside` as it was at `revision`: the worktree, and what it was made of.

    Raises:
        NotReady: no git, no repository there, or no such revision.
    """
    top = _git(inside, "rev-parse", "--show-toplevel")
    if top is None:
        raise NotReady(f"{inside} is not in a git repository", "name a study file that is, beside the revision")
    if not is_revision(revision, inside):
        raise NotReady(
            f"git knows no revision '{revision}' in {top}", "fetch it first: CI often clones one commit only"
        )
    _git(inside, "worktree", "prune")  # of a check that was killed, whose folder is gone
    with Scratch() as folder:
        place = Path(folder) / "worktree"
        try:
            if _git(inside, "worktree", "add", "--detach", str(place), revision) is None:
                raise NotReady(f"git could not make a worktree of '{revision}'", f"try: git worktree add X {revision}")
            yield place, Path(top)
        finally:
            _git(inside, "worktree", "remove", "--force", str(place))
    _git(inside, "worktree", "prune")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it refuses, or is not there."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
