"""The lock of the machine: held by one, named to the other, free after any end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from sweeper.errors import NotReady
from sweeper.session import host
from sweeper.session.host import exclusive, host_lock

HOLD = (
    "import sys, pathlib\n"
    "from sweeper.session.host import exclusive\n"
    "with exclusive(pathlib.Path(sys.argv[1]), 'this machine', 'wait'):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)
NOBODY = 65534


def holder(lock: Path, user: int | None = None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=user
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "POLL_SECONDS", 0.02)


def test_who_holds_it_is_named(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    try:
        with pytest.raises(NotReady, match=f"in use by another sweeper .process {process.pid} of .+, since "):
            with exclusive(tmp_path / "lock", "this machine", "wait"):
                pass
    finally:
        end(process)


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    end(holder(tmp_path / "lock"))
    with exclusive(tmp_path / "lock", "this machine", "wait"):
        assert (tmp_path / "lock.pid").read_text().split()[0] == str(os.getpid())
    assert not (tmp_path / "lock.pid").exists()


@pytest.mark.parametrize("signed", ["", "nonsense", f"{os.getpid()} 12345", "999999999 1"])
def test_a_signature_of_nobody_names_nobody(tmp_path: Path, signed: str) -> None:
    """Left by a kill; its number may have become another process."""
    process = holder(tmp_path / "lock")
    try:
        (tmp_path / "lock.pid").write_text(signed)
        with pytest.raises(NotReady, match="in use by another sweeper$"):
            with exclusive(tmp_path / "lock", "this machine", "wait"):
                pass
    finally:
        end(process)


def test_waiting_is_told_once_and_ends_when_it_is_free(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        threading.Timer(0.2, process.kill).start()

    with exclusive(tmp_path / "lock", "this machine", "wait", 30.0, tell):
        pass
    process.communicate()
    (text,) = told
    assert f"process {process.pid}" in text and "waiting up to 30 s" in text


def test_waiting_is_bounded_and_can_be_stopped(tmp_path: Path) -> None:
    process = holder(tmp_path / "lock")
    try:
        for seconds, stop in ((0.1, False), (1e6, True)):
            with pytest.raises(NotReady):
                with exclusive(tmp_path / "lock", "this machine", "wait", seconds, None, lambda stop=stop: stop):
                    pass
    finally:
        end(process)


def test_a_place_that_cannot_be_written_is_said_with_a_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotReady, match="cannot lock") as error:
        with exclusive(tmp_path / "file" / "lock", "this machine", "wait"):
            pass  # pragma: no cover
    assert "SWEEPER_HOST_LOCK" in str(error.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be several users")
def test_users_share_it_in_a_sticky_folder(tmp_path: Path) -> None:
    """As in /tmp: whoever made the file, the other is kept out while it is held, and only then."""
    shared = Path("/tmp") / f"sweeper-test-{os.getpid()}"  # the folders above must be open to others
    shared.mkdir()
    try:
        shared.chmod(0o1777)
        lock = shared / "lock"
        other = holder(lock, user=NOBODY)
        try:
            assert psutil.Process(other.pid).uids().real == NOBODY
            with pytest.raises(NotReady, match=f"process {other.pid} of nobody"):
                with exclusive(lock, "this machine", "wait"):
                    pass
        finally:
            end(other)
        with exclusive(lock, "this machine", "wait"):
            pass
        end(holder(lock, user=NOBODY))
    finally:
        for path in shared.iterdir():
            path.unlink()
        shared.rmdir()


def test_its_place_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert host_lock({"TMPDIR": "/mine"}) == Path("/tmp/sweeper-host.lock")
    assert host_lock({"SWEEPER_HOST_LOCK": "/shared/lock"}) == Path("/shared/lock")
    monkeypatch.setattr(sys, "platform", "win32")
    assert host_lock({}).name == "sweeper-host.lock"
