"""Recorded sessions: made once by `accuracy`, read by whoever compares estimators on the very same sessions."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweeper.measure.steadiness import MAX_CHANGE, speed_change
from sweeper.model.measurement import BehaviorCount, Sample
from sweeper.model.session import Progress
from tests.benchmarks.common import ATTEMPTS, OVERNIGHT_MAX_SECONDS, SHORT, Bench, Case, interleaved, params, rule_of

LONG_SECONDS = 2 * OVERNIGHT_MAX_SECONDS
FILE = Path(f".bench/accuracy-{LONG_SECONDS:.0f}s.json.gz")
"""Named by its length: in a shorter recording a part would be the whole, and its error nothing."""
REPEATS = int(os.environ.get("REPEATS", 2 if SHORT else 3))
"""Of sessions that are measured as a trial is; the error between them needs two."""
STEP_MS = 0.2
"""Of one area: a scene of 16 takes 3.2 ms a step."""
SPIN = ("--work", "spin", "--step-ms", str(STEP_MS))
SLEEP = ("--work", "sleep", "--step-ms", str(STEP_MS))
CASES = [
    Case("spin, 1 env x 16 areas", params(1, 16), SPIN),
    Case("spin, threaded", params(1, 16, threaded=True), SPIN),
    Case("spin, buffer 16,384", params(1, 16) | {"hyperparameters.buffer_size": 16384}, SPIN),
    Case("sleep, 2 envs x 4 areas", params(2, 4), SLEEP),
    Case("sleep, threaded", params(2, 8, threaded=True), SLEEP),
    Case("sleep, buffer 8,192", params(1, 8) | {"hyperparameters.buffer_size": 8192}, SLEEP),
]  # fmt: skip
_BY_NAME = {case.name: case for case in CASES}


@dataclass(frozen=True)
class Recorded:
    """A session: `long` ones are the truth about themselves, the others are measured as a trial is."""

    case: Case
    long: bool
    samples: tuple[Sample, ...]
    console: tuple[str, ...]
    disturbance: str | None

    @property
    def is_steady(self) -> bool:
        """Whether the machine kept its speed: of one that did not, the whole is a poor truth about its parts."""
        updates = [sample.seconds for sample in self.samples if sample.kind == "update"]
        change = speed_change(self.samples, (updates[0], updates[-1])) if updates else None
        return change is None or change.ratio <= MAX_CHANGE


def record() -> list[Recorded]:
    """Long sessions of every case, then interleaved repeats; FILE is written after each."""
    found: list[Recorded] = []
    with Bench() as bench:
        print(
            f"recording {len(CASES)} cases: a long session of {LONG_SECONDS:.0f} s and {REPEATS} repeats each",
            flush=True,
        )
        for case in interleaved(CASES, 1):
            _add_attempts(bench, case, found, long=True)
        for case in interleaved(CASES, REPEATS):
            _add_attempts(bench, case, found, long=False)
    return found


def save(sessions: Sequence[Recorded]) -> None:
    """Write a recording to FILE."""
    FILE.parent.mkdir(exist_ok=True)
    with gzip.open(FILE, "wt") as file:
        json.dump([asdict(session) for session in sessions], file)


def load_or_record() -> list[Recorded]:
    """The recording that is there, else a new one, also where its cases were others than these."""
    found = list(_load()) if FILE.exists() else []
    return found if {session.case.name: session.case for session in found} == _BY_NAME else record()


def _add_attempts(bench: Bench, case: Case, found: list[Recorded], long: bool) -> None:
    """Again while other programs disturb it, as a study does, at most ATTEMPTS times; all of them are kept."""
    for _ in range(ATTEMPTS):
        found.append(_session(bench, case, long))
        save(found)
        if found[-1].disturbance is None:
            break


def _session(bench: Bench, case: Case, long: bool) -> Recorded:
    rule = rule_of(case)

    def watch_long(samples: Any) -> Progress:
        first = next((sample for sample in samples if sample.policy_updates), None)
        enough = first is not None and samples[-1].seconds - first.seconds >= LONG_SECONDS
        return Progress.ENOUGH if enough else Progress.GO_ON

    result = bench.run(case, watch_long if long else rule)
    log = (bench.root / "trials" / f"{bench._number:04d}" / "learner.log").read_text(errors="replace")
    load = bench.disturbance(result)
    lines = tuple(line for line in log.splitlines() if ". Step: " in line)
    found = Recorded(case, long, result.samples, lines, load)
    remarks = [load or "", "" if found.is_steady else "the machine changed its speed"]
    print(", ".join([f"  {case.name}: {result.end.name.lower()}", *filter(None, remarks)]), flush=True)
    return found


def _load() -> Iterator[Recorded]:
    with gzip.open(FILE, "rt") as file:
        for data in json.load(file):
            case = Case(data["case"]["name"], data["case"]["params"], tuple(data["case"]["env_args"]))
            samples = tuple(
                Sample(
                    item["seconds"],
                    item["kind"],
                    {name: BehaviorCount(**counts) for name, counts in item["behaviors"].items()},
                    {name: (total, count) for name, (total, count) in item["timers"].items()},
                    item["updated"],
                )
                for item in data["samples"]
            )
            yield Recorded(case, data["long"], samples, tuple(data["console"]), data["disturbance"])
