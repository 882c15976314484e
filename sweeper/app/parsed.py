"""What the learner's own parser says of a study: of its trials, and of every answer that it may come to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.inputs.defaults import HYPERPARAMETERS
from sweeper.inputs.trainer_config import LAUNCH_KNOBS
from sweeper.inputs.tuned import tuned_text
from sweeper.model.folder import TrialFolder
from sweeper.model.trial import ParamValue
from sweeper.plan.space import Space
from sweeper.plan.subject import Subject
from sweeper.session.parser import Question, Refusal, ask_parser

MOST_VALUES = 100
"""Of all knobs together, that are asked about; each takes some milliseconds."""


@dataclass(frozen=True)
class _Case:
    """A question, and the value of a knob that it is about; None where it is the user's own settings."""

    question: Question
    changed: tuple[str, ParamValue] | None = None


def check_with_parser(subject: Subject, space: Space, learner: Path) -> None:
    """Ask whether the learner accepts the trials, the user's own settings, and those with each value of each knob.

    Raises:
        InvalidInput: it refuses one; says where, and what it said.
        NotAsked: its parser cannot be asked.
    """
    cases = list(_cases(subject, space))
    for case, refusal in zip(cases, ask_parser(learner, [case.question for case in cases])):
        if refusal is not None:
            raise _refused(subject, case, refusal)


def _cases(subject: Subject, space: Space) -> Iterator[_Case]:
    folder = TrialFolder(Path("trials", "0000").absolute())
    plan = subject.plan(space.baseline, number=0, seed=0, base_port=5005, folder=folder)
    yield _Case(_answer(subject, space, space.baseline))
    yield _Case(Question(plan.config_text, plan.argv[2:]))
    values = ((knob, value) for knob, values in space.knobs.items() if knob not in LAUNCH_KNOBS for value in values)
    for knob, value in itertools.islice(values, MOST_VALUES):
        params = space.configuration({knob: value})
        if space.problem(params) is None:
            yield _Case(_answer(subject, space, params), (knob, value))


def _answer(subject: Subject, space: Space, params: Mapping[str, ParamValue]) -> Question:
    """What people would train with, were these the answer."""
    spec = subject.study.spec
    text = tuned_text(
        subject.config,
        params,
        searched=space.knobs,
        engine=spec.engine.model_dump(),
        in_editor=subject.is_in_editor,
        initializes=spec.initialize_from is not None,
    )
    return Question(text, subject.command(params, "tuned.yaml")[2:])


def _refused(subject: Subject, case: _Case, refusal: Refusal) -> InvalidInput:
    said = f"mlagents-learn refuses this: {refusal.message}"
    if case.changed is None:
        return subject.config.source.error(refusal.path, said, _mend(refusal))
    knob, value = case.changed
    where = ("space", knob) if knob in (subject.study.spec.space or {}) else ("space",)
    hint = f"leave {value!r} out of this space" if where[1:] else f"name a space without it: {knob} is derived here"
    return subject.study.source.error(where, f"with {knob} {value!r} {said}", hint)


def _mend(refusal: Refusal) -> str:
    if refusal.path[-1:] == ("trainer_type",):
        own = ", ".join(HYPERPARAMETERS)
        return f"the learner's own are {own}; a plug-in's is known where its package is installed beside mlagents"
    if not refusal.path:
        return "training would end with the same message: look for what it names"
    return "training would end with the same message: correct this entry, or remove it where it has a default"
