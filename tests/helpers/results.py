"""Whole study results for tests of the model and the report."""

from __future__ import annotations

from typing import Any

from sweeper.model.findings import Bottleneck, BottleneckFigures, Finding, FindingKind
from sweeper.model.guide import Rule, RuleKind
from sweeper.model.load import BusyProcess, Contention, Part, Utilisation
from sweeper.model.measurement import Method, PerThousandSteps, Phases
from sweeper.model.study import (
    Baseline,
    Best,
    IntervalFrom,
    NoFewerUpdates,
    Noise,
    Pooled,
    Speedup,
    StudyInfo,
    StudyResult,
    Verdict,
)
from sweeper.model.trial import Outcome, Purpose, TrialResult
from tests.helpers.builders import GIB, machine_of, params_of, said, trial_of

OWN, FAST, BROKEN = params_of(1), params_of(4, 4, 256), params_of(8, 16)

NOISY = Finding(FindingKind.NOT_PRECISE, {"error_percent": 3.1, "asked_percent": 2.0})
PER_1000 = PerThousandSteps(20.0, 0.5)


def full_trial(**fields: Any) -> TrialResult:
    everything: dict[str, Any] = {
        "reason": Finding(FindingKind.STALLED),
        "diagnosis": "d",
        "interval": (900.0, 1100.0),
        "cycles": 8,
        "startup_seconds": 5.0,
        "warmup_seconds": 4.0,
        "measured_seconds": 16.0,
        "predicted_memory_bytes": (1.0, 2.0),
        "agents": 16.0,
        "phases": Phases(6.0, 1.0, 2.0, 4.0),
        "utilisation": Utilisation(
            1.5, 2.0, {Part.LEARNER: 1.0, Part.PLAYERS: 0.5}, (90.0, 60.0), {Part.PLAYERS: 400 * 1024**2}, 2
        ),
        "bottleneck": Bottleneck.UPDATE,
        "bottleneck_figures": BottleneckFigures(0.6, 0.3, 0.1),
        "contention": Contention(3.0, 0.0, 0.5, None, 12.0, (BusyProcess("chrome", 0.2),)),
        "command": ("mlagents-learn", "a b.yaml"),
        "log_tail": ("one", "two"),
        "warnings": (NOISY,),
        "round": 1,
        "slices": (1900.0, 2100.0),
        "relative_standard_error": 0.02,
        "warmup_cycles": 2,
        "method": Method.SLICES,
    }
    return trial_of(9, FAST, 2000.0, Purpose.CONFIRM, **{**everything, **fields})


def info_of(**fields: Any) -> StudyInfo:
    defaults: dict[str, Any] = {
        "name": "racer",
        "file": "/somewhere/study.yaml",
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 600.0,
        "budget": 1200.0,
        "trial_limit": None,
        "stopped_because": "budget",
        "trainer_config": "/somewhere/car.yaml",
        "env_path": None,
        "space": {"num_envs": (1, 4), "threaded": (False, True)},
        "min_updates": 0.25,
    }
    return StudyInfo(**{**defaults, **fields})


RULES = (
    Rule(RuleKind.ENVIRONMENTS, None, 4, (4.0, 4.0), 4.0, None, held=False),
    Rule(RuleKind.SPEEDUP, 2, 1, (1.8, 1.8), 1.5, None, held=None),
    Rule(RuleKind.SPEEDUP, 4, 2, (5.5, 5.5), 2.1, (1.9, 2.3), held=False),
    Rule(RuleKind.CORES, 1, None, (1.0, 2.0), 1.5, None, held=True),
    Rule(RuleKind.PLAYER_MEMORY, None, None, (0.5e9, 2e9), 209715200.0, None, held=False),
    Rule(RuleKind.MEMORY, 4, None, (2e9, 8e9), 3.0 * GIB, None, held=True),
    Rule(RuleKind.GPU, 8, None, (5.0, 100.0), 22.0, None, held=True),
)


def full_result(**fields: Any) -> StudyResult:
    defaults: dict[str, Any] = {
        "study": info_of(),
        "machine": machine_of(gpus=("GPU A",)),
        "memory_cap_bytes": 8 * GIB,
        "warnings": (Finding(FindingKind.SPACE_DERIVED),),
        "noise": Noise(2.5, None),
        "guide": RULES,
        "baseline": Baseline(
            0, True, OWN, 1000.0, command=("mlagents-learn", "/r/car.yaml", "--env=/b/my build", "--num-envs=1")
        ),
        "best": Best(
            trial=9,
            params=FAST,
            steps_per_second=2000.0,
            interval=(1900.0, 2100.0),
            interval_from=IntervalFrom.CONFIRMED,
            peak_memory_bytes=2 * GIB,
            updates_per_1000_steps=PerThousandSteps(10.0, 0.5),
            bottleneck=None,
            speedup=Speedup(2.0, (1.8, 2.2)),
            tied_with=(params_of(2, 4, 256),),
            command=("mlagents-learn", "/r/best.yaml", "--env=/b/my build"),
            verdict=Verdict.BETTER,
        ),
        "best_with_no_fewer_updates": NoFewerUpdates(params_of(2), 1500.0, Speedup(1.5, None)),
        "trials": (
            trial_of(0, OWN, 1000.0, Purpose.BASELINE, interval=(980.0, 1020.0), cycles=8),
            trial_of(1, params_of(2), 1500.0),
            trial_of(
                2,
                BROKEN,
                purpose=Purpose.SEARCH,
                outcome=Outcome.CRASHED,
                reason=said("it broke"),
                diagnosis="mend it",
                log_tail=("Traceback", "Boom: x"),
                peak_memory_bytes=None,
                updates_per_1000_steps=None,
            ),
            full_trial(),
        ),
        "verdict": Verdict.BETTER,
        "configurations": (
            Pooled(
                FAST,
                2000.0,
                (1900.0, 2100.0),
                IntervalFrom.CONFIRMED,
                1,
                2,
                True,
                (2000.0,),
                GIB,
                PER_1000,
                Speedup(2.0, (1.8, 2.2)),
            ),
            Pooled(params_of(2), 1500.0, None, None, 1, 0, True, (1500.0,), GIB, PER_1000),
            Pooled(OWN, 1000.0, (980.0, 1020.0), IntervalFrom.WITHIN, 1, 0, True, (1000.0,), GIB, PER_1000),
            Pooled(BROKEN, None, None, None, 0, 0, False),
        ),
    }
    return StudyResult(**{**defaults, **fields})
