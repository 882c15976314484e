"""The parts of the session room that need no session: following files, ports, the learner's Python, diagnosis."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlagents_envs.env_utils import validate_environment_path

from sweeper.errors import NotReady
from sweeper.model.identity import differences
from sweeper.model.measurement import BehaviorCount, Sample
from sweeper.model.session import SessionEnd
from sweeper.session.build import find_build, told
from sweeper.session.build_files import identity
from sweeper.session.follow import SampleFile, log_tail, player_that_ended
from sweeper.session.learner import breakages, command_name, locate_learner, probe_learner, python_of
from sweeper.session.ports import free_block, is_free
from sweeper.study.diagnosis import diagnose, exception_line
from sweeper.troubles.learner import SETUPTOOLS, TORCH
from tests.helpers.builders import record_of, study_of

LINE = {
    "t": 12.5,
    "kind": "update",
    "behaviors": {"Car": [2048, 2100, 1]},
    "timers": {"env_step": [1.5, 20]},
    "updated": "Car",
}
SAMPLE = Sample(12.5, "update", {"Car": BehaviorCount(2048, 2100, 1)}, {"env_step": (1.5, 20)}, "Car")


class TestSampleFile:
    def test_no_file_yet(self, tmp_path: Path) -> None:
        assert SampleFile(tmp_path / "samples.jsonl").new() == []

    def test_new_samples_only(self, tmp_path: Path) -> None:
        path = tmp_path / "samples.jsonl"
        follower = SampleFile(path)
        path.write_text(json.dumps(LINE) + "\n")
        assert follower.new() == [SAMPLE]
        assert follower.new() == []
        with path.open("a") as file:
            file.write('{"t": 13, "kind": "hello"}\n')
        assert follower.new() == [Sample(13.0, "hello")]
        assert follower.learner_pid is None

    def test_the_first_hello_says_which_process_is_the_learner(self, tmp_path: Path) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_text('{"t": 13, "kind": "hello", "pid": 70}\n{"t": 14, "kind": "hello", "pid": 71}\n')
        follower = SampleFile(path)
        assert len(follower.new()) == 2
        assert follower.learner_pid == 70

    def test_a_torn_line_waits(self, tmp_path: Path) -> None:
        path = tmp_path / "samples.jsonl"
        follower, text = SampleFile(path), json.dumps(LINE) + "\n"
        for cut in range(0, len(text), 9):
            with path.open("a") as file:
                file.write(text[cut : cut + 9])
            assert follower.new() == ([SAMPLE] if cut + 9 >= len(text) else [])

    @pytest.mark.parametrize(
        "garbage",
        [
            b"Traceback (most recent call last):", b"", b"{", b"[]", b"5", b"null", b"{}", b"\xff\xfe\x00",
            b'{"t": "x", "kind": "tick"}', b'{"t": 1}', b'{"t": 1, "kind": "tick", "behaviors": 5}',
            b'{"t": 1, "kind": "tick", "behaviors": {"Car": [1, 2, 3, 4]}}',
            b'{"t": 1, "kind": "tick", "behaviors": {"Car": ["a"]}}',
            b'{"t": 1, "kind": "tick", "timers": {"a": [1]}}', b'{"t": 1, "kind": "tick", "timers": {"a": 3}}',
        ],
    )  # fmt: skip
    def test_garbage_is_passed_over(self, tmp_path: Path, garbage: bytes) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_bytes(garbage + b"\n" + json.dumps(LINE).encode() + b"\n")
        assert SampleFile(path).new() == [SAMPLE]

    @given(st.binary(max_size=80))
    @settings(deadline=None, max_examples=80)
    def test_no_bytes_bring_a_traceback(self, tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
        path = tmp_path_factory.getbasetemp() / "any.jsonl"
        path.write_bytes(data + b"\n" + json.dumps(LINE).encode() + b"\n")
        assert SampleFile(path).new()[-1:] == [SAMPLE]

    @pytest.mark.parametrize(
        "garbage",
        [
            b'{"t": 1, "kind": "tick", "behaviors": {"Car": [Infinity, 0, 0]}}', b"[" * 200_000,
            b'{"t": -0.5, "kind": "tick"}', b'{"t": 1125899906842624, "kind": "tick"}', b'{"t": 1e999, "kind": "tick"}',
            b'{"t": 1, "kind": "tick", "behaviors": {"Car": [-1, 0, 0]}}',
            b'{"t": 1, "kind": "tick", "behaviors": {"Car": [0, 1e30, 0]}}',
            b'{"t": 1, "kind": "tick", "timers": {"a": [NaN, 1]}}',
            b'{"t": 1, "kind": "tick", "timers": {"a": [1, -1]}}',
            b'{"t": 1, "kind": "tick", "timers": {"a": [' + b"9" * 5000 + b", 1]}}",
        ],
    )  # fmt: skip
    def test_odd_garbage_is_passed_over(self, tmp_path: Path, garbage: bytes) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_bytes(garbage + b"\n" + json.dumps(LINE).encode() + b"\n")
        assert SampleFile(path).new() == [SAMPLE]

    def test_the_largest_number(self, tmp_path: Path) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_text(json.dumps({"t": 2**50 - 1, "kind": "tick", "behaviors": {"Car": [2**50 - 1, 0, 0]}}) + "\n")
        (found,) = SampleFile(path).new()
        assert (found.seconds, found.steps) == (2**50 - 1, 2**50 - 1)

    def test_a_time_that_is_no_number_is_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "samples.jsonl"
        path.write_text('{"t": NaN, "kind": "tick"}\n')
        assert SampleFile(path).new() == []


class TestLogTail:
    def test_the_last_lines_without_control_sequences(self, tmp_path: Path) -> None:
        path = tmp_path / "learner.log"
        path.write_bytes(b"one\n\n\x1b[31mtwo\x1b[0m  \r\n\x07three \xff\n" + b"x" * 900 + b"\n")
        assert log_tail(path, 3) == ("two", "three \ufffd", "x" * 500)
        assert log_tail(path, 99)[0] == "one"

    def test_a_huge_log_is_not_read_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "learner.log"
        path.write_text("".join(f"line {number}\n" for number in range(100_000)))
        assert log_tail(path, 2) == ("line 99998", "line 99999")

    def test_no_log(self, tmp_path: Path) -> None:
        assert log_tail(tmp_path / "nothing", 3) == ()


class TestPorts:
    @pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
    def test_a_port_in_use_is_not_free(self, address: str) -> None:
        with socket.socket() as server:
            server.bind((address, 0))
            server.listen()
            port = server.getsockname()[1]
            assert not is_free(port)
        assert is_free(port)

    def test_a_block_is_free_and_within_bounds(self) -> None:
        base = free_block(8, random.Random(3))
        assert 5100 <= base <= 30000 - 8
        assert all(is_free(port) for port in range(base, base + 8))
        assert free_block(8, random.Random(3)) == base

    def test_a_block_avoids_ports_in_use(self) -> None:
        base = free_block(4, random.Random(9))
        with socket.socket() as server:
            server.bind(("127.0.0.1", base + 3))
            server.listen()
            other = free_block(4, random.Random(9))
        assert base + 3 not in range(other, other + 4)

    def test_no_block(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sweeper.session.ports.is_free", lambda port: False)
        with pytest.raises(NotReady, match="no block of 4 free ports"):
            free_block(4)

    def test_more_ports_than_there_are(self) -> None:
        with pytest.raises(NotReady):
            free_block(30_000)


class TestLearner:
    def script(self, tmp_path: Path, first: str, second: str = "import sys") -> Path:
        path = tmp_path / "mlagents-learn"
        path.write_text(f"{first}\n{second}\n")
        path.chmod(0o755)
        return path

    def python(self, tmp_path: Path) -> Path:
        path = tmp_path / "python"
        path.write_text("")
        path.chmod(0o755)
        return path

    def test_python_of_a_shebang(self, tmp_path: Path) -> None:
        python = self.python(tmp_path)
        assert python_of(self.script(tmp_path, f"#!{python}")) == python
        assert python_of(self.script(tmp_path, f"#! {python} ")) == python

    def test_python_of_a_long_path(self, tmp_path: Path) -> None:
        folder = tmp_path / "a folder"
        folder.mkdir()
        python = self.python(folder)
        script = self.script(tmp_path, "#!/bin/sh", f'\'\'\'exec\' "{python}" "$0" "$@"')
        assert python_of(script) == python
        assert python_of(self.script(tmp_path, "#!/bin/sh", f"'''exec' '{python}' \"$0\" \"$@\"")) == python

    def test_python_of_env(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        python = self.python(tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert python_of(self.script(tmp_path, "#!/usr/bin/env python")) == python
        assert python_of(self.script(tmp_path, "#!/usr/bin/env -S python")) == python
        assert python_of(self.script(tmp_path, "#!/usr/bin/env nothing")) is None

    def test_python_of_a_shebang_with_options(self, tmp_path: Path) -> None:
        python = self.python(tmp_path)
        assert python_of(self.script(tmp_path, f"#!{python} -s")) == python

    @pytest.mark.parametrize("first", ["MZ\x00", "", "#!", "#!/no/such/python", "#!/bin/sh"])
    def test_python_of_something_else(self, tmp_path: Path, first: str) -> None:
        assert python_of(self.script(tmp_path, first)) is None
        assert python_of(tmp_path / "nothing") is None

    def test_python_of_an_exe(self, tmp_path: Path) -> None:
        (tmp_path / "Scripts").mkdir()
        (tmp_path / "Scripts" / "python.exe").write_text("")
        assert python_of(tmp_path / "Scripts" / "mlagents-learn.exe") == tmp_path / "Scripts" / "python.exe"
        assert python_of(tmp_path / "mlagents-learn.exe") is None

    @pytest.mark.parametrize(
        ("packages", "mends"),
        [
            ({"setuptools": "80.9.0", "torch": "2.8.0"}, []),
            ({"setuptools": "81.0.0"}, [SETUPTOOLS.told()]),
            ({"setuptools": "102.1"}, [SETUPTOOLS.told()]),
            ({"torch": "2.9.0"}, [TORCH.told()]),
            ({"torch": "2.14.1+cu130"}, [TORCH.told()]),
            ({"torch": "3.0"}, [TORCH.told()]),
            ({"torch": "2.9.0", "onnxscript": "0.5"}, []),
            ({"setuptools": "82", "torch": "2.10"}, [SETUPTOOLS.told(), TORCH.told()]),
            ({"setuptools": "odd"}, []),
            ({}, []),
        ],
    )
    def test_breakages(self, packages: dict[str, str], mends: list[str]) -> None:
        found = breakages(packages)
        assert len(found) == len(mends)
        assert all(text.endswith(mend) for text, mend in zip(found, mends))

    @pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
    def test_a_program_that_is_no_learner_is_told_from_one_that_is_broken(self, tmp_path: Path) -> None:
        program = tmp_path / "other"
        program.write_text("#!/bin/sh\necho '--version  print it'\n")
        program.chmod(0o755)
        with pytest.raises(NotReady, match="is no ML-Agents learner: its --help tells of no --run-id"):
            probe_learner(program)
        program.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
        with pytest.raises(NotReady, match="does not start: broken"):
            probe_learner(program)

    def test_locating(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = self.script(tmp_path, f"#!{sys.executable}")
        assert locate_learner(study_of(f"learner: {script}\n")) == script
        monkeypatch.setenv("PATH", str(tmp_path))
        assert locate_learner(study_of()) == script
        script.chmod(0o644)
        with pytest.raises(NotReady, match=r"study\.yaml:4: learner: .* is not executable") as caught:
            locate_learner(study_of(f"learner: {script}\n"))
        assert caught.value.hint == f"chmod +x {script}"
        with pytest.raises(NotReady, match=r"study\.yaml:4: learner: no such file: /somewhere/venv/learn"):
            locate_learner(study_of("learner: ./venv/learn\n"))
        with pytest.raises(NotReady, match=r"'no-such-learner' is neither on PATH nor beside this Python"):
            locate_learner(study_of("learner: no-such-learner\n"))


def test_the_name_that_people_can_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = tmp_path / "mlagents-learn"
    learner.write_text("")
    learner.chmod(0o755)
    bare, placed = study_of(""), study_of("learner: ../env/bin/mlagents-learn\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_name(bare, learner) == "mlagents-learn"
    assert command_name(placed, learner) == str(learner)
    monkeypatch.setenv("PATH", "")
    assert command_name(bare, learner) == str(learner)


class TestBuild:
    def test_as_the_learner_looks_for_it(self, tmp_path: Path) -> None:
        build = tmp_path / "Racer.x86_64"
        build.write_text("x")
        build.chmod(0o755)
        for written in ("Racer", "Racer.x86_64", "Racer.x86"):
            assert find_build(study_of(f"env_path: {tmp_path / written}\n")) == build
        assert find_build(study_of("")) is None
        assert list(identity(build) or {}) == ["Racer.x86_64"]
        assert identity(None) is None

    @pytest.mark.skipif(sys.platform != "linux", reason="endings of Linux")
    @pytest.mark.parametrize("name", ["Car", "Car.x86_64", "Car.x86", "Car.exe", "Car.app"])
    @pytest.mark.parametrize(
        "others", [("Car",), ("Car.x86",), ("Car.x86", "Car.x86_64", "Car", "Car.exe"), ("Car.sh",)]
    )
    @pytest.mark.parametrize("folder", ["Proj [v2]", "my.apps", "v1.x86_64", "a*b", "what?", " ", "[", "plain"])
    def test_it_is_the_file_that_the_learner_launches(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, others: tuple[str, ...], name: str
    ) -> None:
        """Asked of the learner's own code. A person can run it at least from beside it."""
        (tmp_path / folder / "Build").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / folder)
        for other in others:
            (tmp_path / folder / "Build" / other).write_text("x")
            (tmp_path / folder / "Build" / other).chmod(0o755)
        by_hand = validate_environment_path(f"Build/{name}")
        study = study_of(f"env_path: {json.dumps(str(tmp_path / folder / 'Build' / name))}\n")
        if by_hand is None:
            with pytest.raises(NotReady):
                find_build(study)
            return
        build = find_build(study)
        assert build is not None
        launched = validate_environment_path(told(build))
        assert launched is not None and build.samefile(launched) and build.samefile(by_hand)
        assert launched.startswith(("/", "./"))

    @pytest.mark.parametrize("folder", ["plain", "Proj [v2]", "my.apps"])
    @pytest.mark.parametrize("written", ["Foo", "Foo.app"])
    @pytest.mark.parametrize("inside", [("Foo",), ("Bar",), ("Bar", "Foo")])
    def test_a_bundle_of_macos_whatever_its_executable_is_called(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: tuple[str, ...], written: str, folder: str
    ) -> None:
        """Asked of the learner's own code, as on a Mac."""
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr("mlagents_envs.env_utils.get_platform", lambda: "darwin")
        executables = tmp_path / folder / "Foo.app" / "Contents" / "MacOS"
        executables.mkdir(parents=True)
        for name in inside:
            (executables / name).write_text(name)
        monkeypatch.chdir(tmp_path)
        study = study_of(f"env_path: {json.dumps(str(tmp_path / folder / written))}\n")
        build = find_build(study)
        assert build == tmp_path / folder / "Foo.app"
        launched = validate_environment_path(told(build))
        assert launched is not None
        assert executables.samefile(Path(launched).parent)
        assert Path(launched).name == ("Foo" if "Foo" in inside else "Bar")
        assert set(identity(build) or {}) == {f"Foo.app/Contents/MacOS/{name}" for name in inside}

    def test_a_bundle_without_an_executable_is_no_build(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", "darwin")
        (tmp_path / "Foo.app" / "Contents" / "MacOS").mkdir(parents=True)
        with pytest.raises(NotReady, match=r"Foo\.app holds no executable \(Contents/MacOS\)"):
            find_build(study_of(f"env_path: {tmp_path / 'Foo.app'}\n"))

    @pytest.mark.skipif(sys.platform != "linux", reason="endings of Linux")
    def test_a_build_for_another_system_says_what_is_needed(self, tmp_path: Path) -> None:
        """As in WSL, where every file can be executed."""
        (tmp_path / "Game.exe").write_text("MZ")
        (tmp_path / "Game.exe").chmod(0o755)
        (tmp_path / "Mac.app").mkdir()
        words = r"Game.exe is a build for Windows; here the learner launches Game\.x86_64 or Game\.x86 or Game, which"
        with pytest.raises(NotReady, match=words):
            find_build(study_of(f"env_path: {tmp_path / 'Game.exe'}\n"))
        with pytest.raises(NotReady, match="is a build for macOS; here the learner launches Mac"):
            find_build(study_of(f"env_path: {tmp_path / 'Mac.app'}\n"))

    def test_a_path_that_nothing_can_tell_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(NotReady, match=r"takes .* for a pattern") as refused:
            told(tmp_path / "Proj [v2]" / "Car")
        assert "Car.x86_64" in str(refused.value.hint)

    def test_on_windows_a_folder_may_be_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        for name in ("3DBall.exe", "UnityCrashHandler64.exe"):
            (tmp_path / name).write_text("x")
        assert find_build(study_of(f"env_path: {tmp_path}\n")) == tmp_path / "3DBall.exe"

    @pytest.mark.parametrize(
        ("executable", "game"),
        [("Racer.x86_64", "Racer_Data/level0"), ("Racer.exe", "GameAssembly.dll"), ("Racer.app", "Contents/level0")],
    )
    def test_the_game_is_part_of_a_build(self, tmp_path: Path, executable: str, game: str) -> None:
        build = tmp_path / executable
        path = (build if build.suffix == ".app" else tmp_path) / game
        path.parent.mkdir(parents=True, exist_ok=True)
        if build.suffix != ".app":
            build.write_text("the same player for every game")
        path.write_text("a")
        (path.parent / "output_log.txt").write_text("a")
        before = identity(build)
        (path.parent / "output_log.txt").write_text("players write this")
        (path.parent / "save.json").write_text("and this, at each start")
        os.utime(path, (0, 0))  # a copy has other times
        assert identity(build) == before
        path.write_text("b")
        assert identity(build) != before

    def test_what_a_build_writes_beside_itself_is_not_the_build(self, tmp_path: Path) -> None:
        build = tmp_path / "Racer.x86_64"
        theirs = [
            "level0",
            "globalgamemanagers",
            "sharedassets0.assets.resS",
            "Managed/Game.dll",
            "boot.config",
            "il2cpp_data/Metadata/global-metadata.dat",
            "StreamingAssets/aa/scene.bundle",
            "data.unity3d",
        ]
        own = ["save.json", "save.dat", "config.ini", "StreamingAssets/progress.json", "levels.txt", "level0.bak"]
        for name in ("Racer.x86_64", "UnityPlayer.so", "notes.txt", *(f"Racer_Data/{one}" for one in (*theirs, *own))):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(name)
        found = identity(build)
        beside = ["Racer.x86_64", "UnityPlayer.so"]
        assert sorted(found or ()) == sorted([*beside, *(f"Racer_Data/{one}" for one in theirs)])
        (tmp_path / "Racer_Data/level0").write_text("LEVEL0")
        assert differences({"build": found}, {"build": identity(build)}) == ["build: Racer_Data/level0 changed"]

    def test_refusals(self, tmp_path: Path) -> None:
        with pytest.raises(NotReady, match=r"study\.yaml:4: env_path: no build at /somewhere/nothing"):
            find_build(study_of("env_path: nothing\n"))
        with pytest.raises(NotReady, match="is a folder; name the executable in it"):
            find_build(study_of(f"env_path: {tmp_path}\n"))
        (tmp_path / "b").write_text("x")
        with pytest.raises(NotReady, match="is not executable"):
            find_build(study_of(f"env_path: {tmp_path / 'b'}\n"))


class TestDiagnosis:
    @pytest.mark.parametrize(
        ("log", "parts"),
        [
            (["ModuleNotFoundError: No module named 'pkg_resources'"], ["setuptools<81"]),
            (
                ["[INFO] Car. Step: 2000. Time Elapsed: 6.442 s.", "ModuleNotFoundError: No module named 'onnxscript'"],
                ["torch>=2.1.1,<2.9"],
            ),
            (
                [
                    "mlagents_envs.exception.UnityWorkerInUseException: Couldn't start socket communication because "
                    "worker number Couldn't start socket communication because worker number 0 is still in use."
                ],
                ["a port was taken"],
            ),
            (
                [
                    "grpc: RESOURCE_EXHAUSTED Received message larger than max (4829932 vs. 4194304)",
                    "[WARNING] Restarting worker[0] after 'Environment shut down with return code 0.'",
                ],
                ["4 MiB", "fewer areas and more environments"],
            ),
            (
                [
                    "mlagents_envs.exception.UnityEnvironmentException: Couldn't launch the racer environment. "
                    "Provided filename does not match any environments."
                ],
                ["could not launch the build"],
            ),
            (
                [
                    "[WARNING] Restarting worker[0] after 'Environment shut down with return code 3.'",
                    "[ERROR] Worker 1 exceeded the allowed number of restarts.",
                ],
                ["the player ended with return code 3", "the last line of Player-1.log: Segmentation fault"],
            ),
            (["Environment shut down with return code -9 (SIGKILL)."], ["return code -9"]),
            (
                [
                    "mlagents.trainers.exception.TrainerConfigError: The behavior name Truck has not been specified in "
                    "the trainer configuration. Please add an entry in the configuration file for Truck, or set "
                    "default_settings."
                ],
                ["a behaviour named Truck", "add it under `behaviors:`"],
            ),
            (
                [
                    "mlagents_envs.exception.UnityTimeOutException: The Unity environment took too long to respond. "
                    "Make sure that :",
                    "\t The environment does not need user interaction to launch",
                ],
                ["did not answer in time", "max_startup_seconds"],
            ),
            (
                ["mlagents.trainers.exception.TrainerConfigError: The option gama was specified in your YAML file"],
                ["refuses the trainer config: The option gama was specified"],
            ),
            (["torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate"], ["the GPU's memory is full"]),
            (["numpy.core._exceptions._ArrayMemoryError: Unable"], ["ran out of memory"]),
            (["OSError: [Errno 28] No space left on device"], ["no space is left on a disk", "TMPDIR", "/dev/shm"]),
            (
                ["OSError: [Errno 28] No space left on device: '/big/results/x'"],
                ["no space is left on the disk of /big/results/x"],
            ),
            (["OSError: [Errno 122] Disk quota exceeded: '/home'"], ["quota"]),
            (["OSError: [Errno 24] Too many open files"], ["`ulimit -n`"]),
            (["BlockingIOError: [Errno 11] Resource temporarily unavailable"], ["`ulimit -u`"]),
            (["RuntimeError: can't start new thread"], ["`ulimit -u`"]),
            (
                ["RuntimeError: DataLoader bus error. This might be caused by insufficient shared memory (shm)."],
                ["shm"],
            ),
            (["AssertionError: Torch not compiled with CUDA enabled"], ["device: cpu", "finds none"]),
            (
                ["RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"],
                ["device: cpu", "NVIDIA's driver"],
            ),
            (["RuntimeError: No CUDA GPUs are available"], ["device: cpu", "CUDA_VISIBLE_DEVICES"]),
            (["RuntimeError: CUDA error: no kernel image is available for execution on the device"], ["for this GPU"]),
            (
                # What ends the learner ends its players, too, and that is no fault of the build.
                [
                    "[WARNING] Restarting worker[0] after 'Environment shut down with return code 0.'",
                    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate",
                ],
                ["the GPU's memory is full"],
            ),
            (
                ["Environment shut down with return code -9 (SIGKILL).", "MemoryError"],
                ["the machine ran out of memory"],
            ),
            (
                ["RuntimeError: Expected all tensors to be on the same device, but found at least two devices"],
                ["threaded: true does not work with CUDA"],
            ),
            (
                ["pyarrow", "Fatal Python error: Segmentation fault"],
                ["the learner's Python broke (Segmentation fault)"],
            ),
            (
                ["Exception in thread Thread-2 (trainer_update_func):", "RuntimeError: x"],
                ["a trainer thread died and the run hung"],
            ),
            (["mlagents_envs.exception.UnityCommunicatorStoppedException: Communicator"], ["the player left"]),
            (
                ["The communication API version is not compatible between Unity and python."],
                ["does not match this learner"],
            ),
        ],
    )
    def test_real_logs(self, log: list[str], parts: list[str]) -> None:
        record = record_of(SessionEnd.EXITED, log=log, player_log_tail=("first", "Segmentation fault"), player=1)
        text = str(diagnose(record))
        for part in parts:
            assert part in text
        assert ("the last line of Player-1.log" in text) == ("the player ended" in text)
        assert "last line" not in str(diagnose(replace(record, player=None)))

    def test_the_player_that_the_learner_lost_is_the_one_that_is_quoted(self) -> None:
        lost = ["Worker 2 exceeded the allowed number of restarts.", "Traceback (most recent call last):"]
        assert player_that_ended(lost, 4) == 2
        assert player_that_ended(["Traceback"], 4) is None
        assert player_that_ended(["Traceback"], 1) == 0

    @pytest.mark.parametrize(
        ("end", "part"),
        [
            (SessionEnd.STALLED, "a trainer thread that died, or a player that hangs"),
            (SessionEnd.NOT_CONNECTED, "is this an ML-Agents build"),
            (SessionEnd.NO_STEPS, "Decision Requester"),
            (SessionEnd.EXITED, None),
            (SessionEnd.TOO_SLOW, None),
            (SessionEnd.TURNS_BROKEN, None),
        ],
    )
    def test_without_a_word_in_the_log(self, end: SessionEnd, part: str | None) -> None:
        found = diagnose(record_of(end, log=["[INFO] Connected new brain: Car?team=0"]))
        assert found is None if part is None else part in str(found)

    @pytest.mark.parametrize("end", [SessionEnd.MEASURED, SessionEnd.INTERRUPTED, SessionEnd.DISK_SHORT])
    def test_nothing_to_diagnose(self, end: SessionEnd) -> None:
        # An export that fails as we stop the learner is no trouble of the trial.
        assert diagnose(record_of(end, log=["No module named 'onnxscript'"], exit_code=1)) is None

    def test_braces_in_a_log_are_only_text(self) -> None:
        record = record_of(SessionEnd.EXITED, log=["TrainerConfigError: {odd} {0}"])
        assert diagnose(record) == "the learner refuses the trainer config: {odd} {0}"

    def test_the_exception_line(self) -> None:
        log = [
            "ValueError: first",
            "  raise KeyError: no",
            "mlagents_envs.exception.UnityTimeOutException: took",
            "done",
        ]
        assert exception_line(record_of(SessionEnd.EXITED, log=log)) == log[2]
        assert exception_line(record_of(SessionEnd.EXITED, log=["fine"])) is None

    @pytest.mark.parametrize("line", ["Exception: boom", "KeyboardInterrupt", "AssertionError"])
    def test_bare_exceptions_are_seen(self, line: str) -> None:
        assert exception_line(record_of(SessionEnd.EXITED, log=[line, "more"])) == line


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("IOException: No space left on device", "a player found no space left"),
        ("MemoryError: not the learner's", "the player ended with return code 1"),
        ("TrainerConfigError: not the learner's", "the player ended with return code 1"),
    ],
)
def test_what_a_player_says_is_not_the_learners_fault(said: str, part: str) -> None:
    log = ["Environment shut down with return code 1."]
    assert part in str(diagnose(record_of(SessionEnd.EXITED, log=log, player_log_tail=[said])))


def test_what_only_the_player_says_is_read_too() -> None:
    words = "Couldn't connect to trainer on port 5005 using API version 1.5.0. Will perform inference instead."
    record = record_of(SessionEnd.NOT_CONNECTED, log=["[INFO] Listening on port 5005."], player_log_tail=[words])
    assert "could not reach the learner on port 5005" in str(diagnose(record))
