"""Strategies compared on recorded trials: a search of each, many times, on every surface."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sweeper.app.outputs import read_results_file
from sweeper.errors import InvalidInput
from sweeper.inputs.yaml_text import did_you_mean
from sweeper.model.folder import StudyFolder
from sweeper.model.replay import Comparison, Course
from sweeper.search.replay.play import play
from sweeper.search.replay.rivals import ALL
from sweeper.search.replay.surface import NoSurface, Surface

USUAL = ("phase", "structured-gp", "tpe", "random", "grid", "autotune", "quick", "halving")
"""Strategies that are compared where none is named. Optuna's `gp` takes a second a session to think."""

Searched = Callable[[str, str, int], None]
"""Told after each search: the surface, the strategy, and how many are done."""


def read_surfaces(paths: Sequence[Path]) -> list[Surface]:
    """The surfaces in study folders or files like `results.json`.

    Raises:
        InvalidInput: one cannot be read, or holds too little to search.
    """
    found = []
    for path in paths:
        file = StudyFolder(path).results if path.is_dir() else path
        try:
            found.append(Surface.of(read_results_file(file)))
        except NoSurface as error:
            raise InvalidInput(f"{file}: cannot be replayed: {error}") from None
    return found


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The strategies to compare, each once.

    Raises:
        InvalidInput: one is not known.
    """
    for name in names:
        if name not in ALL:
            raise InvalidInput(f"--strategy: there is no '{name}'{did_you_mean(name, ALL)}", f"one of {', '.join(ALL)}")
    return tuple(dict.fromkeys(names)) or USUAL


def compared(
    surfaces: Sequence[Surface], names: Sequence[str], seeds: int, seconds: float, tell: Searched
) -> Iterator[Comparison]:
    """One comparison after another; searches of one surface run side by side, one on every core."""
    pool = ProcessPoolExecutor(os.cpu_count() or 1, initializer=_leave_interrupts_to_us)
    try:
        for surface in surfaces:
            asked = [
                (name, pool.submit(_course, surface, name, seed, seconds)) for name in names for seed in range(seeds)
            ]
            courses: dict[str, list[Course]] = {name: [] for name in names}
            for name, search in asked:
                courses[name].append(search.result())
                tell(surface.name, name, len(courses[name]))
            yield Comparison(surface.summary(), seconds, courses)
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_us() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _course(surface: Surface, name: str, seed: int, seconds: float) -> Course:
    return play(surface, ALL[name], seed, seconds)
