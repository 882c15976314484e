"""`sweeper guide`: the parallel-training guide's speed-up table, measured on this machine."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sweeper.app.check.pairs import Pairs, whole_lengths
from sweeper.app.check.run import sessions_for
from sweeper.app.check.sides import Side
from sweeper.app.clock import now
from sweeper.app.outputs import write_atomically
from sweeper.app.prepare import Overrides, Prepared, prepare
from sweeper.app.run import alone
from sweeper.app.stop import StopSignal
from sweeper.compare.guide_table import knee, row
from sweeper.errors import InvalidInput, NotReady
from sweeper.model.guide import GUIDE, GuideResult
from sweeper.model.study import to_json
from sweeper.model.trial import Outcome, Params, TrialResult
from sweeper.report.words.reasons import OUTCOME_WORDS, reason_text
from sweeper.session.leftovers import clean_up
from sweeper.study.judge import Terms

VOIDS = 2
"""Times that a disturbed session of a round is run again."""


def measure_guide(
    path: Path, rounds: int, folder: Path | None, say: Callable[[str], None], stop: StopSignal
) -> tuple[GuideResult, Path]:
    """Every row once a round, in random order; returns the table, and the file that holds it.

    Raises:
        SweeperError: as its kind says: the study cannot be measured.
        Interrupted: we were asked to stop.
    """
    with ExitStack() as stack:
        alone(stack, say, stop)
        clean_up()
        prepared = prepare(path, Overrides())
        if not prepared.subject.study.has_build:
            raise InvalidInput(f"{path}: the Editor is one environment: the guide's table needs a build (env_path)")
        root = folder or Path("reports") / f"{prepared.subject.study.spec.name}-guide"
        _make(root)
        sessions = stack.enter_context(sessions_for(prepared.machine, prepared.cap_bytes, stop))
        tolerates = prepared.subject.study.spec.measure.contention == "mark"
        terms = Terms(prepared.cap_bytes, None, prepared.machine.usable_cores, tolerates)
        own = Side("own", (), prepared.subject, prepared.space.baseline)
        pairs = Pairs((own, own), sessions, root, terms, prepared.machine.key, stop)
        result = _measured(prepared, pairs, rounds, say)
    file = root / "guide.json"
    write_atomically(file, _text(result))
    return result, file


def _measured(prepared: Prepared, pairs: Pairs, rounds: int, say: Callable[[str], None]) -> GuideResult:
    started_at = now()
    places = {place: _params(prepared, *place) for place in GUIDE}
    found: dict[tuple[int, int], list[TrialResult | None]] = {place: [] for place in places}
    failed: dict[tuple[int, int], TrialResult] = {}
    chooser = random.Random(1)
    for number in range(rounds):
        for place in chooser.sample(sorted(places), len(places)):
            if place in failed:
                found[place].append(None)
                continue
            side = Side(f"{place[0]}x{place[1]}", (), prepared.subject, places[place])
            trial = _session(pairs, side, number)
            found[place].append(trial if trial.is_ok else None)
            if trial.outcome.is_infeasible:
                failed[place] = trial
                if place == (1, 1):
                    raise NotReady(f"one environment with one area does not run: {_said(trial)}", trial.diagnosis)
            say(f"round {number + 1} of {rounds}, {_named(place)}: {_said(trial)}")
    rows = tuple(
        row(place, places[place], found, _said(failed[place]) if place in failed else None) for place in places
    )
    last, after = knee(rows)
    return GuideResult(
        prepared.subject.study.spec.name,
        started_at,
        pairs.seconds,
        prepared.machine,
        rows,
        rounds,
        last,
        None if after is None else after.bottleneck,
        tuple(pairs.trials),
    )


def _session(pairs: Pairs, side: Side, seed: int) -> TrialResult:
    lengths = replace(whole_lengths(side, is_pilot=True), warmup_cycles=1)
    for attempt in range(VOIDS + 1):
        trial = pairs.alone(side, seed, lengths)
        if trial.outcome is not Outcome.DISTURBED or attempt == VOIDS:
            break
    return trial


def _params(prepared: Prepared, envs: int, areas: int) -> Params:
    return {**prepared.space.baseline, "num_envs": envs, "num_areas": areas}


def _make(root: Path) -> None:
    try:
        (root / "trials").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"cannot write to {root}: {error.strerror or error}", "name another folder with --out") from None


def _text(result: GuideResult) -> str:
    return json.dumps(to_json(result), indent=1) + "\n"


def _named(place: tuple[int, int]) -> str:
    return f"{place[0]} environment{'s' if place[0] > 1 else ''} x {place[1]} area{'s' if place[1] > 1 else ''}"


def _said(trial: TrialResult) -> str:
    if trial.is_ok:
        return f"{trial.steps_per_second:,.0f} agent steps/s"
    return reason_text(trial.reason) or OUTCOME_WORDS[trial.outcome]
