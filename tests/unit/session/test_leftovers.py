"""What a killed tool left is found by its owner's identity, and nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sweeper.errors import NotReady
from sweeper.session.guardian import MARK
from sweeper.session.identity import NOWHERE, check_processes, is_alive, is_ownerless, owner, place, start_seconds
from sweeper.session.leftovers import clean_up
from sweeper.session.scratch import LOCK, PREFIX, Scratch, is_held

GONE = f"{place()}-{2**22 - 3}-1000000000-"
"""No process has this id: above the largest that Linux gives."""


@pytest.fixture
def sleeper():
    started = []

    def start(mark: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "import time; time.sleep(300)"]
        started.append(subprocess.Popen(command, env={**os.environ, MARK: mark, **environment}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_the_owner_is_this_process() -> None:
    where, pid, started, rest = owner().split("-")
    assert (where, int(pid), rest) == (place(), os.getpid(), "")
    assert abs(int(started) + psutil.boot_time() - psutil.Process().create_time()) <= 1 or sys.platform != "linux"


def test_orphans_are_ended_and_others_left_alone(sleeper, tmp_path: Path) -> None:
    orphan, ours, foreign = sleeper(GONE + "abc"), sleeper(owner() + "abc"), sleeper("somebody's own mark")
    reused = sleeper(f"{place()}-{os.getpid()}-1000000000-abc")  # our process id, but another start: its owner is gone
    found = clean_up(tmp_path)
    assert {orphan.pid, reused.pid} <= set(found.pids)
    assert not {orphan.pid, reused.pid} & {process.pid for process in psutil.Process().children()}
    assert ours.poll() is None and foreign.poll() is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        f"{2**22 - 3}-1000000000-",  # of an earlier version, which named no place
        f"{place()}1-{2**22 - 3}-1000000000-",  # a container's namespace
        f"0{place()}-{2**22 - 3}-1000000000-",  # another machine, or an earlier boot
    ],
)
def test_what_was_started_elsewhere_is_nobodys_to_judge(sleeper, tmp_path: Path, elsewhere: str) -> None:
    """The process id says nothing here: its owner may well live."""
    other = sleeper(elsewhere + "abc")
    (tmp_path / (PREFIX + elsewhere + "x")).mkdir()
    assert not clean_up(tmp_path)
    assert other.poll() is None


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs namespaces, which root may make")
def test_a_container_is_another_place() -> None:
    code = "from sweeper.session.identity import place; print(place())"
    unshared = ["unshare", "-pf", "--mount-proc", sys.executable, "-c", code]
    done = subprocess.run(unshared, capture_output=True, text=True, timeout=60)
    if done.returncode:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.stdout.strip() != place()
    assert done.stdout.split(".")[0] == place().split(".")[0]


@pytest.mark.skipif(sys.platform != "linux", reason="others have no /proc")
def test_who_cannot_tell_where_it_is_judges_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two containers whose boot and namespace are hidden are not the same place."""
    assert place(tmp_path) == NOWHERE
    monkeypatch.setattr("sweeper.session.identity.place", lambda: NOWHERE)
    assert not is_ownerless(f"{NOWHERE}-{2**22 - 3}-1000000000-")


def test_other_systems_tell_it_by_boot_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.node", lambda: "one")
    one = place()
    monkeypatch.setattr("platform.node", lambda: "other")
    assert one.split(".")[0] == place().split(".")[0] and one != place()
    assert is_ownerless(f"{place()}-{2**22 - 3}-1000000000-")


@pytest.mark.skipif(sys.platform != "linux", reason="others have no /proc")
def test_processes_of_another_namespace_are_no_place(tmp_path: Path) -> None:
    """As after `unshare --pid` alone: /proc is the old one, where our number is another."""
    check_processes()
    check_processes(tmp_path)  # nothing there at all
    (tmp_path / "self").symlink_to(str(os.getpid() + 1))
    (tmp_path / "sys" / "kernel" / "random").mkdir(parents=True)
    (tmp_path / "sys" / "kernel" / "random" / "boot_id").write_text("0-0")
    assert place(tmp_path) == NOWHERE
    with pytest.raises(NotReady, match="another namespace"):
        check_processes(tmp_path)


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its mark alone, our own process is one that is no more; whoever else runs here is none of this test's."""
    monkeypatch.setattr(
        "sweeper.session.identity.is_alive", lambda pid, started: pid != os.getpid() and is_alive(pid, started)
    )


@pytest.mark.usefixtures("dead")
def test_an_owner_that_holds_its_folder_lives_whatever_its_mark_says(
    tmp_path: Path, sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a copy of a virtual machine, where boot and namespace are the same and process ids are not."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scratch = Scratch()
    ours, other = sleeper(owner() + "abc", TMPDIR=scratch.path), sleeper(owner() + "abd", TMPDIR=str(tmp_path))
    found = clean_up(tmp_path)
    assert found.pids == (other.pid,) and found.folders == ()
    assert ours.poll() is None
    assert Path(scratch.path).is_dir()
    scratch._lock.release()  # as its death does
    found = clean_up(tmp_path)
    assert found.pids == (ours.pid,) and found.folders == (scratch.path,)
    scratch.close()


def test_a_folder_is_announced_before_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two leaves a folder that somebody knows of, never one that nobody does."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    announced = {}
    scratch = Scratch(lambda path: announced.update({path: Path(path).exists()}))
    assert announced == {scratch.path: False}
    assert Path(scratch.path).stat().st_mode & 0o777 == 0o700 or os.name == "nt"
    scratch.close()
    assert not Path(scratch.path).exists()


def test_a_folder_that_cannot_be_asked_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_held(tmp_path)
    (tmp_path / LOCK).write_text("")
    assert not is_held(tmp_path)

    def refuse(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    assert is_held(tmp_path)


def test_no_temporary_folder_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    with pytest.raises(NotReady, match="no temporary folder can be made: No such file") as refused:
        Scratch()
    assert "TMPDIR" in str(refused.value.hint)


def test_folders_of_the_dead_are_removed(tmp_path: Path) -> None:
    for name in (PREFIX + GONE + "x", PREFIX + owner() + "x", PREFIX + "host", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / (PREFIX + GONE + "file")).write_text("not a folder")
    (tmp_path / (PREFIX + GONE + "link")).symlink_to(tmp_path / "other")
    found = clean_up(tmp_path)
    assert found.folders == (str(tmp_path / (PREFIX + GONE + "x")),)
    assert not (tmp_path / (PREFIX + GONE + "x")).exists()
    assert (tmp_path / "other" / "file").exists()
    assert (tmp_path / (PREFIX + owner() + "x") / "file").exists()


def test_a_full_disk_is_said_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python finds no temporary folder then: it tries to write into each."""

    def none_usable() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none_usable)
    assert clean_up().folders == ()


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert not clean_up(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="others keep the start time itself")
def test_setting_the_clock_makes_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an hour's step: the boot time moves, and every start time that psutil tells with it."""
    before = start_seconds(psutil.Process())
    boot, created = psutil.boot_time(), psutil.Process().create_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 3600)
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: created + 3600)
    assert abs(start_seconds(psutil.Process()) - before) <= 1
    assert is_alive(os.getpid(), before)
    assert is_alive(os.getpid(), before - 3600) is False
    assert is_alive(2**22 - 3, before) is False
