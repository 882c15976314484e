"""A result on its way to the storage: kept beside the trial's logs until it is there, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeper.model.study import to_json, trial_from_json
from sweeper.model.trial import TrialResult

MAX_BYTES = 16 * 1024**2


def keep(path: Path, result: TrialResult, constraints: Mapping[str, float]) -> None:
    """Write it, or not at all; where even that is not possible, the storage is tried all the same."""
    half = path.with_suffix(".half")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with half.open("w", encoding="utf-8") as file:
            json.dump({"result": to_json(result), "constraints": dict(constraints)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)


def kept(path: Path, number: int) -> tuple[TrialResult, dict[str, float]] | None:
    """What was kept for trial `number`; None where there is nothing that can be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        result = trial_from_json(json.dumps(data["result"]))
        constraints = {str(name): float(value) for name, value in data["constraints"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return (result, constraints) if result.number == number else None


def forget(path: Path) -> None:
    """It is stored now."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
