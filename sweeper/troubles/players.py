"""What is told of players, in their own log or in the learner's."""

from __future__ import annotations

from sweeper.troubles.trouble import Trouble

BY_PLAYERS = (
    Trouble(
        "screen",
        "The build wants a screen",
        "the player wants a screen and there is none: set engine: {{no_graphics: true}}",
        r"cannot open display|Failed to open display|GLXBadContext|Unable to init server",
        "Unable to init server: Could not connect: Connection refused",
    ),
    Trouble(
        "not-reached",
        "The player goes on without the learner",
        "the player could not reach the learner on port {0} and went on without it: does a firewall or a proxy stand "
        "between them?",
        r"Couldn't connect to trainer on port (\d+)",
        "Couldn't connect to trainer on port 5005 using API version 1.5.0. Will perform inference instead.",
    ),
    Trouble(
        "player-disk",
        "A player finds no space on a disk",
        "a player found no space left on a disk that it writes to: see its log",
        r"No space left on device|Disk full",
        "IOException: Disk full. Path /tmp/player",
    ),
)
OF_PLAYERS = (
    Trouble(
        "message-limit",
        "RESOURCE_EXHAUSTED: one exchange is above 4 MiB",
        "one exchange with the player is above gRPC's 4 MiB: too many agents or too large observations for one "
        "player; use fewer areas and more environments",
        r"RESOURCE_EXHAUSTED|Received message larger than max",
        "RESOURCE_EXHAUSTED: Received message larger than max (4829932 vs. 4194304)",
        (" (num_areas was {num_areas}, and num_envs {num_envs})",),
    ),
    Trouble(
        "launch",
        "Couldn't launch the environment",
        "the learner could not launch the build: check env_path, and that it runs on this system",
        r"Couldn't launch the|Provided filename does not match any environments",
        "mlagents_envs.exception.UnityEnvironmentException: Couldn't launch the Racer environment. Provided filename "
        "does not match any environments.",
    ),
    Trouble(
        "nan",
        "Observations or rewards are NaN",
        "the build sent a {0} with {1} values: mend the agent; no setting helps",
        r"The (\w+) provided had (NaN|Infinite) values",
        "RuntimeError: The reward provided had NaN values.",
    ),
    Trouble(
        "player-killed",
        "A player was killed",
        "return code {0}: a player was ended from outside, by the system where memory is short, by a person, or by a "
        "job scheduler; where memory is short, use fewer environments",
        r"Environment shut down with return code (-9|-15)\b",
        "mlagents_envs.exception.UnityEnvironmentException: Environment shut down with return code -9 (SIGKILL).",
    ),
    Trouble(
        "exec-format",
        "Exec format error",
        "this system cannot run the build: it is for another system or processor, or a script whose first line names "
        "no interpreter; build your Unity project for this one",
        r"Exec format error",
        "OSError: [Errno 8] Exec format error: '/game/Car.x86_64'",
    ),
    Trouble(
        "player-crashed",
        "A player crashed",
        "the player ended with return code {0}: see its log in the trial's folder; run the build by hand{last}",
        r"Environment shut down with return code (-?\d+)",
        "mlagents_envs.exception.UnityEnvironmentException: Environment shut down with return code 3.",
    ),
    Trouble(
        "timeout",
        "The Unity environment took too long to respond",
        "the player did not answer in time: does the scene use an agent with this behaviour, and does the build start "
        "by itself? raise measure.max_startup_seconds for a slow one",
        r"The Unity environment took too long to respond",
        "mlagents_envs.exception.UnityTimeOutException: The Unity environment took too long to respond. Make sure that "
        ":",
    ),
    Trouble(
        "player-left",
        "The player leaves in mid-training",
        "the player left in mid-training; in the Editor that is its Stop button, or a script that was recompiled",
        r"UnityCommunicatorStoppedException",
        "mlagents_envs.exception.UnityCommunicatorStoppedException: Communicator has exited.",
    ),
    Trouble(
        "api-version",
        "The build's ML-Agents package and the learner do not match",
        "the build's ML-Agents package does not match this learner: build with the package of the release that "
        "mlagents is of, or install the mlagents of that release",
        r"communication API version is not compatible",
        "mlagents_envs.exception.UnityEnvironmentException: The communication API version is not compatible between "
        "Unity and python.",
    ),
)
"""What the learner says of players."""
