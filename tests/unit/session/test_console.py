"""What the learner prints, where our probe cannot be loaded: lines become samples, and samples a wider interval."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.measure.cycles import Cutting, boundaries, cut_for
from sweeper.measure.rate import Rule, current_rate, measure
from sweeper.model.findings import FindingKind
from sweeper.model.measurement import BehaviorCount, Measurement, Method, Sample
from sweeper.model.session import Progress
from sweeper.session.console import ConsoleFile
from tests.helpers.builders import session_of

RULE = Rule(precision=0.025, max_seconds=60.0, cut=Cutting(), warmup_cycles=1)
START = """\
Version information:
  ml-agents: 1.1.0,
[INFO] Listening on port 5004. Start training by pressing the Play button in the Unity Editor.
[INFO] Connected to Unity environment with package version 3.0.0 and communication version 1.5.0
[INFO] Connected new brain: Car?team=0
[INFO] Hyperparameters for behavior name Car:
\ttrainer_type:\tppo
\tsummary_freq:\t2048
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "learner.log"


def line(steps: int, seconds: float, name: str = "Car") -> str:
    reward = "Mean Reward: 0.5. Std of Reward: 0.1. Training." if steps % 3 else ""
    return f"[INFO] {name}. Step: {steps}. Time Elapsed: {seconds:0.3f} s. {reward or NO_EPISODE}\n"


NO_EPISODE = "No episode was completed since last summary. Training."


def read(path: Path, text: str | bytes) -> list[Sample]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ConsoleFile(path).new()


def told(samples: list[Sample]) -> list[tuple[str | None, int]]:
    return [(one.updated, one.steps) for one in samples]


