"""What is told by how a session ended, where no log says more."""

from __future__ import annotations

from sweeper.troubles.trouble import Trouble

OVER_MEMORY = Trouble(
    "over-memory",
    "Out of memory: over the memory cap",
    "fewer environments need less, and so do fewer areas and a smaller buffer_size or batch_size; or name a larger "
    "memory_cap, where this machine has room",
    numbers=(" (num_envs was {num_envs}, and {peak} were in use at the peak)",),
)
ENDED_BY_SIGNAL = Trouble(
    "signal",
    "The learner was killed",
    "the learner was ended from outside with {signal}: by a person, a job scheduler, or the system; where memory is "
    "short, use fewer environments",
)
STALLED = Trouble(
    "stalled",
    "Training hangs without an error",
    "progress stopped without an error: a trainer thread that died, or a player that hangs; threaded: false "
    "helps against the first, and the player's log in the trial's folder may tell of the second",
)
NOT_CONNECTED = Trouble(
    "never-connects",
    "The player never connects",
    "no player connected: is this an ML-Agents build, with a behaviour that is not heuristic only?",
)
LEARNER_SILENT = Trouble(
    "learner-silent",
    "The learner starts, and nothing happens",
    "the learner said nothing and started no player: run its command by hand, to see where it stays; raise "
    "measure.max_startup_seconds if it only takes long",
)
NO_DECISION = Trouble(
    "no-decision",
    "The player connects, and no step is counted",
    "players connected but asked for no decision: do the agents have a Decision Requester, and is its Decision Period "
    "a short one?",
)

ENDINGS = (OVER_MEMORY, ENDED_BY_SIGNAL, STALLED, NOT_CONNECTED, LEARNER_SILENT, NO_DECISION)
