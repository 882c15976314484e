"""What came of a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sweeper.measure.cycles import Cutting
from sweeper.measure.rate import Rule
from sweeper.model.findings import Bottleneck, Finding, FindingKind
from sweeper.model.load import BusyProcess, LoadSample, Utilisation
from sweeper.model.measurement import BehaviorCount, Method, PerThousandSteps, Sample
from sweeper.model.session import RSS, SessionEnd, SessionRecord
from sweeper.model.trial import Outcome, Purpose, Stage, TrialResult
from sweeper.study.judge import Asked, Terms, judge
from tests.helpers.builders import GIB, PPO, config_of, params_of, plan_of, record_of, sample, session_of
from tests.helpers.scripted import CORES, CULPRITS, load_of

OVERFULL = PPO.replace("2048", "1024")
GOOD = session_of([(2048, 2.0)] * 10)
"""Samples from 99 to 120 s; cycles of 2 s end at 102, 104, ..."""
WARMUP = 1


def asked_of(**fields: Any) -> Asked:
    return replace(
        Asked(plan_of(), Purpose.SEARCH, Stage.SEARCH, "2026", Rule(0.025, 120.0, Cutting(), WARMUP)), **fields
    )


def judged(record: SessionRecord, asked: Asked | None = None, **terms: Any) -> TrialResult:
    return judge(asked or asked_of(), record, replace(Terms(8 * GIB, None, CORES), **terms))


def measured(load: tuple[LoadSample, ...] = (), **fields: Any) -> SessionRecord:
    return record_of(SessionEnd.MEASURED, GOOD, load=load, **fields)


def kinds(result: TrialResult) -> list[FindingKind]:
    return [note.kind for note in result.warnings]


class TestOutcome:
    @pytest.mark.parametrize(
        ("end", "outcome"),
        [
            (SessionEnd.MEASURED, Outcome.OK),
            (SessionEnd.OVER_MEMORY, Outcome.OVER_MEMORY),
            (SessionEnd.OVER_GPU_MEMORY, Outcome.OVER_MEMORY),
            (SessionEnd.MACHINE_SHORT_OF_MEMORY, Outcome.DISTURBED),
            (SessionEnd.EXITED, Outcome.CRASHED),
            (SessionEnd.NOT_CONNECTED, Outcome.TIMEOUT),
            (SessionEnd.NO_STEPS, Outcome.NO_STEPS),
            (SessionEnd.STALLED, Outcome.TIMEOUT),
            (SessionEnd.TOO_SLOW, Outcome.TIMEOUT),
            (SessionEnd.INTERRUPTED, Outcome.INTERRUPTED),
            (SessionEnd.TURNS_BROKEN, Outcome.INTERRUPTED),
            (SessionEnd.OUTPACED, Outcome.OUTPACED),
        ],
    )
    def test_every_end_has_its_outcome(self, end: SessionEnd, outcome: Outcome) -> None:
        result = judged(record_of(end, GOOD, ["line"] * 30))
        assert result.outcome is outcome
        if outcome is Outcome.OK:
            assert result.steps_per_second == 1024.0
            assert result.interval == pytest.approx((1024.0, 1024.0))
            assert (result.relative_standard_error, result.reason, result.log_tail) == (0.0, None, ())
        else:
            assert (result.steps_per_second, result.interval, result.relative_standard_error) == (None, None, None)
            assert result.reason is not None
            assert len(result.log_tail) == 12

    def test_the_editors_own_load_voids_nothing(self) -> None:
        """The player is not the learner's child there: to the counters it is somebody else."""
        busy = measured(load_of(60.0))
        assert judged(busy).outcome is Outcome.DISTURBED
        result = judged(busy, in_editor=True)
        assert (result.outcome, result.contention, result.utilisation) == (Outcome.OK, None, None)

    def test_no_end_is_forgotten(self) -> None:
        assert [judged(record_of(end, GOOD)).outcome for end in SessionEnd]

    def test_what_is_kept(self) -> None:
        result = judged(measured(exit_code=1), asked_of(round=3))
        assert (result.number, result.params, result.seed, result.round) == (3, params_of(), 11, 3)
        assert (result.total_seconds, result.startup_seconds, result.warmup_seconds) == (45.0, 10.0, 4.0)
        assert (result.peak_memory_bytes, result.memory_source) == (GIB, "pss")
        assert (result.cycles, result.command, result.started_at) == (8, ("mlagents-learn", "config.yaml"), "2026")
        assert (result.method, result.warmup_cycles, result.slices) == (Method.CYCLES, WARMUP, ())

    def test_the_learning_guard(self) -> None:
        policy = 1000 / 2048
        assert judged(measured(), required=PerThousandSteps(None, 1.1 * policy)).outcome is Outcome.OK
        refused = judged(measured(), required=PerThousandSteps(None, 1.12 * policy))
        assert (refused.outcome, refused.steps_per_second) == (Outcome.TOO_FEW_UPDATES, 1024.0)
        assert refused.reason is not None and refused.reason.kind is FindingKind.TOO_FEW_POLICY_UPDATES
        figures = {"actual_per_1000": policy, "required_per_1000": 1.12 * policy}
        assert refused.reason.values == pytest.approx(figures)

    @pytest.mark.parametrize(
        ("config", "gradient", "told"),
        [
            (OVERFULL, None, True),
            (PPO, None, False),
            (OVERFULL + "  Bus: {trainer_type: ppo}\n", None, False),
            (OVERFULL.replace("ppo", "sac"), None, False),
            (OVERFULL, 99.0, False),
            (OVERFULL + "    time_horizon: 32\n", None, False),
        ],
        ids=["above", "within", "of two behaviours", "off policy", "fewer gradient updates too", "a short horizon"],
    )
    def test_bursts_above_the_buffer_are_told(self, config: str, gradient: float | None, told: bool) -> None:
        timers = ["UnityEnvironment.step", "TorchPPOOptimizer.update"]
        samples = [
            replace(one, timers=dict.fromkeys(timers, (0.01 * number, 64 * number))) for number, one in enumerate(GOOD)
        ]
        refused = judged(
            record_of(SessionEnd.MEASURED, samples),
            asked_of(behaviors=config_of(config).behaviors),
            required=PerThousandSteps(gradient, 1.0),
        )
        assert refused.reason is not None and refused.reason.kind is FindingKind.TOO_FEW_POLICY_UPDATES
        burst = {"steps_an_update": 2048, "agents": 32, "time_horizon": 64, "buffer_size": 1024}
        assert {name: refused.reason.values.get(name) for name in burst} == (burst if told else dict.fromkeys(burst))

    def test_no_update_at_all_is_the_guards_business(self) -> None:
        samples = [sample(100.0 + second, 500 * second, 0, "tick") for second in range(1, 20)]
        result = judged(record_of(SessionEnd.TOO_SLOW, samples), asked_of(behaviors=config_of().behaviors))
        assert result.outcome is Outcome.TOO_FEW_UPDATES
        values = {"name": "Car", "steps": 9500, "fill_steps": 2048}
        assert result.reason == Finding(FindingKind.NO_UPDATE, values)

    def test_an_update_that_is_not_due_yet_is_only_late(self) -> None:
        """Public configs have buffers of 409,600 steps; a session that saw 30,000 says nothing of its learning."""
        samples = [sample(100.0 + second, 300 * second, 0, "tick") for second in range(101)]
        behaviors = config_of(PPO.replace("2048", "409600")).behaviors
        result = judged(record_of(SessionEnd.TOO_SLOW, samples), asked_of(behaviors=behaviors))
        assert result.outcome is Outcome.TIMEOUT
        assert result.is_too_slow
        assert result.reason is not None
        assert (result.reason.kind, result.reason.values["idle"]) == (FindingKind.TOO_SLOW, ("Car",))
        assert result.reason.values["update_steps"] == 409_600
        assert result.reason.values["update_seconds"] == pytest.approx(409_600 / 300, rel=0.02)

    def test_off_policy_trainers_may_wait_too(self) -> None:
        text = PPO.replace("ppo", "sac").replace("2048", "50000\n      buffer_init_steps: 10000")
        samples = [sample(100.0 + second, 90 * second, 0, "tick") for second in range(101)]
        result = judged(record_of(SessionEnd.TOO_SLOW, samples), asked_of(behaviors=config_of(text).behaviors))
        assert result.outcome is Outcome.TIMEOUT
        assert result.reason is not None and result.reason.values["update_steps"] == 10_000

    def test_unlike_teams_learn_in_turn(self) -> None:
        play = "    self_play: {save_steps: 5000}\n"
        text = PPO + play + "  Bus:\n    trainer_type: ppo\n" + play
        counts = {"Car": BehaviorCount(900, 900, 0), "Bus": BehaviorCount(0, 900, 0)}
        samples = [Sample(100.0 + at, "tick", counts) for at in (0, 90)]
        result = judged(record_of(SessionEnd.TOO_SLOW, samples), asked_of(behaviors=config_of(text).behaviors))
        assert result.reason is not None
        assert result.reason.values["idle"] == ("Car",)
        assert result.reason.values["team_change"] == 25_000

    def test_who_did_not_update(self) -> None:
        counts = {"Car": BehaviorCount(900, 900, 3), "Bus": BehaviorCount(50, 50, 0)}
        result = judged(record_of(SessionEnd.TOO_SLOW, [Sample(100.0, "tick", counts)]))
        assert result.outcome is Outcome.TIMEOUT
        assert result.reason == Finding(FindingKind.TOO_SLOW, {"from_console": False, "idle": ("Bus",)})

    def test_too_slow_beside_others_who_void_nothing(self) -> None:
        some = judged(record_of(SessionEnd.TOO_SLOW, GOOD[:4], load=load_of(10.0), busiest=CULPRITS))
        assert some.outcome is Outcome.TIMEOUT
        assert some.reason is not None
        assert some.reason.kind is FindingKind.TOO_SLOW
        assert some.reason.values["others_percent"] == pytest.approx(10.0)
        assert some.reason.values["busiest"] == ("stress", "chrome")
        assert some.reason.values["busiest_cores"] == (3.0, 0.2)
        hardly = judged(record_of(SessionEnd.TOO_SLOW, GOOD[:4], load=load_of(1.0), busiest=CULPRITS))
        assert hardly.reason == Finding(FindingKind.TOO_SLOW, {"from_console": False, "idle": ()})

    def test_over_memory_says_how_much(self) -> None:
        result = judged(record_of(SessionEnd.OVER_MEMORY, GOOD, peak_memory_bytes=9 * GIB))
        assert result.reason == Finding(FindingKind.OVER_MEMORY, {"peak_bytes": 9 * GIB, "cap_bytes": 8 * GIB})
        assert result.warnings == ()
        bound = judged(record_of(SessionEnd.OVER_MEMORY, memory_source=RSS, peak_memory_bytes=9 * GIB))
        assert kinds(bound) == [FindingKind.MEMORY_UPPER_BOUND]

    def test_a_crash_quotes_the_exception(self) -> None:
        log = ["[INFO] Connected", "Traceback (most recent call last):", "ValueError: bad shape", "more"]
        result = judged(record_of(SessionEnd.EXITED, GOOD, log))
        values = {"steps": 20480, "exception": "ValueError: bad shape", "signal": None, "last_line": "more"}
        assert result.reason == Finding(FindingKind.EXITED, values)
        result = judged(record_of(SessionEnd.EXITED, (), ["last words"]))
        values = {"steps": 0, "exception": None, "signal": None, "last_line": "last words"}
        assert result.reason == Finding(FindingKind.EXITED, values)
        nothing = judged(record_of(SessionEnd.EXITED)).reason
        assert nothing == Finding(FindingKind.EXITED, {**values, "last_line": None})

    def test_measured_without_cycles_is_not_believed(self) -> None:
        result = judged(record_of(SessionEnd.MEASURED, GOOD[:4]))
        assert (result.outcome, result.reason) == (Outcome.CRASHED, Finding(FindingKind.NO_WHOLE_CYCLE))


