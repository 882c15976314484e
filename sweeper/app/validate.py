"""What a study would do, without doing it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from sweeper.app.parsed import check_with_parser
from sweeper.app.prepare import NEEDED_FLAGS, Overrides, load, memory_cap, notes_on_gpu
from sweeper.machine import describe_machine
from sweeper.model.folder import TrialFolder
from sweeper.plan.space import build_space
from sweeper.plan.subject import Subject
from sweeper.plan.trial_plan import Launch
from sweeper.report.words.study_notes import study_note
from sweeper.report.words.values import command_text, params_text, value_text
from sweeper.search.strategies import STRATEGIES
from sweeper.session.build import find_build, told
from sweeper.session.learner import command_name, locate_learner
from sweeper.session.parser import NotAsked
from sweeper.study.confirmation import LEADERS
from sweeper.units import format_bytes, format_seconds

_FLAGS = (
    "--run-id", "--results-dir", "--env", "--num-envs", "--initialize-from", "--seed", "--base-port", *NEEDED_FLAGS,
)  # fmt: skip
LISTED = 5_000


def describe(path: Path, overrides: Overrides) -> Iterator[str]:
    """Lines for people: space, baseline, cap, plan and first command. Raises as `prepare` does.

    No training is started; the learner's parser is asked what it says, and flags are those of mlagents 1.1.0.
    """
    study, config = load(path, overrides)
    machine = describe_machine({})
    cap, cap_note = memory_cap(study.spec.memory_cap, machine)
    learner = locate_learner(study)
    build = find_build(study)
    launch = Launch(str(learner), command_name(study, learner), build, _FLAGS, told(build) if build else None)
    subject = Subject(study, config, launch)
    space = build_space(study, config, machine.usable_cores, cap, accepts_areas=True)
    yield f"Study {study.spec.name}: {study.path}"
    yield "Knobs:"
    for knob, values in space.knobs.items():
        yield f"  {knob}: {', '.join(map(value_text, values))}"
    if space.size <= LISTED:
        yield f"{sum(1 for _ in space.combinations())} legal configurations of {space.size} combinations"
    else:
        yield f"{space.size:,} combinations"
    source = "" if space.baseline_stated else " (from the trainer config)"
    yield f"What you run today{source}: {params_text(space.baseline)}"
    for note in (*space.notes, *((cap_note,) if cap_note else ()), *notes_on_gpu(study, machine)):
        yield f"Note: {study_note(note)}"
    yield f"Memory cap: {format_bytes(cap)} of {format_bytes(machine.available_memory_bytes)} available"
    anchors = not STRATEGIES[study.spec.sampler].is_brief
    yield from _plan(study.spec.budget.seconds, study.spec.budget.trials, anchors)
    least, most = study.spec.measure.limits(study.spec.budget.seconds)
    yield f"A session measures for {least:.0f} to {most:.0f} s, more where cycles are long"
    folder = TrialFolder((overrides.out or Path("reports") / study.spec.name).absolute() / "trials" / "0000")
    plan = subject.plan(space.baseline, number=0, seed=0, base_port=5100, folder=folder)
    yield f"First command: {command_text(plan.argv)}"
    try:
        check_with_parser(subject, space, learner)
        yield f"{config.path}: the learner's own parser accepts it, with every value of every knob"
    except NotAsked as error:
        yield f"{config.path}: the learner's own parser was not asked: {error}"


def _plan(seconds: float, trials: int | None, anchors: bool) -> Iterator[str]:
    budget = format_seconds(seconds) if math.isfinite(seconds) else "without a limit on time"
    limit = f", at most {trials} trials" if trials else ""
    sessions = 1 + LEADERS
    if trials and trials < 2 * sessions + 2:
        yield (
            f"Budget {budget}{limit}: your settings first, then the search; too few trials to keep "
            f"some for a confirmation, which takes {sessions} and more, so the answer may stay unconfirmed"
        )
        return
    yield (
        f"Budget {budget}{limit}: your settings first{' and through the search' if anchors else ''}; then they and the "
        f"{LEADERS} fastest again side by side, until the answer is clear, for which enough is kept"
    )
