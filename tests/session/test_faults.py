"""The short form of `make bench NAME=faults`: each fault once, moments in turn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.injection import FAULTS, MOMENTS, inject

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.mark.parametrize(
    ("fault", "moment"), [(fault, MOMENTS[index % len(MOMENTS)]) for index, fault in enumerate(FAULTS)]
)
def test_nothing_is_lost_and_nothing_left_behind(fault: str, moment: str, tmp_path: Path) -> None:
    found = inject(fault, moment, 1, tmp_path)
    assert found.is_clean, found