class TestDisturbed:
    @pytest.mark.parametrize(
        ("load", "outcome"),
        [
            ({"others": 14.9}, Outcome.OK), ({"others": 15.1}, Outcome.DISTURBED),
            ({"steal": 4.9}, Outcome.OK), ({"steal": 5.1}, Outcome.DISTURBED),
            ({"gpu": 14.9}, Outcome.OK), ({"gpu": 15.1}, Outcome.DISTURBED),
            ({"own_cores": 8.0}, Outcome.OK), ({"stalls": 90.0}, Outcome.OK),
        ],
    )  # fmt: skip
    def test_limits(self, load: dict[str, float], outcome: Outcome) -> None:
        result = judged(measured(load_of(**load)))
        assert result.outcome is outcome
        assert (result.steps_per_second is None) == (outcome is Outcome.DISTURBED)

    def test_it_says_by_whom(self) -> None:
        result = judged(measured(load_of(40.0), busiest=CULPRITS, waited_seconds=60.0))
        assert result.reason is not None
        assert result.reason.kind is FindingKind.OTHERS_ON_CORES
        assert result.reason.values["others_percent"] == pytest.approx(40.0)
        assert result.reason.values["busiest"] == ("stress", "chrome")
        assert (result.interval, result.relative_standard_error) == (None, None)
        found = result.contention
        assert found is not None
        assert found.others_percent == pytest.approx(40.0)
        assert (found.waited_seconds, found.busiest) == (60.0, CULPRITS)

    def test_only_the_measured_window_counts(self) -> None:
        """Whole cycles after the warm-up: from 104 to 120 s."""
        early = [LoadSample(90.0 + at, 0.0, 8.0 * min(at, 14)) for at in range(40)]
        late = [LoadSample(90.0 + at, 0.0, 8.0 * max(0, at - 30)) for at in range(40)]
        middle = [LoadSample(90.0 + at, 0.0, 8.0 * min(max(0, at - 20), 3)) for at in range(40)]
        assert judged(measured(tuple(early))).outcome is Outcome.OK
        assert judged(measured(tuple(late))).outcome is Outcome.OK
        assert judged(measured(tuple(middle))).outcome is Outcome.DISTURBED

    @pytest.mark.parametrize(
        ("end", "outcome"),
        [
            (SessionEnd.MEASURED, Outcome.DISTURBED),
            (SessionEnd.TOO_SLOW, Outcome.DISTURBED),
            (SessionEnd.STALLED, Outcome.DISTURBED),
            (SessionEnd.NOT_CONNECTED, Outcome.DISTURBED),
            (SessionEnd.NO_STEPS, Outcome.DISTURBED),
            (SessionEnd.OVER_MEMORY, Outcome.OVER_MEMORY),
            (SessionEnd.EXITED, Outcome.CRASHED),
            (SessionEnd.INTERRUPTED, Outcome.INTERRUPTED),
        ],
    )
    def test_what_a_busy_machine_may_excuse(self, end: SessionEnd, outcome: Outcome) -> None:
        samples = GOOD if end is SessionEnd.MEASURED else GOOD[:4]
        assert judged(record_of(end, samples, load=load_of(40.0))).outcome is outcome

    def test_too_few_updates_are_not_the_machines_fault(self) -> None:
        result = judged(measured(load_of(40.0)), required=PerThousandSteps(None, 10.0))
        assert result.outcome is Outcome.TOO_FEW_UPDATES

    @pytest.mark.parametrize("seconds", [0.5, 2.0, 20.0])
    def test_the_result_does_not_matter(self, seconds: float) -> None:
        for others, outcome in ((10.0, Outcome.OK), (20.0, Outcome.DISTURBED)):
            record = record_of(SessionEnd.MEASURED, session_of([(2048, seconds)] * 10), load=load_of(others))
            assert judged(record).outcome is outcome

    def test_a_machine_that_is_never_quiet_is_taken_as_it_is(self) -> None:
        result = judged(measured(load_of(40.0)), tolerate_load=True)
        assert (result.outcome, result.steps_per_second, result.reason) == (Outcome.OK, 1024.0, None)
        assert kinds(result) == [FindingKind.MACHINE_BUSY]
        assert result.warnings[0].values["cause"] == FindingKind.OTHERS_ON_CORES.value
        assert result.warnings[0].values["others_percent"] == pytest.approx(40.0)
        assert kinds(judged(measured(load_of(1.0)), tolerate_load=True)) == []

    def test_load_that_nobody_read_voids_nothing(self) -> None:
        result = judged(measured(load_of(40.0)[:1]))
        assert (result.outcome, result.contention) == (Outcome.OK, None)


