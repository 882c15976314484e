"""A player that no smooth surface fits: the racer, with steps that cost more at some numbers of areas or environments.

`--jump N:F`: from N areas on a step costs F times as much. `--dip N-M:F`: where N to M players train together, it does.
The rest is the racer's.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from sweeper.racer import load
from sweeper.racer.__main__ import main
from sweeper.racer.options import Options


@dataclass(frozen=True)
class Costlier:
    """From `first` to `last`, both included, steps cost `factor` times as much."""

    first: int
    last: float
    factor: float

    @classmethod
    def parse(cls, text: str) -> Costlier:
        """Of `N:F` or `N-M:F`."""
        counts, factor = text.split(":")
        first, _, last = counts.partition("-")
        return cls(int(first), int(last) if last else float("inf"), float(factor))

    def at(self, count: int) -> float:
        return self.factor if self.first <= count <= self.last else 1.0


NEVER = Costlier(0, -1, 1.0)


class AwkwardLoad(load.Load):
    """`seconds_per_area` of the racer, times what the numbers of areas and of players make of it."""

    jump, dip = NEVER, NEVER

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._usual = self._seconds_per_area

    def finish_step(self, began: float, areas: int) -> None:
        self._seconds_per_area = self._usual * self.jump.at(areas) * self.dip.at(self._players)
        super().finish_step(began, areas)

    @cached_property
    def _players(self) -> int:
        """Of the same learner. At the first step all of them are there, for it waits until each was reset."""
        worker = psutil.Process().parent()
        learner = worker.parent() if worker else None
        below = learner.children(recursive=True) if learner else []
        return sum(Path(__file__).name in " ".join(process.cmdline()) for process in below)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--jump", type=Costlier.parse, default=NEVER)
    parser.add_argument("--dip", type=Costlier.parse, default=NEVER)
    ours, racers = parser.parse_known_args()
    AwkwardLoad.jump, AwkwardLoad.dip = ours.jump, ours.dip
    load.Load = AwkwardLoad  # type: ignore[misc]
    sys.exit(main(racers))
