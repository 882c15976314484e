"""Strategies compared on recorded trials: a search of each, many times, on every surface."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, TimeoutError
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sweeper.app.outputs import read_results, read_results_file
from sweeper.app.stop import StopSignal
from sweeper.errors import InvalidInput
from sweeper.inputs.yaml_text import did_you_mean
from sweeper.machine import usable_cores
from sweeper.model.folder import StudyFolder
from sweeper.model.replay import Comparison, Course
from sweeper.search.replay.play import play
from sweeper.search.replay.rivals import ALL
from sweeper.search.replay.surface import NoSurface, Surface
from sweeper.search.strategies import STRATEGIES

USUAL = ("phase", "structured-gp", "tpe", "random", "grid", "autotune", "quick", "halving")
"""Strategies that are compared where none is named. Optuna's `gp` takes a second a session to think."""

MOST_WORKERS = 61
"""More the pool does not take on Windows."""
POLL_SECONDS = 0.2

Searched = Callable[[str, str, int], None]
"""Told after each search: the surface, the strategy, and how many are done."""


def read_surfaces(paths: Sequence[Path]) -> list[Surface]:
    """The surfaces in study folders or files like `results.json`.

    Raises:
        InvalidInput: one cannot be read, or holds too little to search.
    """
    found = []
    for path in paths:
        result = read_results(StudyFolder(path)) if path.is_dir() else read_results_file(path)
        try:
            found.append(Surface.of(result))
        except NoSurface as error:
            raise InvalidInput(f"{path}: cannot be replayed: {error}") from None
    names = [surface.name for surface in found]
    return [
        surface if names.count(surface.name) == 1 else replace(surface, name=f"{surface.name} ({path})")
        for surface, path in zip(found, paths)
    ]


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
    surfaces: Sequence[Surface], names: Sequence[str], seeds: int, seconds: float, tell: Searched, stop: StopSignal
) -> Iterator[Comparison]:
    """One comparison after another; searches of one surface run side by side, one on every core.

    Raises:
        Interrupted: `stop` asked for it; searches that were under way are over then.
    """
    pool = ProcessPoolExecutor(min(MOST_WORKERS, usable_cores()), initializer=_begin_worker)
    try:
        for surface in surfaces:
            asked = [
                (name, pool.submit(_course, surface, name, seed, seconds)) for name in names for seed in range(seeds)
            ]
            courses: dict[str, list[Course]] = {name: [] for name in names}
            for name, search in asked:
                courses[name].append(_result(search, stop))
                tell(surface.name, name, len(courses[name]))
            yield Comparison(surface.summary(), seconds, courses)
    finally:
        pool.shutdown(cancel_futures=True)


def _result(search: Future[Course], stop: StopSignal) -> Course:
    while True:
        stop.check()
        with suppress(TimeoutError):
            return search.result(POLL_SECONDS)


def _begin_worker() -> None:
    """Who started us hears of interrupts; and where that process is killed, nobody else ends this one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _course(surface: Surface, name: str, seed: int, seconds: float) -> Course:
    # Those of others know nothing of knobs that do nothing, and some would begin anew without one.
    return play(surface, ALL[name], seed, seconds, drops_inert=name in STRATEGIES)
