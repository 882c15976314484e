"""The main job: run or resume a study, and leave its results."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.app.alone import alone
from sweeper.app.clock import now, seconds_to
from sweeper.app.drive import Drive
from sweeper.app.glimpses import event_of
from sweeper.app.outputs import Outputs, remove_half_written
from sweeper.app.prepare import Overrides, Prepared, gpu_cap_bytes, load, prepare
from sweeper.app.run_log import logged_to
from sweeper.app.stop import StopSignal
from sweeper.app.study_folder import ELSEWHERE, move_aside, open_folder
from sweeper.app.trials import Trials
from sweeper.errors import Interrupted, InterruptedNow, NothingFeasible, SweeperError
from sweeper.machine import available_memory, memory_margin
from sweeper.measure.cycles import cutting
from sweeper.measure.rate import current_rate
from sweeper.model.events import Listener, StageChanged, StudyStarted
from sweeper.model.folder import StudyFolder
from sweeper.model.study import StudyResult, Verdict
from sweeper.model.trial import Outcome, TrialResult
from sweeper.session.gpu import Gpus
from sweeper.session.host import exclusive
from sweeper.session.identity import check_processes
from sweeper.session.leftovers import clean_up
from sweeper.session.memory import MemoryRules
from sweeper.session.session import Glimpse
from sweeper.session.surroundings import proxy_for_localhost
from sweeper.session.turns import Sessions
from sweeper.store import Patience, Store
from sweeper.study.answer import conclude
from sweeper.troubles.beforehand import PROXY

log = logging.getLogger("sweeper")


@dataclass(frozen=True)
class Finished:
    """A study that ran. `moved`: where an old folder went. `ran`: sessions of this run; 0: it was finished before."""

    result: StudyResult
    prepared: Prepared
    moved: Path | None
    ran: int


def run_study(path: Path, overrides: Overrides, fresh: bool, tell: Listener, stop: StopSignal) -> Finished:
    """Run the study in `path` until its budget is spent; whatever happens, finished trials are saved.

    Raises:
        SweeperError: as its kind says; results so far are written first.
        Interrupted: we were asked to stop; likewise.
    """
    load(path, overrides)  # what is wrong with the files is said at once
    check_processes()
    with ExitStack() as stack:
        alone(stack, lambda text: tell(StageChanged(text)), stop)
        left = clean_up()
        # Only now is the machine's memory free of what a killed run left, and of the sweep we waited for.
        try:
            prepared = prepare(path, overrides)
        finally:
            stop.check()  # a Ctrl-C also reaches the learner that is just being asked for its flags
        if (proxy := proxy_for_localhost()) is not None and prepared.subject.study.has_build:
            tell(StageChanged(f"Careful: {PROXY.told({'proxy': proxy})}."))
        moved = _moved_aside(prepared.folder) if fresh else None
        open_folder(prepared.folder)
        stack.enter_context(_in_use(prepared.folder))
        remove_half_written(prepared.folder)
        stack.enter_context(logged_to(prepared.folder.log))
        store = _opened(prepared, tell, stop)
        prepared = _resumed(prepared, store, overrides)
        if left:
            log.info("ended what a killed run left: processes %s, folders %s", left.pids, left.folders)
        _recover(store)
        before = store.results()
        tell(_started(prepared, store, before))
        result = _sweep(prepared, store, tell, stop)
    return Finished(result, prepared, moved, len(result.trials) - len(before))


def _opened(prepared: Prepared, tell: Listener, stop: StopSignal) -> Store:
    return Store.open(
        prepared.folder.storage,
        prepared.subject.study.spec.name,
        prepared.identity(),
        prepared.knob_values(),
        now(),
        prepared.cap_bytes,
        gpu_cap_bytes(prepared.subject.study, Gpus().free_bytes()),
        Patience(waiting=lambda text: tell(StageChanged(text)), check=stop.check),
    )


def _resumed(prepared: Prepared, store: Store, overrides: Overrides) -> Prepared:
    """`prepared` with what its store settles: the memory cap that it began with, and what is left until a deadline."""
    prepared = replace(prepared, cap_note=prepared.note_on_cap(store.memory_cap_bytes))
    if prepared.until is not None:
        # A deadline given by the clock bounds what is left, whatever was spent before.
        total = store.spent_seconds + seconds_to(prepared.until)
        seconds = min(prepared.budget.seconds, total) if overrides.budget_seconds else total
        prepared = replace(prepared, budget=replace(prepared.budget, seconds=seconds))
    return prepared


def _recover(store: Store) -> None:
    """Take over what a run that was killed left unfinished; its time is spent all the same."""
    recovered = store.recover()
    if recovered.stored or recovered.failed:
        log.info("of a run that was killed: results stored %s, sessions cut off %s", recovered.stored, recovered.failed)
    if recovered.lost_seconds:
        store.spend(recovered.lost_seconds)


def _started(prepared: Prepared, store: Store, before: Sequence[TrialResult]) -> StudyStarted:
    return StudyStarted(
        prepared.subject.study.spec.name,
        str(prepared.folder.root),
        sum(trial.outcome is not Outcome.INTERRUPTED for trial in before),
        store.memory_cap_bytes,
        prepared.budget.seconds,
        store.spent_seconds,
        prepared.notes,
    )


def _in_use(folder: StudyFolder) -> AbstractContextManager[None]:
    return exclusive(folder.lock, f"the study in {folder.root}", "wait for it to end", mend=ELSEWHERE)


def _moved_aside(folder: StudyFolder) -> Path | None:
    """Move an old study out of the way, unless somebody works in it; returns where it went."""
    if not folder.root.is_dir():
        return None
    with _in_use(folder):
        moved = move_aside(folder)
    StudyFolder(moved).lock.with_suffix(".pid").unlink(missing_ok=True)
    return moved


def _sweep(prepared: Prepared, store: Store, tell: Listener, stop: StopSignal) -> StudyResult:
    def concluded(reason: str | None, cut_short: bool = False) -> StudyResult:
        facts = prepared.facts(store.started_at, store.spent_seconds, store.memory_cap_bytes, reason, cut_short)
        return conclude(facts, prepared.history(store.results()))

    outputs = Outputs(prepared, lambda text: tell(StageChanged(text)))

    def show(glimpse: Glimpse) -> None:
        cut = cutting(prepared.subject.config.behaviors)
        rate = current_rate(glimpse.samples, cut)
        tell(event_of(glimpse, rate))

    try:
        outputs.save_all(concluded(None))  # so that there is one before the first trial ends
        with Sessions(_memory_rules(prepared, store), prepared.machine.usable_cores, stop.asked, show) as sessions:
            trials = Trials(prepared, store, sessions, stop, tell, lambda: outputs.save(concluded(None)))
            result = concluded(Drive(trials).run())
    except InterruptedNow:
        raise  # asked twice: results.json is as of the last trial, and the report can be made from it
    except Interrupted:
        outputs.save_all(concluded("interrupted", cut_short=True))
        raise
    except SweeperError as error:
        log.error("%s", error)
        outputs.save_all(concluded(str(error).splitlines()[0], not isinstance(error, NothingFeasible)))
        raise
    outputs.save_all(result)
    if result.verdict is Verdict.NONE_FEASIBLE:
        raise NothingFeasible("no configuration is feasible", f"see {prepared.folder.report} for why each one failed")
    return result


def _memory_rules(prepared: Prepared, store: Store) -> MemoryRules:
    return MemoryRules(
        store.memory_cap_bytes,
        memory_margin(prepared.machine.memory_bytes),
        available_memory,
        store.gpu_memory_cap_bytes,
    )