class TestMemoryPressure:
    @pytest.mark.parametrize(("stalls", "found"), [(9.0, []), (11.0, [FindingKind.MEMORY_PRESSURE]), (None, [])])
    def test_a_note(self, stalls: float | None, found: list[FindingKind]) -> None:
        result = judged(measured(load_of(stalls=stalls)))
        assert (result.outcome, kinds(result)) == (Outcome.OK, found)

    def test_it_says_how_much(self) -> None:
        assert judged(measured(load_of(stalls=11.0))).warnings[0].values == pytest.approx({"stall_percent": 11.0})


class TestConsole:
    @staticmethod
    def samples(count: int) -> list[Sample]:
        steps = range(2048, 2048 * (count + 1), 2048)
        return [
            Sample(100.0 + at, "summary", {"Car": BehaviorCount(steps=found)}, updated="Car")
            for at, found in zip(range(0, 2 * count, 2), steps)
        ]

    def test_a_number_without_updates(self) -> None:
        record = record_of(SessionEnd.MEASURED, self.samples(12), from_console=True)
        result = judged(record, required=PerThousandSteps(5.0, 0.5))
        assert (result.outcome, result.updates_per_1000_steps) == (Outcome.OK, None)
        assert result.steps_per_second == pytest.approx(1024.0)
        assert (result.method, result.startup_seconds) == (Method.CONSOLE, None)
        assert FindingKind.FROM_CONSOLE in kinds(result)
        low, high = result.interval or (0.0, 0.0)
        assert low < 1024.0 < high

    def test_too_few_lines_are_no_lack_of_updates(self) -> None:
        result = judged(record_of(SessionEnd.TOO_SLOW, self.samples(2), from_console=True))
        assert result.outcome is Outcome.TIMEOUT
        assert result.reason == Finding(FindingKind.TOO_SLOW, {"from_console": True})


