"""How plans become records: real sessions in use, scripted ones in tests and replays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sweeper.model.session import Round, SessionRecord, Watcher
from sweeper.plan.trial_plan import TrialPlan
from sweeper.session.turns import Contender


class Turns(Protocol):
    """Sessions that are alive together; see `sweeper.session.turns`."""

    def rounds(self, orders: Iterable[Sequence[int]]) -> Iterator[Round]:
        """A slice of each, again and again, for as long as the caller goes on."""

    def end(self) -> list[SessionRecord]:
        """End them all."""


class Runner(Protocol):
    """Runs sessions; see `sweeper.session`."""

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        """One session."""

    def in_turn(
        self, contenders: Sequence[Contender], max_wait_seconds: float, max_seconds: float = math.inf
    ) -> AbstractContextManager[Turns]:
        """Several sessions that are alive together and run in turn."""
