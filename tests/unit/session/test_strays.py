"""Members of a trial whose parents are gone before anybody looked."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from sweeper.session.guardian import MARK, carries
from sweeper.session.tree import ProcessTree

RELAUNCH = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'input()'], stdin=0).pid, flush=True)"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX reparenting")
def test_a_player_that_relaunches_itself_is_still_ours() -> None:
    root = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, MARK: "stray-1"}
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", RELAUNCH],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, MARK: "stray-1"},
    )
    try:
        assert launcher.stdout is not None
        stray = int(launcher.stdout.readline())
        launcher.wait(10)
        tree = ProcessTree(root.pid, "stray-1")
        assert stray in [process.pid for process in tree.refresh()]
        assert os.getpid() not in [process.pid for process in tree.alive()]
        assert tree.kill() == []
        assert not psutil.pid_exists(stray) or psutil.Process(stray).status() == psutil.STATUS_ZOMBIE
    finally:
        for process in (root, launcher):
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            process.wait()


def test_somebody_elses_mark_is_not_ours() -> None:
    assert not carries(psutil.Process(), "stray-2")
