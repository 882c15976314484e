"""Learners that are forked from one process: each as if it had been started by itself."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeper.model.folder import TrialFolder
from sweeper.model.session import SessionEnd
from sweeper.session import warm
from sweeper.session.guardian import MARK, Guardian, marked
from sweeper.session.identity import owner
from sweeper.session.live import LiveSession
from sweeper.session.memory import MemoryMeter
from sweeper.session.warm import NotWarm, WarmLearner
from tests.helpers.builders import plan_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="learners are forked on Linux only")

GIB = 1024**3
TELL = """\
import importlib.util, json, os, random, sys, tempfile
print(json.dumps({
    "argv": sys.argv, "name": __name__, "path": sys.path[0], "mark": os.environ["SWEEPER_TRIAL"],
    "told": os.environ.get("ONLY_THIS"), "session": os.getsid(0) == os.getpid(), "torch": "torch" in sys.modules,
    "mlagents": any(name.startswith("mlagents") for name in sys.modules), "random": random.random(),
    "temporary": tempfile.gettempdir(), "probe": importlib.util.find_spec("sweeper_probe") is not None,
}))
sys.exit(7)
"""
STAY = """\
import signal, sys, time
try:
    print("here", flush=True)
    sys.stdin.read()
    print("let go", flush=True)
except KeyboardInterrupt:
    print("asked to stop", flush=True)
    sys.exit(3)
"""


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmLearner]:
    with Guardian() as guardian:
        found = WarmLearner(script(tmp_path_factory.mktemp("any"), ""), guardian, 8 * GIB)
        yield found
        found.close()
    assert not found.is_alive()


@pytest.fixture
def start(learner: WarmLearner, tmp_path: Path) -> Any:
    def started(text: str, *words: str, **environment: str) -> Any:
        mark = owner() + "f" * 32
        log = tmp_path / "learner.log"
        with log.open("wb") as file:
            own = {**os.environ, MARK: mark, "PYTHONUNBUFFERED": "1", **environment}
            found = learner(mark, [str(script(tmp_path, text)), *words], own, file)
        return found, log, mark

    return started


def script(folder: Path, text: str) -> Path:
    path = folder / "learn"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_it_runs_the_command_as_if_it_were_the_plain_one(start: Any, tmp_path: Path) -> None:
    found, log, mark = start(TELL, "config.yaml", "--seed=3", ONLY_THIS="yes", TMPDIR=str(tmp_path))
    wait_for(lambda: found.process.exit_status() is not None)
    told = json.loads(log.read_text())
    assert found.process.exit_status() == 7
    assert told["argv"] == [str(tmp_path / "learn"), "config.yaml", "--seed=3"]
    assert (told["name"], told["path"]) == ("__main__", str(tmp_path))
    assert (told["mark"], told["told"], told["temporary"]) == (mark, "yes", str(tmp_path))
    assert told["session"]
    assert told["torch"]
    assert told["probe"]
    assert not told["mlagents"]


def test_two_of_them_draw_other_numbers_and_keep_nothing_of_each_other(start: Any) -> None:
    drawn = []
    for extra in ({"ONLY_THIS": "yes"}, {}):
        found, log, _ = start(TELL, **extra)
        found.process.wait(20)
        drawn.append(json.loads(log.read_text()))
    assert drawn[0]["random"] != drawn[1]["random"]
    assert drawn[1]["told"] is None


def test_it_is_found_by_its_own_mark_and_no_other(start: Any) -> None:
    found, log, mark = start(STAY)
    wait_for(lambda: "here" in log.read_text())
    assert [process.pid for process in marked(mark)] == [found.process.pid]
    found.process.let_go()
    wait_for(lambda: found.process.exit_status() is not None)
    assert "let go" in log.read_text()


def test_it_can_be_asked_to_stop_and_be_killed(start: Any) -> None:
    found, log, _ = start(STAY)
    wait_for(lambda: "here" in log.read_text())
    found.process.ask_to_stop()
    found.process.wait(20)
    assert found.process.exit_status() == 3
    assert "asked to stop" in log.read_text()
    found.process.let_go()
    other, log, _ = start(STAY)
    wait_for(lambda: "here" in log.read_text())
    psutil.Process(other.process.pid).kill()
    other.process.wait(20)
    assert other.process.exit_status() == -signal.SIGKILL
    other.process.let_go()


def test_one_that_ends_at_once_is_a_session_that_ended(learner: WarmLearner, tmp_path: Path) -> None:
    """Nobody keeps it as a zombie, so its process may be gone before anybody has looked."""
    argv = (str(script(tmp_path, "raise SystemExit('no such option')")),)
    plan = replace(plan_of(), argv=argv, folder=TrialFolder(tmp_path / "0003"))
    with Guardian() as guardian, LiveSession(plan, guardian, 8 * GIB, learner) as session:
        wait_for(lambda: session.process.exit_status() is not None)
        assert session.is_warm
        assert session.processes() == []
        session.end(polite=False)
        record = session.record(SessionEnd.EXITED)
    assert (record.exit_code, record.log_tail[-1], record.left_behind) == (1, "no such option", ())


def test_its_memory_is_that_of_one_that_loaded_everything_itself(learner: WarmLearner, start: Any) -> None:
    """What it shares with the process that it was forked from counts as its own."""
    loaded = learner.lender.memory_full_info().pss
    found, log, _ = start(STAY)
    wait_for(lambda: "here" in log.read_text())
    process = psutil.Process(found.process.pid)
    alone, with_lender = MemoryMeter(8 * GIB), MemoryMeter(8 * GIB, lender=found.lender)
    alone.read([process])
    with_lender.read([process])
    assert with_lender.peak_bytes == pytest.approx(loaded, rel=0.1)
    assert alone.peak_bytes < 0.75 * loaded
    found.process.let_go()


def test_where_it_cannot_be_it_says_why(learner: WarmLearner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "learn"
    path.write_text("echo no Python\n")
    with Guardian() as guardian, pytest.raises(NotWarm, match="cannot be told"):
        WarmLearner(path, guardian, GIB)
    path.write_text("#!/bin/bash\n")  # runs it, and is no Python
    with Guardian() as guardian, pytest.raises(NotWarm, match="cannot be told"):
        WarmLearner(path, guardian, GIB)
    (tmp_path / "python").symlink_to("/bin/false")
    path.write_text(f"#!{tmp_path / 'python'}\n")
    with Guardian() as guardian, pytest.raises(NotWarm, match="it ended"):
        WarmLearner(path, guardian, GIB)
    path.write_text(f"#!{sys.executable}\n")
    with Guardian() as guardian, pytest.raises(NotWarm, match="asked to stop"):
        WarmLearner(path, guardian, GIB, stop_asked=lambda: True)
    monkeypatch.setattr(warm.sys, "platform", "win32")
    with Guardian() as guardian, pytest.raises(NotWarm, match="only Linux"):
        WarmLearner(path, guardian, GIB)
