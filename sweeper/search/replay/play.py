"""A search on recorded sessions, from the user's own settings until it settles or its time is up."""

from __future__ import annotations

from dataclasses import replace

from sweeper.model.replay import Course, Moment
from sweeper.model.trial import Purpose, configuration_key
from sweeper.search.proposal import Question, Settled, Strategy
from sweeper.search.replay.surface import Surface, Tape
from sweeper.study.history import History


def play(surface: Surface, strategy: Strategy, seed: int, seconds: float, drops_inert: bool = True) -> Course:
    """One search. Every strategy gets the recorded sessions as they are and pays what they took, start-up included.

    Without racing, finals and sessions that other lengths were asked for: none of that was recorded. `drops_inert`:
    knobs that turn out to do nothing are not searched any more, as in a study.
    """
    tape = Tape(surface, seed)
    tape.play(surface.own, Purpose.BASELINE)
    moments: list[Moment] = []
    settled = False
    while not settled:
        history = History(tuple(tape.trials), surface.own, surface.min_updates)
        space = history.still_searched(surface.space) if drops_inert else surface.space
        question = Question(space, history, surface.cap_bytes, surface.usable_cores, seed)
        history = replace(history, expected=strategy.expected(question))
        if history.ranked:
            moments.append(_moment(surface, history, tape.seconds))
        answer = strategy.propose(question)
        settled = isinstance(answer, Settled)
        if not isinstance(answer, Settled):
            tape.play(answer.params)
            if tape.seconds >= seconds:
                break
    if not moments:
        moments.append(Moment(tape.seconds, 1.0, 0.0))
    broke = sum(not trial.is_ok for trial in tape.trials)
    return Course(tuple(moments), broke / len(tape.trials), settled)


def _moment(surface: Surface, history: History, seconds: float) -> Moment:
    leader = history.ranked[0]
    # What failed in another of its sessions is no answer, however fast this one was.
    true = surface.speeds.get(configuration_key(leader.params), 0.0)
    claimed = history.speed(leader) / true - 1 if true else 0.0
    return Moment(seconds, 1 - true / surface.best, claimed)
