"""What runs inside the learner's Python. Its files import nothing of ours; `inside/` is put on the learner's path."""

from __future__ import annotations

import os
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
"""A folder that holds the probe, its entry point and what forks learners: it is prepended to PYTHONPATH."""


def for_python() -> dict[str, str]:
    """What a learner's Python must find in its environment when it starts."""
    path = os.pathsep.join(filter(None, (str(INSIDE), os.environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
