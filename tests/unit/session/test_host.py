"""The lock of the machine: held by one, named to the other, free after any end."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeper.errors import NotReady
from sweeper.session import host
from sweeper.session.host import exclusive, host_lock
from sweeper.session.identity import start_seconds

if sys.platform == "win32":
    pytest.skip("forks, and POSIX users", allow_module_level=True)
NOBODY = 65534


class Holder:
    """Another process that holds a lock. Forked, so that another user needs nothing that only we may read."""

    def __init__(self, lock: Path, user: int | None = None) -> None:
        self._theirs, self._ours = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=self._hold, args=(lock, user))
        self.process.start()
        assert self._ours.poll(20) and self._ours.recv() == "held"

    def _hold(self, lock: Path, user: int | None) -> None:
        if user is not None:
            os.setuid(user)
        with exclusive(lock, "this machine", "wait"):
            self._theirs.send("held")
            time.sleep(300)

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self._theirs.close()
        self._ours.close()


@pytest.fixture
def holder() -> Iterator[Callable[..., Holder]]:
    held: list[Holder] = []

    def start(lock: Path, user: int | None = None) -> Holder:
        held.append(Holder(lock, user))
        return held[-1]

    yield start
    for one in held:
        one.end()


def refused(lock: Path, words: str, *how: Any) -> NotReady:
    with pytest.raises(NotReady, match=words) as error, exclusive(lock, "this machine", "wait", *how):
        pass
    return error.value


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "POLL_SECONDS", 0.02)


def test_who_holds_it_is_named(tmp_path: Path, holder: Callable[..., Holder]) -> None:
    pid = holder(tmp_path / "lock").pid
    refused(tmp_path / "lock", rf"in use by another sweeper \(process {pid} of .+, since ")


def test_a_killed_holder_frees_it(tmp_path: Path, holder: Callable[..., Holder]) -> None:
    holder(tmp_path / "lock").process.kill()
    with exclusive(tmp_path / "lock", "this machine", "wait", 10.0):
        assert (tmp_path / "lock.pid").read_text().split()[0] == str(os.getpid())
    assert not (tmp_path / "lock.pid").exists()


@pytest.mark.parametrize("signed", ["", "nonsense", "1 12345", "999999999 1"])
def test_a_signature_of_nobody_names_nobody(tmp_path: Path, holder: Callable[..., Holder], signed: str) -> None:
    """Left by a kill; its number may have become another process."""
    holder(tmp_path / "lock")
    (tmp_path / "lock.pid").write_text(signed)
    refused(tmp_path / "lock", r"in use by another sweeper$")


def test_a_number_of_another_place_names_nobody_here(tmp_path: Path, holder: Callable[..., Holder]) -> None:
    """Two containers count alike: the process that has this number and start here is another."""
    pid = holder(tmp_path / "lock").pid
    started = start_seconds(psutil.Process(pid))
    (tmp_path / "lock.pid").write_text(f"{pid} {started} 0123456789ab.4026531836")
    refused(tmp_path / "lock", "another sweeper in another container or on another machine$")


def test_waiting_is_told_once_and_ends_when_it_is_free(tmp_path: Path, holder: Callable[..., Holder]) -> None:
    other = holder(tmp_path / "lock")
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        threading.Timer(0.2, other.process.kill).start()

    with exclusive(tmp_path / "lock", "this machine", "wait", 30.0, tell):
        pass
    (text,) = told
    assert f"process {other.pid}" in text and "waiting up to 30 s" in text


def test_waiting_is_bounded_and_can_be_stopped(tmp_path: Path, holder: Callable[..., Holder]) -> None:
    holder(tmp_path / "lock")
    refused(tmp_path / "lock", "in use", 0.1)
    refused(tmp_path / "lock", "in use", 1e6, None, lambda: True)


def test_a_place_that_cannot_be_written_is_said_with_a_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "SWEEPER_HOST_LOCK" in str(refused(tmp_path / "file" / "lock", "cannot lock").hint)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be several users")
def test_users_share_it_in_a_sticky_folder(holder: Callable[..., Holder]) -> None:
    """As in /tmp: whoever made the file, the other is kept out while it is held, and only then."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the folders above must be open to others
        shared = Path(folder)
        shared.chmod(0o1777)
        lock = shared / "lock"
        other = holder(lock, user=NOBODY)
        assert psutil.Process(other.pid).uids().real == NOBODY
        refused(lock, f"process {other.pid} of nobody")
        other.process.kill()
        other.process.join()
        with exclusive(lock, "this machine", "wait"):
            pass
        holder(lock, user=NOBODY)  # the file is root's signature now


def test_its_place_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert host_lock({"TMPDIR": "/mine"}) == Path("/tmp/sweeper-host.lock")
    assert host_lock({"SWEEPER_HOST_LOCK": "/shared/lock"}) == Path("/shared/lock")
    monkeypatch.setattr(sys, "platform", "win32")
    assert host_lock({}).name == "sweeper-host.lock"
