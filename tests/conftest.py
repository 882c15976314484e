"""What all tests share: the workshop, where a study of the scripted learner is set up in a moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sweeper.session.guardian import MARK
from sweeper.session.host import LOCK_VARIABLE

# Tests share their machine: what others burn is marked, and only the tests of that look at it.
MEASURE = {
    "precision": "10%",
    "min_seconds": 0.1,
    "max_seconds": 2,
    "max_startup_seconds": 20,
    "max_stall_seconds": 20,
    "contention": "mark",
}
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Under nohup what tests start would not be hung up by anything.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # As a shell's background job, what tests start ignores it.
STANDIN = Path(__file__).parent / "standin"
SCRIPTS = Path(sys.executable).parent


@dataclass
class Workshop:
    """A folder with a study file, a trainer config and a scripted build."""

    root: Path

    def scenario(self, **settings: Any) -> None:
        build = self.root / "build.x86_64"
        build.write_text("#!standin\n" + json.dumps(settings))
        build.chmod(0o755)

    def config(self, batch_size: int = 64, buffer_size: int = 256, **behavior: Any) -> None:
        entry = {
            "trainer_type": "ppo",
            "hyperparameters": {"batch_size": batch_size, "buffer_size": buffer_size},
            **behavior,
        }
        (self.root / "car.yaml").write_text(yaml.safe_dump({"behaviors": {"Car": entry}}))

    def study(self, **settings: Any) -> Path:
        defaults: dict[str, Any] = {
            "version": 1,
            "name": "shop",
            "trainer_config": "car.yaml",
            "env_path": "build.x86_64",
            "baseline": {"num_envs": 1, "num_areas": 1},
            "memory_cap": "2GiB",
            "budget": {"time": "60s", "trials": 3},
            "space": {"num_envs": [1, 2, 4], "num_areas": [1, 4]},
            "measure": MEASURE,
            "learner_start": "cold",  # the stand-in imports nothing that takes long, torch least of all
        }
        path = self.root / "study.yaml"
        path.write_text(yaml.safe_dump({**defaults, **settings}))
        return path

    @property
    def folder(self) -> Path:
        return self.root / "reports" / "shop"

    def results(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "results.json").read_text())
        return found

    def environment(self) -> dict[str, str]:
        (self.root / "tmp").mkdir(exist_ok=True)
        path = os.pathsep.join((str(STANDIN), str(SCRIPTS), os.environ["PATH"]))
        own = {"TMPDIR": str(self.root / "tmp"), LOCK_VARIABLE: str(self.root / "host.lock")}
        return {**os.environ, "PATH": path, **own}

    def start(self, *arguments: str, **popen: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sweeper", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=popen.pop("env", self.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            **popen,
        )

    def sweeper(self, *arguments: str, **popen: Any) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **popen)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def leftovers(self) -> list[psutil.Process]:
        """Living processes of any trial of this workshop, known by their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                environment = process.environ()
                is_ours = MARK in environment and environment.get("TMPDIR", "").startswith(str(self.root))
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def wait_for(self, condition: Any, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """A program that was asked to stop ignores signals from then on: run in our process, all that we start would."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    shop = Workshop(tmp_path)
    shop.scenario()
    shop.config()
    shop.study()
    yield shop
    for process in shop.leftovers():
        process.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """In CI a skipped real-learner test is a failure: the tool would be tested against a script only."""
    report = yield
    if report.skipped and item.get_closest_marker("real_learner") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a real-learner test must not be skipped in CI"
    return report
