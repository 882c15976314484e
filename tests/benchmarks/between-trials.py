"""What the tool itself takes between two trials: recording, pooling, choosing the next, writing results.json.

A synthetic study on SQLite with so many finished trials; the report page, drawn once a minute at the most, is left out.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from optuna.trial import TrialState, create_trial

from sweeper.app.outputs import save_results
from sweeper.app.prepare import Prepared
from sweeper.inputs.study_limits import Budget
from sweeper.model.study import to_json
from sweeper.model.trial import Params, Purpose, Stage, TrialResult
from sweeper.search.proposal import Proposal, Question
from sweeper.store import Store
from sweeper.study.allowance import Allowance
from sweeper.study.answer import conclude
from sweeper.study.course import next_step
from sweeper.study.history import History
from tests.benchmarks.common import SHORT, finish, table
from tests.helpers.builders import GIB, prepared_of, trial_of
from tests.helpers.results import full_trial

SIZES = (10, 100, 1_000) if SHORT else (10, 100, 1_000, 10_000)
REPEATS = 5
STUDY = (
    "env_path: build.x86_64\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: {low: 1, high: 64}, num_areas: {low: 1, high: 32}, batch_size: [64, 128, 256, 512]}\n"
)


def results(prepared: Prepared, count: int) -> Iterator[TrialResult]:
    """As large as real ones: the user's own settings at every eighth, else a configuration of its own."""
    chooser = random.Random(1)
    legal = list(prepared.space.combinations())
    chooser.shuffle(legal)
    pattern = full_trial(slices=(), log_tail=(), round=None)
    for number in range(count):
        own = number % 9 == 0
        purpose = Purpose.BASELINE if number == 0 else Purpose.ANCHOR if own else Purpose.SEARCH
        trial = trial_of(number, prepared.space.baseline if own else legal[number % len(legal)], purpose=purpose)
        rate = chooser.lognormvariate(7.0 if own else 7.5, 0.1)
        yield type(trial)(
            **{
                **pattern.__dict__,
                "number": number, "params": trial.params, "purpose": purpose, "seed": number, "steps_per_second": rate,
                "stage": Stage.SEARCH if number else Stage.PILOT, "cost_seconds": 30.0,
            }
        )  # fmt: skip


def filled(prepared: Prepared, count: int) -> Store:
    """A store with so many finished trials."""
    path = prepared.folder.storage
    identity, values = prepared.identity(), prepared.knob_values()
    store = Store.open(path, "racer", identity, values, "2026-01-01T00:00:00+00:00", 8 * GIB)
    distributions = store._distributions
    store._study.add_trials(
        [
            create_trial(
                state=TrialState.COMPLETE,
                value=result.steps_per_second,
                params=dict(result.params),
                distributions=distributions,
                user_attrs={"sweeper:result": to_json(result), "outcome": "ok", "feasible": True},
            )
            for result in results(prepared, count)
        ]
    )
    return Store.open(path, "racer", identity, values, "2026-01-01T00:00:00+00:00", 8 * GIB)


def seconds_between(prepared: Prepared, store: Store) -> dict[str, float]:
    """From a session's end to the next one's start, by part."""
    texts: dict[int, tuple[TrialResult, str]] = {}
    parts: dict[str, list[float]] = {}
    history = prepared.history(store.results())
    params = _proposed(prepared, history)
    for repeat in range(REPEATS + 1):
        assert params is not None
        number = store.start(params, purpose=Purpose.SEARCH, stage=Stage.SEARCH, machine="m1")
        result = trial_of(number, params, 1500.0, cost_seconds=30.0)
        marks = [time.perf_counter()]

        def mark() -> None:
            marks.append(time.perf_counter())  # noqa: B023

        store.finish(result, history.constraints(result, 8 * GIB))
        store.spend(30.0)
        mark()
        history = prepared.history(store.results())
        facts = prepared.facts("2026-01-01T00:00:00+00:00", store.spent_seconds, 8 * GIB, None)
        concluded = conclude(facts, history)
        mark()
        save_results(prepared.folder, concluded, texts)
        mark()
        next_step(Allowance(history, Budget(1e9), store.spent_seconds, 8 * GIB), prepared.space, 0, None)
        mark()
        params = _proposed(prepared, history)
        mark()
        names = ("recording", "concluding", "results.json", "next step", "proposal")
        if repeat:  # the first writes every trial out, as a resume does
            for name, begin, end in zip(names, marks, marks[1:]):
                parts.setdefault(name, []).append(end - begin)
            parts.setdefault("all", []).append(marks[-1] - marks[0])
    return {name: statistics.median(values) for name, values in parts.items()}


def _proposed(prepared: Prepared, history: History) -> Params | None:
    answer = prepared.strategy.propose(Question(prepared.space, history, 8 * GIB, 8))
    return answer.params if isinstance(answer, Proposal) else None


def main() -> None:
    rows, figures = [], {}
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            prepared = prepared_of(STUDY, root=Path(folder))
            found = seconds_between(prepared, filled(prepared, size))
        figures[str(size)] = found["all"]
        rows.append((size, *found.values()))
        print(size, found, flush=True)
    table(("trials", "recording", "concluding", "results.json", "next step", "proposal", "all, s"), rows)
    finish({"seconds": figures})


if __name__ == "__main__":
    main()
