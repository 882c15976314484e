"""Folders as people have them, with trainer configs and builds; and whether a study about them is valid."""

from __future__ import annotations

import os
from pathlib import Path

from sweeper.app.prepare import Overrides
from sweeper.app.validate import describe
from tests.helpers.builders import PPO


def build(path: Path, age: float = 0.0) -> Path:
    """As Unity writes one on Linux."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    (path.parent / f"{path.stem}_Data").mkdir()
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def config(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PPO)
    return path


def is_valid(study: Path) -> bool:
    return bool(list(describe(study, Overrides())))
