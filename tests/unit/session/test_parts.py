"""Which process of a tree is which, on a tree of real processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from sweeper.model.load import Part
from sweeper.session.parts import Parts

DEPTHS = 3
NEST = (
    "import subprocess, sys, time\n"
    "left = int(sys.argv[1])\n"
    "if left: subprocess.Popen([sys.executable, '-c', sys.argv[2], str(left - 1), sys.argv[2]])\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def chain() -> Iterator[list[psutil.Process]]:
    """A script, the learner that it starts, a worker of that and a player of the worker."""
    root = psutil.Popen([sys.executable, "-c", NEST, str(DEPTHS), NEST])
    deadline = time.monotonic() + 30
    while len(found := [root, *root.children(recursive=True)]) <= DEPTHS and time.monotonic() < deadline:
        time.sleep(0.02)
    yield found
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=10)


def test_a_script_the_learner_a_worker_and_a_player(chain: list[psutil.Process]) -> None:
    script, learner, worker, player = chain
    found = Parts().of(chain, learner.pid)
    assert found == {script: Part.LEARNER, learner: Part.LEARNER, worker: Part.WORKERS, player: Part.PLAYERS}


def test_a_player_stays_one_when_its_worker_is_gone(chain: list[psutil.Process]) -> None:
    _, learner, worker, player = chain
    parts = Parts()
    parts.of(chain, learner.pid)
    worker.kill()
    deadline = time.monotonic() + 10
    while player.ppid() == worker.pid and time.monotonic() < deadline:
        time.sleep(0.02)
    assert player.ppid() != worker.pid
    assert parts.of([player], learner.pid)[player] is Part.PLAYERS


def test_while_nobody_says_which_is_the_learner(chain: list[psutil.Process]) -> None:
    assert Parts().of(chain, None) == {}


def test_each_part_at_its_own_highest(chain: list[psutil.Process]) -> None:
    """Another training that begins to share the learner's pages leaves it lower than before there were players."""
    _, learner, worker, player = chain
    parts = Parts()
    parts.of(chain, learner.pid)
    parts.weigh({learner: 600})
    parts.weigh({learner: 300, worker: 50, player: 70})
    parts.weigh({learner: 310, player: 60})
    assert parts.most_bytes == {Part.LEARNER: 600, Part.WORKERS: 50, Part.PLAYERS: 70}
