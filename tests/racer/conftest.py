"""What the racer's tests share: the build itself, free ports, and a trainer that the test scripts."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_trainer import Trainer


@pytest.fixture(scope="session")
def racer() -> str:
    """Path of the installed build."""
    suffix = ".exe" if sys.platform == "win32" else ""
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        path = folder / f"sweeper-racer{suffix}"
        if path.is_file():
            return str(path)
    pytest.fail("sweeper-racer is not installed beside this Python")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def trainer() -> Iterator[Trainer]:
    trainer = Trainer()
    trainer.open()
    yield trainer
    trainer.close()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(racer: str) -> Iterator[Start]:
    """Start the build with some arguments; whatever still runs at the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def start_player(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [racer, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield start_player
    for process in processes:
        process.kill()
        process.communicate()