class TestSlices:
    """Cycles of 2 s and 2,048 steps in the first slice, 4 s in the second."""

    samples = tuple(session_of([(2048, 2.0)] * 6 + [(2048, 4.0)] * 6))
    slices = ((104.0, 110.0), (116.0, 128.0))

    def judge(self, record: SessionRecord) -> TrialResult:
        return judged(record, asked_of(purpose=Purpose.CONFIRM, round=0))

    def record(self, **fields: Any) -> SessionRecord:
        return record_of(SessionEnd.MEASURED, self.samples, slices=self.slices, **fields)

    def test_their_rates(self) -> None:
        result = self.judge(self.record())
        assert (result.outcome, result.method, result.round) == (Outcome.OK, Method.SLICES, 0)
        assert result.slices == pytest.approx((1024.0, 512.0))
        assert result.steps_per_second == pytest.approx(6 * 2048 / 18)
        assert (result.cycles, result.measured_seconds) == (6, 18.0)

    def test_the_trees_cpu_time_is_not_this_sessions(self) -> None:
        load = load_of(own_cores=7.9)
        assert self.judge(self.record(load=load)).utilisation is None
        assert judged(measured(load)).utilisation is not None

    @pytest.mark.parametrize("load", [load_of(40.0), load_of(steal=9.0)])
    def test_disturbed_they_are_none(self, load: tuple[LoadSample, ...]) -> None:
        result = self.judge(self.record(load=load))
        assert (result.outcome, result.slices, result.steps_per_second) == (Outcome.DISTURBED, (), None)

    def test_one_that_was_disturbed_does_not_spoil_the_others(self) -> None:
        """Four slices of 2 s from 104 s on; somebody is busy in the second."""
        samples = session_of([(2048, 1.0)] * 20)
        slices = tuple((start, start + 2.0) for start in (104.0, 108.0, 112.0, 116.0))
        load = tuple(LoadSample(90.0 + at, 0.0, 8.0 * min(max(0, at - 18), 2)) for at in range(60))
        busiest = (BusyProcess("stress", 0.9),)
        result = self.judge(record_of(SessionEnd.MEASURED, samples, slices=slices, load=load, busiest=busiest))
        (note,) = (note for note in result.warnings if note.kind is FindingKind.SLICES_DISTURBED)
        assert note.values == {"lost_slices": 1, "slices": 4, "busiest": ("stress",), "busiest_cores": (0.9,)}
        assert result.outcome is Outcome.OK
        assert result.slices == (2048.0, None, 2048.0, 2048.0)
        assert (result.steps_per_second, result.measured_seconds) == (2048.0, 6.0)
        assert FindingKind.SLICES_DISTURBED not in kinds(self.judge(self.record()))

    def test_on_a_machine_that_is_never_quiet_all_count(self) -> None:
        asked = asked_of(purpose=Purpose.CONFIRM, round=0)
        result = judged(self.record(load=load_of(40.0)), asked, tolerate_load=True)
        assert (result.outcome, len(result.slices)) == (Outcome.OK, 2)
        assert FindingKind.MACHINE_BUSY in kinds(result)

    def test_broken_turns_blame_nobody(self) -> None:
        result = self.judge(replace(self.record(load=load_of()), end=SessionEnd.TURNS_BROKEN))
        assert (result.outcome, result.slices, result.steps_per_second) == (Outcome.INTERRUPTED, (), None)
        assert result.reason == Finding(FindingKind.TURNS_BROKEN)


