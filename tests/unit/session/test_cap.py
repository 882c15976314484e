"""Who keeps the memory cap: control groups and systemd are substituted by files and a script."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sweeper.session import scope
from sweeper.session.cap import keep_cap
from sweeper.session.cgroup import LEAF, MemoryGroup, leftover_groups, new_group, oom_kills
from sweeper.session.memory import MemoryRules
from sweeper.session.memory import oom_kills as machine_oom_kills
from sweeper.session.scope import SystemdScope

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Linux's control groups")
CAP = 600 * 1024**2


def own_groups(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own"
    path.write_text(text)
    return path


class TestVersion1:
    def test_a_group_is_made_beside_our_own_and_limited(self, tmp_path: Path) -> None:
        (tmp_path / "memory" / "job").mkdir(parents=True)
        own = own_groups(tmp_path, "8:pids:/\n4:memory:/job\n0::/\n")
        group = new_group("1-2-x", CAP, tmp_path, own)
        assert group is not None and group.mechanism == "cgroup v1"
        path = tmp_path / "memory" / "job" / "sweeper-1-2-x"
        assert (path / "memory.limit_in_bytes").read_text() == str(CAP)
        assert (path / "memory.memsw.limit_in_bytes").read_text() == str(CAP)
        assert [name for name, _ in leftover_groups(tmp_path, own)] == ["1-2-x"]

    def test_kills_are_read_from_the_group(self, tmp_path: Path) -> None:
        assert MemoryGroup(tmp_path, "cgroup v1").kills() == 0
        (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
        assert MemoryGroup(tmp_path, "cgroup v1").kills() == 3

    def test_what_may_not_be_written_is_no_group(self, tmp_path: Path) -> None:
        assert new_group("x", CAP, tmp_path, own_groups(tmp_path, "4:memory:/nowhere\n")) is None
        assert new_group("x", CAP, tmp_path, tmp_path / "missing") is None


class TestVersion2:
    def delegated(self, tmp_path: Path, controllers: str, below: str, members: list[int]) -> tuple[Path, Path]:
        group = tmp_path / "user" / "work"
        group.mkdir(parents=True)
        (group / "cgroup.controllers").write_text(controllers)
        (group / "cgroup.subtree_control").write_text(below)
        (group / "cgroup.procs").write_text("\n".join(map(str, members)))
        return group, own_groups(tmp_path, "0::/user/work\n")

    def test_a_delegated_group_is_used_as_it_is(self, tmp_path: Path) -> None:
        group, own = self.delegated(tmp_path, "cpu memory", "cpu memory", [1])
        made = new_group("x", CAP, tmp_path, own)
        assert made is not None and made.mechanism == "cgroup v2"
        assert (group / "sweeper-x" / "memory.max").read_text() == str(CAP)
        assert (group / "sweeper-x" / "memory.swap.max").read_text() == "0"
        assert not (group / LEAF).exists()

    def test_alone_in_it_we_make_room(self, tmp_path: Path) -> None:
        group, own = self.delegated(tmp_path, "cpu memory", "cpu", [os.getpid()])
        assert new_group("x", CAP, tmp_path, own) is not None
        assert (group / LEAF / "cgroup.procs").read_text() == str(os.getpid())
        assert (group / "cgroup.subtree_control").read_text() == "+memory"

    def test_from_the_leaf_the_group_above_is_used(self, tmp_path: Path) -> None:
        group, _ = self.delegated(tmp_path, "memory", "memory", [])
        own = own_groups(tmp_path, f"0::/user/work/{LEAF}\n")
        assert new_group("x", CAP, tmp_path, own) is not None
        assert (group / "sweeper-x").is_dir()

    @pytest.mark.parametrize(
        ("controllers", "members"), [("cpu pids", [os.getpid()]), ("memory", [os.getpid(), 1]), ("memory", [])]
    )
    def test_others_are_never_moved(self, tmp_path: Path, controllers: str, members: list[int]) -> None:
        group, own = self.delegated(tmp_path, controllers, "", members)
        assert new_group("x", CAP, tmp_path, own) is None
        assert not (group / LEAF).exists()

    def test_kills_are_read_from_the_group(self, tmp_path: Path) -> None:
        (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n")
        assert oom_kills(tmp_path) == 2


class TestSystemd:
    def stand_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> Path:
        """Answers to the trial call with `code`, and writes down how it was asked."""
        asked = tmp_path / "asked"
        tool = tmp_path / "bin" / "systemd-run"
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexit {code}\n')
        tool.chmod(0o755)
        (tmp_path / "cgroup.controllers").write_text("memory\n")
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        scope._works.cache_clear()
        return asked

    def test_a_scope_is_asked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = self.stand_in(tmp_path, monkeypatch, 0)
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        made = SystemdScope.create("sweeper-x", CAP, tmp_path)
        assert made is not None
        assert "--user --scope --quiet --collect -p MemoryMax=1073741824" in asked.read_text()
        command = made.wrap(["learn", "it"])
        assert command[-3:] == ["--", "learn", "it"]
        assert {"--unit=sweeper-x", f"MemoryMax={CAP}", "MemorySwapMax=0", "--user"} <= {*command}

    def test_its_kills_outlive_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stand_in(tmp_path, monkeypatch, 0)
        made = SystemdScope.create("sweeper-x", CAP, tmp_path)
        assert made is not None and made.kills() == 0
        events = tmp_path / "user.slice" / "sweeper-x.scope" / "memory.events"
        events.parent.mkdir(parents=True)
        events.write_text("oom 1\noom_kill 1\n")
        assert made.kills() == 1
        events.unlink()
        events.parent.rmdir()
        assert made.kills() == 1

    def test_where_it_refuses_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stand_in(tmp_path, monkeypatch, 1)
        assert SystemdScope.create("sweeper-x", CAP, tmp_path) is None

    def test_without_version_2_it_is_not_asked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = self.stand_in(tmp_path, monkeypatch, 0)
        (tmp_path / "cgroup.controllers").unlink()
        assert SystemdScope.create("sweeper-x", CAP, tmp_path) is None
        assert not asked.exists()


def test_on_this_machine_a_keeper_can_be_had_and_given_back() -> None:
    """Whatever this machine lets us have: it is gone afterwards."""
    keeper = keep_cap("test", CAP)
    if keeper is None:
        return
    assert keeper.kills() == 0
    keeper.remove()
    assert "test" not in [name for name, _ in leftover_groups()]


@pytest.mark.parametrize(
    ("used", "left", "broken"),
    [(50, 1000, None), (101, 1000, "OVER_MEMORY"), (50, 9, "MACHINE_SHORT_OF_MEMORY"), (101, 9, "OVER_MEMORY")],
)
def test_the_cap_and_the_machines_margin(used: int, left: int, broken: str | None) -> None:
    found = MemoryRules(cap_bytes=100, margin_bytes=10, left=lambda: left).broken_by(used)
    assert (found.name if found else None) == broken


def test_the_systems_killer_is_counted(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 1\noom_kill 7\n")
    assert machine_oom_kills(tmp_path / "vmstat") == 7
    assert machine_oom_kills(tmp_path / "missing") == 0
