"""Search strategies by name, as a study file and `--sampler` spell them."""

from __future__ import annotations

from collections.abc import Mapping

from sweeper.search import optunas
from sweeper.search.phase import search as phase
from sweeper.search.proposal import Strategy

DEFAULT = "phase"
STRATEGIES: Mapping[str, Strategy] = {
    "phase": Strategy(phase.propose, phase.expected, is_brief=True),
    "tpe": Strategy(optunas.tpe),
    "gp": Strategy(optunas.gp),
    "random": Strategy(optunas.random),
    "grid": Strategy(optunas.grid),
}