class TestWhy:
    """Where the time of a cycle of 2 s goes, per second of it."""

    def judge(
        self, update: float, infer: float, wait: float, own_cores: float, player: float = 0.8, threaded: bool = False
    ) -> TrialResult:
        shares = {
            "_update_policy": update, "SubprocessEnvManager._take_step": infer, "env_step.self": wait, "env_step": wait,
            "process_trajectory": 0.0, "worker_root": 1.0, "communicator.exchange": player,
        }  # fmt: skip
        samples = [
            replace(found, timers={name: (share * found.seconds, 1) for name, share in shares.items()})
            for found in GOOD
        ]
        plan = plan_of(params_of(threaded=threaded))
        record = record_of(SessionEnd.MEASURED, samples, load=load_of(own_cores=own_cores))
        return judged(record, asked_of(plan=plan))

    @pytest.mark.parametrize(
        ("shares", "kind"),
        [
            ((0.6, 0.2, 0.2, 2.0), Bottleneck.UPDATE),
            ((0.2, 0.6, 0.2, 2.0), Bottleneck.INFERENCE),
            ((0.2, 0.2, 0.6, 2.0), Bottleneck.PLAYERS),
            ((0.2, 0.2, 0.6, 7.5), Bottleneck.CORES),
            ((0.2, 0.2, 0.6, 2.0, 0.2), Bottleneck.COMMUNICATION),
        ],
    )
    def test_bottleneck(self, shares: tuple[float, float, float, float], kind: Bottleneck) -> None:
        result = self.judge(*shares)
        assert result.bottleneck is kind
        assert result.bottleneck_figures is not None
        assert result.bottleneck_figures.update_share == pytest.approx(shares[0])
        assert result.utilisation == Utilisation(pytest.approx(shares[3]), 8.0, players=1)

    def test_without_timers_only_the_cores_are_known(self) -> None:
        result = judged(measured(load_of(own_cores=3.0)))
        assert (result.bottleneck, result.bottleneck_figures) == (None, None)
        assert result.utilisation == Utilisation(pytest.approx(3.0), 8.0, players=1)

    def test_nothing_measured_nothing_known(self) -> None:
        result = judged(record_of(SessionEnd.EXITED, load=load_of()))
        assert (result.bottleneck, result.utilisation) == (None, None)
        assert result.contention is not None