class TestConsoleFile:
    def test_no_file_yet(self, log: Path) -> None:
        assert ConsoleFile(log).new() == []
        assert read(log, "") == []

    def test_a_summary(self, log: Path) -> None:
        before = time.monotonic()
        (found,) = read(log, START + line(2000, 12.345))
        assert before <= found.seconds <= time.monotonic()
        assert (found.kind, found.updated) == ("summary", "Car")
        assert found.behaviors == {"Car": BehaviorCount(2000, 0, 0)}
        assert found.timers == {}

    def test_times_are_the_learners(self, log: Path) -> None:
        found = read(log, line(2000, 12.345) + line(4000, 14.5) + line(6000, 20.0))
        assert [one.seconds - found[0].seconds for one in found] == pytest.approx([0.0, 2.155, 7.655])

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("Car", "Car"),
            ("Car?team=0", "Car"),
            ("Car?team=1", "Car"),
            ("My Car v1.2", "My Car v1.2"),
            ("a.b.c", "a.b.c"),
            ("Step. Time", "Step. Time"),
            ("Größe 車", "Größe 車"),
            ("[x]", "[x]"),
        ],
    )
    def test_names(self, log: Path, name: str, expected: str) -> None:
        assert told(read(log, line(2000, 12.345, name))) == [(expected, 2000)]

    def test_teams_share_a_behaviour_and_behaviours_add_up(self, log: Path) -> None:
        lines = [line(10, 1, "A?team=0"), line(7, 2, "B"), line(20, 3, "A?team=1"), line(14, 4, "B")]
        assert told(read(log, "".join(lines))) == [("A", 10), ("B", 17), ("A", 27), ("B", 34)]

    @pytest.mark.parametrize(
        "other",
        [
            b"",
            b"garbage\n",
            b"\x00\xff\xfe]\x80 \n",
            b"[INFO] Car. Step: x. Time Elapsed: 3.0 s.\n",
            b"[INFO] Car. Step: -5. Time Elapsed: 3.0 s.\n",
            b"[INFO] Car. Step: 5. Time Elapsed: nan s.\n",
            b"[INFO] Car. Step: 5. Time Elapsed: 1e9 s.\n",
            b"[INFO] Car. Step: " + b"9" * 400 + b". Time Elapsed: 3.0 s.\n",
            b"[INFO] . Step: 5 Time Elapsed: 3.0 s.\n",
            b"[INFO] Exported results/Car/Car-2000.onnx\n",
            b"x" * 3_000_000 + b"\n",
            b"\r\n",
            b" [INFO] Car. Step: 5. Time Elapsed: 3.0 s.\n",
            b"said: [INFO] Car. Step: 5. Time Elapsed: 3.0 s.\n",
            b"\r[INFO] Car. Step: 5. Time Elapsed: 3.0 s.\n",
            b"[INFO] Car. Step: 1234567890123456. Time Elapsed: 3.0 s.\n",
            b"[INFO] Car. Step: 5. Time Elapsed: 1234567890.0 s.\n",
            b"[INFO] Car. Step: 5. Time Elapsed: 3.1234567890 s.\n",
            b"[INFO] " + b"n" * 201 + b". Step: 5. Time Elapsed: 3.0 s.\n",
        ],
    )
    def test_other_lines_are_passed_over(self, log: Path, other: bytes) -> None:
        found = read(log, START.encode() + other + line(2000, 12.0).encode() + other + line(4000, 14.0).encode())
        assert told(found) == [("Car", 2000), ("Car", 4000)]

    @pytest.mark.parametrize(("length", "is_read"), [(2000, True), (2001, False)])
    def test_no_summary_is_that_long(self, log: Path, length: int, is_read: bool) -> None:
        text = line(2000, 12.0).rstrip("\n").ljust(length, ".") + "\n"
        assert told(read(log, text)) == ([("Car", 2000)] if is_read else [])

    def test_as_many_digits_as_a_training_may_have(self, log: Path) -> None:
        (found,) = read(log, "[INFO] Car. Step: 999999999999999. Time Elapsed: 999999999.999999999 s. x\n")
        assert found.steps == 999_999_999_999_999

    def test_lines_of_windows(self, log: Path) -> None:
        assert told(read(log, line(2000, 12.0).replace("\n", "\r\n"))) == [("Car", 2000)]

    def test_a_torn_last_line_waits(self, log: Path) -> None:
        text = (line(2000, 12.0) + line(4000, 14.0)).encode()
        follower, found = ConsoleFile(log), []
        log.write_bytes(b"")
        for index in range(len(text)):
            with log.open("ab") as file:
                file.write(text[index : index + 1])
            found += follower.new()
            assert len(found) == text[: index + 1].count(b"\n")
        assert told(found) == [("Car", 2000), ("Car", 4000)]
        assert found[1].seconds - found[0].seconds == pytest.approx(2.0)

    @given(st.lists(st.binary(max_size=60), max_size=6))
    @settings(deadline=None, max_examples=60)
    def test_no_bytes_make_it_fail(self, tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
        between = line(2000, 12.0).encode()
        found = read(tmp_path_factory.mktemp("log") / "log", b"\n" + b"\n".join(part + between for part in parts))
        assert all(one.kind == "summary" and math.isfinite(one.seconds) for one in found)


def cycles_of(count: int = 14, noise: float = 0.02) -> list[tuple[float, float]]:
    rng = np.random.default_rng(6)
    return [(2048, float(2.0 * np.exp(noise * rng.standard_normal()))) for _ in range(count)]


def printed(path: Path, cycles: list[tuple[float, float]]) -> list[Sample]:
    """What a learner with these cycles prints, one line for each."""
    steps, seconds, text = 0.0, 10.0, START
    for more, took in cycles:
        steps, seconds = steps + more, seconds + took
        text += line(round(steps), seconds)
    return read(path, text)


def measured(samples: list[Sample], rule: Rule = RULE) -> Measurement:
    found = measure(samples, rule, 1)
    assert found is not None
    return found


class TestMeasure:
    def test_the_same_rate_with_a_wider_interval(self, log: Path) -> None:
        exact, rough = measured(session_of(cycles_of())), measured(printed(log, cycles_of()))
        assert rough.steps_per_second == pytest.approx(exact.steps_per_second, rel=1e-3)
        assert (rough.cycles, rough.method) == (exact.cycles, Method.CONSOLE)
        assert (rough.updates_per_1000_steps, rough.phases, rough.agents) == (None, None, None)
        assert FindingKind.FROM_CONSOLE in [note.kind for note in rough.notes]
        assert exact.interval is not None and rough.interval is not None
        assert rough.interval[0] < exact.interval[0] < exact.interval[1] < rough.interval[1]
        assert exact.relative_standard_error is not None and rough.relative_standard_error is not None
        phase = rough.relative_standard_error**2 - exact.relative_standard_error**2
        assert phase == pytest.approx(1 / 6 / 12**2, rel=0.02)  # two edges, each off by a uniform share of a cycle

    def test_blocks_of_time_are_the_consoles_too(self, log: Path) -> None:
        rule = Rule(0.025, 60.0, Cutting(min_seconds=4.5), 1)
        found = measured(printed(log, cycles_of()), rule)
        assert (found.method, found.cycles) == (Method.CONSOLE, 3)

    def test_the_rule_waits_for_more_cycles_than_with_counters(self, log: Path) -> None:
        def enough_at(samples: list[Sample]) -> int:
            answers = [RULE(samples[:count]) for count in range(1, len(samples) + 1)]
            return sum(one.kind in ("update", "summary") for one in samples[: answers.index(Progress.ENOUGH) + 1])

        cycles = cycles_of(24)
        assert enough_at(session_of(cycles)) == 10
        assert enough_at(printed(log, cycles)) > 15

    def test_lines_anywhere_in_a_cycle_are_within_the_interval(self, log: Path) -> None:
        """Bursts of a learner that collects for 2 s and updates for 2 s; lines every 3,000 of 2,048 steps a cycle."""
        covered, sessions, rng = 0, 300, np.random.default_rng(8)
        for _ in range(sessions):
            at, steps, due, text = 10.0, 0, 3000, ""
            for _ in range(24):
                for _ in range(8):
                    at += 0.25 * float(np.exp(0.05 * rng.standard_normal()))
                    steps += 256
                    if steps >= due:
                        text += line(due, at)
                        due += 3000
                at += 2.0
            found = measured(read(log, text[text.index("\n", rng.integers(0, 200)) + 1 :]))
            assert found.interval is not None
            covered += found.interval[0] <= 512.0 <= found.interval[1]
        assert covered / sessions >= 0.93

    def test_two_behaviours(self, log: Path) -> None:
        text = ""
        for second in range(1, 41):
            text += line(1000 * second, 10.0 + second, "Fast")
            text += line(100 * second // 2, 10.25 + second, "Slow") if second % 2 == 0 else ""
        samples = read(log, text)
        edges = boundaries(samples, cut_for(samples, Cutting()))
        assert {edge.updated for edge in edges} == {"Slow"}
        found = measured(samples)
        assert found.steps_per_second == pytest.approx(1050.0)
        assert (found.method, found.cycles) == (Method.CONSOLE, 18)
        assert current_rate(samples, Cutting()) == pytest.approx(1050.0)

    def test_few_lines_are_no_measurement(self, log: Path) -> None:
        assert measure(printed(log, cycles_of(3)), RULE, 1) is None
        assert measure(printed(log, []), RULE, 1) is None
        assert measured(printed(log, cycles_of(4))).cycles == 2
