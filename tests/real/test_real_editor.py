"""A study in the Unity Editor from end to end: real mlagents-learn, and the racer as the Editor's stand-in."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import psutil
import pytest

from sweeper.session.ports import EDITOR_PORT
from tests.real.test_real_learner import QUICK, environment, real

pytestmark = [pytest.mark.real_learner, pytest.mark.alone]  # there is one Editor's port
PLAYER = [sys.executable, "-m", "sweeper.racer", "--step-ms=0.2"]


class Editor:
    """Does what the Editor script does: plays when a learner listens; `plays` times, and then it is away."""

    def __init__(self, plays):
        self.plays = plays
        self.left = threading.Event()
        self.player = None
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.left.set()
        if self.player is not None:
            self.player.kill()
        self.thread.join()

    def look(self):
        while self.plays and not self.left.is_set():
            if self.learner_listens():
                self.player = subprocess.Popen(PLAYER, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.player.wait()
                self.plays -= 1
            time.sleep(0.2)

    @staticmethod
    def learner_listens():
        found = psutil.net_connections("tcp")
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == EDITOR_PORT for one in found)


def test_unattended_with_one_absence(workshop):
    real(
        workshop,
        env_path=None,
        baseline={"num_areas": 4},
        space={"num_areas": [2, 4], "batch_size": [32, 64]},
        budget={"time": "10m", "trials": 3},
        measure={**QUICK, "max_seconds": 2, "max_play_wait_seconds": 12},
    )
    workshop.config(batch_size=64, buffer_size=256)
    with Editor(plays=1):
        away = workshop.sweeper("run", "study.yaml", env=environment(workshop))
    assert away.returncode == 3, away.stderr
    assert "nobody pressed Play in the Unity Editor" in away.stderr
    assert "then go on where it stopped: sweeper run study.yaml" in away.stderr
    assert "Press Play in the Unity Editor: the learner listens on port 5004, for " in away.stderr
    paused = workshop.results()["trials"]
    assert [trial["outcome"] for trial in paused] == ["ok", "interrupted"]
    assert workshop.leftovers() == []

    with Editor(plays=9):
        back = workshop.sweeper("run", "study.yaml", env=environment(workshop))
    assert back.returncode == 0, back.stderr
    results = workshop.results()
    assert results["trials"][:2] == paused
    assert {trial["outcome"] for trial in results["trials"][2:]} == {"ok"}
    assert {trial["params"]["num_envs"] for trial in results["trials"]} == {1}
    missed, again = (results["trials"][number]["params"] for number in (1, 2))
    assert again == missed
    assert results["best"] is not None
    assert workshop.leftovers() == []