class TestMemory:
    def test_who_kept_the_cap_is_said(self) -> None:
        by_us = judged(record_of(SessionEnd.OVER_MEMORY, peak_memory_bytes=9 * GIB, cap_kept_by="sampling"))
        caps = {"peak_bytes": 9 * GIB, "cap_bytes": 8 * GIB}
        assert by_us.reason == Finding(FindingKind.OVER_MEMORY, caps)
        assert by_us.memory_cap_kept_by == "sampling"
        kernel = judged(record_of(SessionEnd.OVER_MEMORY, peak_memory_bytes=7 * GIB, cap_kept_by="cgroup v1"))
        found = {"peak_bytes": 7 * GIB, "cap_bytes": 8 * GIB, "mechanism": "cgroup v1"}
        assert kernel.reason == Finding(FindingKind.KERNEL_KEPT_CAP, found)

    def test_the_systems_own_killer_is_told_from_a_crash(self) -> None:
        result = judged(record_of(SessionEnd.EXITED, GOOD, ["Killed"], exit_code=-9, oom_kills=1))
        assert result.outcome is Outcome.OVER_MEMORY
        assert result.memory_cap_kept_by == "the system's out-of-memory killer"
        assert result.reason == Finding(FindingKind.SYSTEM_KILLED, {"peak_bytes": GIB})
        assert judged(record_of(SessionEnd.EXITED, GOOD, ["Killed"], exit_code=-9)).outcome is Outcome.CRASHED

    @pytest.mark.parametrize(
        ("fields", "outcome"),
        [
            ({"near_cap": True}, Outcome.OVER_MEMORY),
            ({"members_killed": (4711,)}, Outcome.OVER_MEMORY),
            ({}, Outcome.DISTURBED),  # whom it hit cannot be told
        ],
    )
    def test_somebody_elses_death_is_not_ours(self, fields: Any, outcome: Outcome) -> None:
        record = record_of(SessionEnd.EXITED, GOOD, ["goodbye"], exit_code=1, oom_kills=1, **fields)
        assert judged(record).outcome is outcome

    def test_a_learner_with_a_reason_of_its_own_has_crashed(self) -> None:
        log = ["Traceback (most recent call last):", "ModuleNotFoundError: No module named 'onnx'"]
        result = judged(record_of(SessionEnd.EXITED, (), log, exit_code=1, oom_kills=3))
        assert result.outcome is Outcome.CRASHED
        assert result.reason is not None
        assert result.reason.values["exception"] == log[-1]

    def test_gpu_memory(self) -> None:
        load = tuple(replace(one, gpu_memory_bytes=at * 2**20) for at, one in enumerate(load_of()[:5]))
        over = judged(record_of(SessionEnd.OVER_GPU_MEMORY, GOOD, load=load))
        assert over.peak_gpu_memory_bytes == 4 * 2**20
        assert over.reason == Finding(FindingKind.OVER_GPU_MEMORY, {"peak_bytes": 4 * 2**20})
        assert judged(measured(load_of())).peak_gpu_memory_bytes is None

    def test_the_prediction_is_kept_beside_the_peak(self) -> None:
        result = judged(measured(load_of()), asked_of(predicted_memory_bytes=(1.0, 2.0)))
        assert result.predicted_memory_bytes == (1.0, 2.0)


