"""The log of a run: a line a record, in its study's folder, and nowhere else afterwards."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sweeper.app.run_log import logged_to

LOG = logging.getLogger("sweeper.app.test")


def test_a_record_is_a_line_whatever_is_in_it_and_the_log_ends_with_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    with pytest.raises(RuntimeError), logged_to(path):
        LOG.info("two\nlines of %s", "ü")
        raise RuntimeError
    LOG.error("said afterwards")
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert " INFO sweeper.app.test: two" in line
    assert line.endswith("lines of ü")
    with logged_to(path):
        LOG.info("a later run")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


def test_a_disk_that_is_full_breaks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    with logged_to(full):
        LOG.info("lost")
    assert capsys.readouterr().err == ""
