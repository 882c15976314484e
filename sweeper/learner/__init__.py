"""What runs inside the learner's Python. Its files import nothing of ours; `inside/` is put on the learner's path."""

from __future__ import annotations

import os
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
"""A folder that holds the probe, its entry point and what forks learners: it is prepended to PYTHONPATH."""
WITHHELD = ("MPLBACKEND", "PYTHONINSPECT", "PYTHONWARNINGS")
"""Of our surroundings, what a learner never gets: a notebook's backend, which is not installed beside it, what keeps a
Python alive after its end, and what makes errors of warnings, which ML-Agents has."""


def surroundings() -> dict[str, str]:
    """The environment of a learner: ours, as its command would have it by hand, with what its Python must find."""
    path = os.pathsep.join(filter(None, (str(INSIDE), os.environ.get("PYTHONPATH"))))
    ours = {name: value for name, value in os.environ.items() if name not in WITHHELD}
    return {**ours, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