class TestStandstill:
    """A laptop that slept, a tool that was stopped."""

    def test_a_clock_that_went_on(self) -> None:
        load = load_of()
        late = (*load[:20], *(replace(one, seconds=one.seconds + 60) for one in load[20:]))
        result = judged(measured(late))
        assert result.outcome is Outcome.DISTURBED
        assert result.reason is not None
        assert result.reason.kind is FindingKind.STOOD_STILL
        assert result.reason.values["pause_seconds"] == pytest.approx(61.0, abs=0.5)
        assert result.steps_per_second is None

    def test_a_clock_that_stood_still(self) -> None:
        load = load_of()
        slept = (*load[:20], *(replace(one, asleep_seconds=3600.0) for one in load[20:]))
        assert judged(measured(slept)).outcome is Outcome.DISTURBED

    def test_a_crash_stays_a_crash(self) -> None:
        slept = (load_of()[0], replace(load_of()[1], asleep_seconds=3600.0))
        assert judged(record_of(SessionEnd.EXITED, load=slept)).outcome is Outcome.CRASHED


def test_a_signal_is_named() -> None:
    result = judged(record_of(SessionEnd.EXITED, GOOD, exit_code=-9))
    assert result.reason is not None and result.reason.values["signal"] == "SIGKILL"
    assert result.diagnosis is not None and "from outside with SIGKILL" in result.diagnosis


