"""What a learner finds when it starts: a folder of its own, its config, a log, and its environment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import IO

from sweeper.errors import cannot_write
from sweeper.learner import surroundings
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.guardian import MARK


def prepare(plan: TrialPlan) -> None:
    """Make the trial's folder, without what another session wrote there.

    Raises:
        NotReady: the disk is full, or may not be written.
    """
    with _disk_errors():
        plan.folder.root.mkdir(parents=True, exist_ok=True)
        plan.folder.samples.unlink(missing_ok=True)
        plan.folder.config.write_text(plan.config_text, encoding="utf-8")


@contextlib.contextmanager
def open_log(plan: TrialPlan) -> Iterator[IO[bytes]]:
    """Where the learner prints; raises as `prepare` does."""
    with _disk_errors():
        file = plan.folder.learner_log.open("wb")
    with file:
        yield file


def environment_of(plan: TrialPlan, mark: str, temporary: str) -> dict[str, str]:
    """The learner's environment: `mark` tells its processes, `temporary` is its folder for what it leaves behind."""
    return {
        **surroundings(),
        "SWEEPER_SAMPLES": str(plan.folder.samples),
        "SWEEPER_BATCH_SIZES": ",".join(str(size) for size in plan.batch_sizes),
        "SWEEPER_CONTROL": "stdin",
        MARK: mark,
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
    }


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(error.filename, error) from None
