"""The process that ends what we leave behind. Its trials are small real processes with a mark of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from sweeper.session import guardian as guardian_module
from sweeper.session.guardian import MARK, Guardian, guard, kill_marked, marked

SECONDS = 10.0
"""Longer than anything here takes."""
WAITS = "import sys; print('up', flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {WAITS!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a process with this mark that waits for ever, and has told that it is up."""
    started: list[subprocess.Popen[bytes]] = []

    def starter(mark: str | None, code: str = WAITS) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, **({MARK: mark} if mark else {})},
        )
        started.append(process)
        return process

    yield starter
    for process in started:
        process.kill()
        process.communicate(timeout=SECONDS)


def up(process: subprocess.Popen[bytes]) -> str:
    """What it told."""
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Waits for its end; by itself it never does. Where psutil waited for it too, its code is lost."""
    return process.wait(SECONDS) in (0, 1 if sys.platform == "win32" else -signal.SIGKILL)


def gone(pid: int) -> bool:
    """Whether no such process lives, a zombie aside; waits for that."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
    return False


@pytest.fixture
def mark() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    (folder / "within").mkdir(parents=True)
    (folder / "within" / "file").write_text("x")
    return folder


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """`guard` within our own process leaves our signals alone."""
    monkeypatch.setattr(guardian_module.signal, "signal", lambda *_: None)


class TestMarked:
    def test_only_those_with_this_mark(self, start: Any, mark: str) -> None:
        ours, other, none = start(mark), start(mark + "x"), start(None)
        assert [up(process) for process in (ours, other, none)] == ["up"] * 3
        assert [process.pid for process in marked(mark)] == [ours.pid]
        kill_marked(mark)
        assert ended(ours)
        assert marked(mark) == []
        assert other.poll() is None and none.poll() is None

    def test_a_dead_child_is_not_alive(self, start: Any, mark: str) -> None:
        ours = start(mark)
        assert up(ours) == "up"
        psutil.Process(ours.pid).kill()
        # Not reaped: a zombie until `wait`.
        assert gone(ours.pid)
        assert marked(mark) == []

    def test_children_inherit_it(self, start: Any, mark: str) -> None:
        parent = start(mark, PARENT)
        child = int(up(parent))
        assert {process.pid for process in marked(mark)} == {parent.pid, child}
        kill_marked(mark)
        assert ended(parent)
        assert gone(child)

    def test_children_that_dropped_it_are_ended_too(self, start: Any, mark: str) -> None:
        parent = start(mark, PARENT.replace("stdout=subprocess.PIPE", "stdout=subprocess.PIPE, env={}"))
        child = int(up(parent))
        assert [process.pid for process in marked(mark)] == [parent.pid]
        kill_marked(mark)
        assert ended(parent)
        assert gone(child)

    def test_it_gives_up_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        killed, times = [], iter(range(0, 1000, 3))
        stubborn = SimpleNamespace(kill=lambda: killed.append(1), children=lambda recursive: [])
        monkeypatch.setattr(guardian_module, "marked", lambda mark: [stubborn])
        monkeypatch.setattr(guardian_module.psutil, "wait_procs", lambda found, timeout: None)
        monkeypatch.setattr(guardian_module.time, "monotonic", lambda: float(next(times)))
        kill_marked("any")
        assert len(killed) == 3  # at 3, 6 and 9 of 10 s

    def test_one_that_may_not_be_killed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise psutil.AccessDenied(1)

        answers = iter([[SimpleNamespace(kill=refuse, children=lambda recursive: [])], []])
        monkeypatch.setattr(guardian_module, "marked", lambda mark: next(answers))
        monkeypatch.setattr(guardian_module.psutil, "wait_procs", lambda found, timeout: None)
        kill_marked("any")
        assert next(answers, None) is None


