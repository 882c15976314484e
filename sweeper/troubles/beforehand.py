"""What is told before a session, or of one that went well."""

from __future__ import annotations

from sweeper.troubles.trouble import Trouble

EDITOR_IS_ONE = Trouble(
    "editor",
    '"num_envs must be 1 if env_path is not set", or the Unity Editor crashes with num-envs above 1',
    "num_envs is {num_envs}, but the Editor is one environment: num_envs above 1 needs a build (env_path); num_areas "
    "works in the Editor, too",
)
DEMONSTRATION_MISSING = Trouble(
    "demonstration",
    "The demonstration file is not found",
    "the learner looks for it from the folder that it is started in; write the whole path",
)
PROXY = Trouble(
    "proxy",
    "Players start but never connect, on a machine with a proxy",
    "{proxy} sends players to a proxy, for the learner on this machine, too; mend it with: "
    "no_proxy=localhost,127.0.0.1 in the environment, here and where you train",
)
SLOW_PLAYERS = Trouble(
    "slow-players",
    "Slow with many environments: the players are the bottleneck",
    "More environments or areas help, or a cheaper simulation step.",
)
SLOW_CORES = Trouble(
    "slow-cores",
    "Slow with many environments: all cores are busy",
    "More environments do not help; more areas, a cheaper simulation step or more cores do.",
)
SLOW_MESSAGES = Trouble(
    "slow-messages",
    "Slow with many environments: passing messages is the bottleneck",
    "More areas and fewer environments help, or smaller observations.",
)
SLOW_MAIN = Trouble(
    "slow-main-process",
    "Slow with many environments: the learner's one main process is the bottleneck",
    "More environments do not help: it serves them one after the other. More areas and fewer environments do, or a "
    "smaller network.",
)
SLOW_UPDATES = Trouble(
    "slow-updates",
    "Slow with many environments: policy updates are the bottleneck",
    "More environments or areas do not help; a larger batch_size, fewer epochs, a smaller network or a GPU do.",
)

BEFOREHAND = (
    EDITOR_IS_ONE,
    DEMONSTRATION_MISSING,
    PROXY,
    SLOW_PLAYERS,
    SLOW_CORES,
    SLOW_MESSAGES,
    SLOW_MAIN,
    SLOW_UPDATES,
)