def test_the_longest_silence() -> None:
    """Moments of progress, and ticks between them that saw none."""
    moments = [(100.0, 10), (101.0, 20), (102.0, 20), (104.0, 20), (106.0, 30), (107.0, 40), (120.0, 40)]
    samples = [sample(seconds, steps, 1) for seconds, steps in moments]
    assert judged(record_of(SessionEnd.EXITED, samples)).longest_silence_seconds == 5.0
    assert judged(record_of(SessionEnd.EXITED, samples[:2])).longest_silence_seconds is None
    assert judged(measured(slices=((100.0, 104.0),) * 3)).longest_silence_seconds is None


def test_bursts_that_overfill_the_buffer_are_named() -> None:
    """27 areas of 16 agents hand in 64 steps each at once."""
    samples = session_of([(27_648, 10.0)] * 10)
    record = record_of(SessionEnd.MEASURED, samples)
    asked = asked_of(behaviors=config_of().behaviors)
    result = judged(record, asked, required=PerThousandSteps(None, 0.25 * 1000 / 2048))
    assert result.outcome is Outcome.TOO_FEW_UPDATES
    assert result.reason is not None and result.reason.kind is FindingKind.TOO_FEW_POLICY_UPDATES
    told = ("steps_an_update", "buffer_size", "time_horizon", "agents")
    assert [result.reason.values[name] for name in told] == [pytest.approx(27_648), 2048, 64, None]
    own = judged(measured(), asked, required=PerThousandSteps(None, 1.0))
    assert own.reason is not None and "steps_an_update" not in own.reason.values


class TestTheRace:
    def test_one_that_was_outpaced_has_no_number_but_what_it_collected(self) -> None:
        asked = asked_of(rule=Rule(0.025, 120.0, Cutting(), WARMUP, is_brief=True, rival=1000.0))
        samples = [sample(100.0 + at, 0, 0, "tick", decisions=1 + 90 * at) for at in range(10)]
        result = judged(record_of(SessionEnd.OUTPACED, samples), asked)
        assert (result.outcome, result.steps_per_second, result.diagnosis) == (Outcome.OUTPACED, None, None)
        assert result.collecting_steps_per_second == 90.0
        assert result.reason == Finding(FindingKind.OUTPACED, {"steps_per_second": 90.0, "fastest": 1000.0})
        assert result.cycles is None
