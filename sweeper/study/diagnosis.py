"""What went wrong in a session, in one sentence with the remedy; read from the end, the progress and the log.

The learner's exit code is no evidence: it is 1 after a complete training with torch 2.9, and 0 when interrupted
before any player connected (facts of mlagents 1.1.0).
"""

from __future__ import annotations

import re
import signal

from sweeper.model.session import SessionEnd, SessionRecord

SETUPTOOLS_MEND = (
    "setuptools 81 and later lack pkg_resources, which mlagents imports: the learner dies at start; "
    'mend it with: pip install "setuptools<81"'
)
TORCH_MEND = (
    "torch 2.9 and later export ONNX through onnxscript, which conflicts with mlagents' onnx pin: training ends with "
    'an error and without its model (ml-agents #6250); mend it with: pip install "torch>=2.1.1,<2.9"'
)

_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"No module named 'pkg_resources'", SETUPTOOLS_MEND),
    (r"No module named 'onnxscript'", TORCH_MEND),
    (
        r"UnityWorkerInUseException|worker number .* is still in use",
        "a port was taken: left-over players or another training hold it; end them",
    ),
    (
        r"RESOURCE_EXHAUSTED|Received message larger than max",
        "one exchange with the player is above gRPC's 4 MiB: too many agents or too large observations for one player; "
        "use fewer areas and more environments",
    ),
    (
        r"Couldn't launch the|Provided filename does not match any environments",
        "the learner could not launch the build: check env_path, and that it runs on this system",
    ),
    (
        r"Environment shut down with return code (-?\d+)",
        "the player ended with return code {0}: see its log in the trial's folder; run the build by hand{last}",
    ),
    (
        r"The behavior name .*? has not been specified in the trainer configuration",
        "the build has a behaviour that the trainer config does not name: {0}; add it under `behaviors:`",
    ),
    (
        r"The Unity environment took too long to respond",
        "the player did not answer in time: does the scene use an agent with this behaviour, and does the build start "
        "by itself? raise measure.max_startup_seconds for a slow one",
    ),
    (r"TrainerConfigError: (.+)", "the learner refuses the trainer config: {0}"),
    (r"CUDA out of memory|OutOfMemoryError", "the GPU's memory is full: a smaller batch_size or network, or the CPU"),
    (r"MemoryError|Cannot allocate memory|WinError 1455", "the machine ran out of memory"),
    (r"No space left on device", "the disk is full"),
    (
        r"Descriptors cannot (?:not )?be created directly",
        'protobuf 3.21 and later do not read mlagents\' messages; mend it with: pip install "protobuf<3.21"',
    ),
    (
        r"module 'numpy' has no attribute '(\w+)'",
        'numpy 1.24 and later lack numpy.{0}, which mlagents uses; mend it with: pip install "numpy>=1.23.5,<1.24"',
    ),
    (
        r"The (\w+) provided had (NaN|Infinite) values",
        "the build sent a {0} with {1} values: mend the agent; no setting helps",
    ),
    (
        r"cannot open display|Failed to open display|GLXBadContext|Unable to init server",
        "the player wants a screen and there is none: set engine: {{no_graphics: true}}",
    ),
    (
        r"Couldn't connect to trainer on port (\d+)",
        "the player could not reach the learner on port {0} and went on without it: does a firewall or a proxy stand "
        "between them?",
    ),
    (
        r"UnityCommunicatorStoppedException",
        "the player left in mid-training; in the Editor that is its Stop button, or a script that was recompiled",
    ),
    (r"Exception in thread .*trainer_update_func", "a trainer thread died and the run hung: see its exception"),
    (r"Fatal Python error: (.+)", "the learner's Python broke ({0}): a package that does not fit it"),
    (r"communication API version is not compatible", "the build's ML-Agents package does not match this learner"),
    (
        r"Expected all tensors to be on the same device",
        "threaded: true does not work with CUDA in mlagents 1.1.0; use false",
    ),
)  # fmt: skip
_EXCEPTION = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?(?:[A-Z]\w*)?(?:Error|Exception|Interrupt)(?::|$)")


def diagnose(record: SessionRecord) -> str | None:
    """The likely cause and what to do about it; None where nothing is recognised."""
    if record.end in (SessionEnd.MEASURED, SessionEnd.INTERRUPTED, SessionEnd.OVER_MEMORY, SessionEnd.DISK_SHORT):
        return None
    text = "\n".join((*record.log_tail, *record.player_log_tail))
    for pattern, sentence in _PATTERNS:
        if match := re.search(pattern, text):
            found = (*match.groups(), match.group(0))
            return sentence.format(*found, last=_last_line_of_player(record))
    if record.end is SessionEnd.EXITED and (name := signal_name(record)) is not None:
        return f"the learner was ended from outside with {name}: by a person, a job scheduler, or the system"
    if record.end is SessionEnd.STALLED:
        return "progress stopped without an error: a trainer thread that died, or a player that hangs"
    if record.end is SessionEnd.NOT_CONNECTED:
        return "no player connected: is this an ML-Agents build, with a behaviour that is not heuristic only?"
    if record.end is SessionEnd.NO_STEPS:
        return "players connected but asked for no decision: do the agents have a Decision Requester?"
    return None


def signal_name(record: SessionRecord) -> str | None:
    """The signal that ended the learner, as POSIX tells by a negative exit code; None where it ended otherwise."""
    if record.exit_code is None or record.exit_code >= 0:
        return None
    try:
        return signal.Signals(-record.exit_code).name
    except ValueError:
        return f"signal {-record.exit_code}"


def exception_line(record: SessionRecord) -> str | None:
    """The last exception that the learner printed."""
    for line in reversed(record.log_tail):
        if _EXCEPTION.match(line):
            return line
    return None


def _last_line_of_player(record: SessionRecord) -> str:
    return f" (its last line: {record.player_log_tail[-1][:200]})" if record.player_log_tail else ""