@pytest.mark.usefixtures("deaf")
class TestGuard:
    def test_what_was_not_forgotten_is_ended(self, start: Any, mark: str, scratch: Path) -> None:
        ours = start(mark)
        assert up(ours) == "up"
        guard(BytesIO(f"+{mark} {scratch}\n".encode()))
        assert ended(ours)
        assert not scratch.exists()

    def test_what_was_forgotten_is_left_alone(self, start: Any, mark: str, scratch: Path) -> None:
        ours = start(mark)
        assert up(ours) == "up"
        guard(BytesIO(f"+{mark} {scratch}\n-{mark}\n".encode()))
        assert ours.poll() is None
        assert (scratch / "within" / "file").read_text() == "x"

    def test_several(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        killed: list[str] = []
        monkeypatch.setattr(guardian_module, "kill_marked", killed.append)
        folders = [tmp_path / name for name in ("a", "b", "ü c")]
        for folder in folders:
            folder.mkdir()
        words = "".join(f"+{number} {folder}\n" for number, folder in enumerate(folders))
        guard(BytesIO(f"{words}-1\n".encode()))
        assert killed == ["0", "2"]
        assert [folder.exists() for folder in folders] == [False, True, False]

    @pytest.mark.parametrize(
        "garbage", [b"", b"\n\n", b"-\n", b"-unknown\n", b"unknown\n", b"+torn", b"+m\n", b"+ \n", b" \t \n", b"\x00\n"]
    )
    def test_garbage(
        self, garbage: bytes, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, mark: str
    ) -> None:
        killed: list[str] = []
        monkeypatch.setattr(guardian_module, "kill_marked", killed.append)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "keep").write_text("x")
        guard(BytesIO(f"+{mark} {scratch}\n".encode() + garbage))
        assert killed[0] == mark
        assert not scratch.exists()
        assert (tmp_path / "keep").exists()

    def test_a_folder_that_is_gone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guardian_module, "kill_marked", lambda mark: None)
        guard(BytesIO(f"+m {tmp_path / 'nothing'}\n".encode()))


class TestGuardian:
    @pytest.fixture
    def guardian(self) -> Iterator[Guardian]:
        with Guardian() as found:
            yield found

    @staticmethod
    def process_of(guardian: Guardian) -> subprocess.Popen[bytes]:
        assert guardian._process is not None
        return guardian._process

    def close(self, guardian: Guardian) -> None:
        """What the system does to the pipe when we are killed."""
        process = self.process_of(guardian)
        assert process.stdin is not None
        process.stdin.close()

    def test_when_the_pipe_closes_it_ends_what_is_left(
        self, guardian: Guardian, start: Any, mark: str, scratch: Path
    ) -> None:
        ours = start(mark)
        assert up(ours) == "up"
        guardian.watch(mark, str(scratch))
        assert ours.poll() is None
        self.close(guardian)
        assert ended(ours)
        assert self.process_of(guardian).wait(SECONDS) == 0
        assert not scratch.exists()

    @posix
    def test_also_while_it_is_suspended(self, guardian: Guardian, start: Any, mark: str, scratch: Path) -> None:
        parent = start(mark, PARENT)
        child = int(up(parent))
        for pid in (parent.pid, child):
            os.kill(pid, signal.SIGSTOP)
        guardian.watch(mark, str(scratch))
        self.close(guardian)
        assert ended(parent)
        assert gone(child)
        assert self.process_of(guardian).wait(SECONDS) == 0
        assert not scratch.exists()

    def test_what_was_forgotten_is_left_alone(self, start: Any, mark: str, scratch: Path) -> None:
        ours = start(mark)
        assert up(ours) == "up"
        with Guardian() as guardian:
            guardian.watch(mark, str(scratch))
            guardian.forget(mark)
        assert self.process_of(guardian).returncode == 0
        assert ours.poll() is None
        assert scratch.exists()

    @posix
    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
    def test_signals_that_end_us_do_not_end_it(
        self, name: str, guardian: Guardian, start: Any, mark: str, scratch: Path
    ) -> None:
        ours = start(mark)
        assert up(ours) == "up"
        guardian.watch(mark, str(scratch))
        process = psutil.Process(self.process_of(guardian).pid)
        deadline = time.monotonic() + SECONDS
        while not _ignores(process.pid, getattr(signal, name)):  # it has only just been started
            assert time.monotonic() < deadline
        process.send_signal(getattr(signal, name))
        self.close(guardian)
        assert ended(ours)
        assert self.process_of(guardian).returncode in (None, 0)

    def test_it_is_in_a_group_of_its_own(self, guardian: Guardian) -> None:
        """A Ctrl-C in the terminal goes to our group."""
        if sys.platform != "win32":
            assert os.getpgid(self.process_of(guardian).pid) != os.getpgid(0)

    def test_it_may_have_died(self, guardian: Guardian) -> None:
        self.process_of(guardian).kill()
        self.process_of(guardian).wait(SECONDS)
        guardian.watch("m", "/nowhere")
        guardian.forget("m")

    def test_where_it_cannot_be_started(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError("no more processes")

        monkeypatch.setattr(guardian_module.subprocess, "Popen", refuse)
        with Guardian() as guardian:
            guardian.watch("m", "/nowhere")
            guardian.forget("m")


def _ignores(pid: int, number: int) -> bool:
    """Whether this signal is ignored there; true where that cannot be seen."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return True
    mask = next(line for line in status.read_text().splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)
