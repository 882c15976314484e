"""What a search strategy is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from sweeper.model.trial import Params
from sweeper.plan.space import Space
from sweeper.study.history import History


@dataclass(frozen=True)
class Question:
    """All that a strategy may look at: equal questions have equal answers. `seed`: of what is left to chance."""

    space: Space
    history: History
    cap_bytes: int
    usable_cores: int
    seed: int = 0


class Because(str, Enum):
    """Why a configuration is proposed."""

    FIRST = "first"
    """One of the first sessions, the same in every study."""
    SAMPLED = "sampled"
    """A sampler of Optuna's said so."""
    TEACHES = "teaches"
    """Its session teaches most about the fastest, for the seconds that it costs."""
    OWED = "owed"
    """It was begun, and others disturbed it or somebody stopped it."""
    BESIDE = "beside"
    """It lies beside what is expected to be the fastest, and no surface is quite smooth."""
    LEADS = "leads"
    """It is expected to be the fastest, and has no session of its own."""


@dataclass(frozen=True)
class Proposal:
    """The next configuration to measure. What a strategy does not expect is None.

    `measure_seconds`: how long it is worth measuring it. `seconds`: expected of its session, all that it takes
    included. `left`: how much faster, in ln(steps/s), the fastest of the space is expected to be than the fastest that
    was measured.
    """

    params: Params
    because: Because
    measure_seconds: float | None = None
    seconds: float | None = None
    left: float | None = None


@dataclass(frozen=True)
class Settled:
    """Nothing more is worth measuring.

    `regret`: how much faster, in ln(steps/s), the fastest of the space is expected to be than what is taken for it.
    None where everything was measured.
    """

    regret: float | None = None


Answer = Union[Proposal, Settled]


@dataclass(frozen=True)
class Strategy:
    """A way to search.

    `propose`: what to measure next. `expected`: steps per second by configuration, of those that were measured, where
    the strategy knows better than their mean. `is_brief`: its sessions are as short as its question allows, it repeats
    what needs it, and finals choose nobody that it would not.
    """

    propose: Callable[[Question], Answer]
    expected: Callable[[Question], Mapping[str, float]] = field(default=lambda _: {})
    is_brief: bool = False
