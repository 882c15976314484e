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
PROXY_MEND = (
    "{} sends players to a proxy, for the learner on this machine, too; mend it with: no_proxy=localhost,127.0.0.1 in "
    "the environment, here and where you train"
)

Patterns = tuple[tuple[str, str], ...]
_CUDA_MISSING = (
    "Torch not compiled with CUDA enabled|No CUDA GPUs are available|Found no NVIDIA driver|no CUDA-capable device|"
    "CUDA driver version is insufficient|invalid device ordinal"
)

_BY_THE_LEARNER: Patterns = (
    (r"No module named 'pkg_resources'", SETUPTOOLS_MEND),
    (r"No module named 'onnxscript'", TORCH_MEND),
    (
        r"UnityWorkerInUseException|worker number .* is still in use",
        "a port was taken: left-over players or another training hold it; end them",
    ),
    (
        r"The behavior name .*? has not been specified in the trainer configuration",
        "the build has a behaviour that the trainer config does not name: {0}; add it under `behaviors:`",
    ),
    (r"TrainerConfigError: (.+)", "the learner refuses the trainer config: {0}"),
    (
        _CUDA_MISSING,
        "the learner is to use a GPU and finds none ({0}): set `torch_settings: {{device: cpu}}` in the trainer "
        "config, or give it a torch that is built for CUDA, NVIDIA's driver, and CUDA_VISIBLE_DEVICES that names a GPU",
    ),
    (r"no kernel image is available", "this torch is not built for this GPU: install one that is"),
    (r"CUDA out of memory|OutOfMemoryError", "the GPU's memory is full: a smaller batch_size or network, or the CPU"),
    (r"MemoryError|Cannot allocate memory|WinError 1455", "the machine ran out of memory"),
    (
        r"insufficient shared memory|/dev/shm",
        "shared memory (/dev/shm) is full: give the container more, with --shm-size of docker run",
    ),
    (r"No space left on device: '([^']+)'", "no space is left on the disk of {0}: free some there"),
    (
        r"No space left on device",
        "no space is left on a disk that the learner writes to: the study folder's, the temporary folder's (TMPDIR), "
        "or /dev/shm",
    ),
    (r"Disk quota exceeded", "your quota on a disk that the learner writes to is used up"),
    (r"Too many open files", "the limit on open files is too low for so many environments: raise `ulimit -n`"),
    (
        r"can't start new thread|Resource temporarily unavailable",
        "the limit on processes is reached: raise `ulimit -u`, or the container's limit",
    ),
    (
        r"Descriptors cannot (?:not )?be created directly",
        'protobuf 3.21 and later do not read mlagents\' messages; mend it with: pip install "protobuf<3.21"',
    ),
    (
        r"module 'numpy' has no attribute '(\w+)'",
        'numpy 1.24 and later lack numpy.{0}, which mlagents uses; mend it with: pip install "numpy>=1.23.5,<1.24"',
    ),
    (r"Exception in thread .*trainer_update_func", "a trainer thread died and the run hung: see its exception"),
    (r"Fatal Python error: (.+)", "the learner's Python broke ({0}): a package that does not fit it"),
    (
        r"Expected all tensors to be on the same device",
        "threaded: true does not work with CUDA in mlagents 1.1.0; use false",
    ),
)
"""What the learner says of itself. What it says of players comes after that: whatever ends it ends them, too."""
_BY_PLAYERS: Patterns = (
    (
        r"cannot open display|Failed to open display|GLXBadContext|Unable to init server",
        "the player wants a screen and there is none: set engine: {{no_graphics: true}}",
    ),
    (
        r"Couldn't connect to trainer on port (\d+)",
        "the player could not reach the learner on port {0} and went on without it: does a firewall or a proxy stand "
        "between them?",
    ),
    (r"No space left on device|Disk full", "a player found no space left on a disk that it writes to: see its log"),
)
_OF_PLAYERS: Patterns = (
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
        r"The (\w+) provided had (NaN|Infinite) values",
        "the build sent a {0} with {1} values: mend the agent; no setting helps",
    ),
    (
        r"Environment shut down with return code (-9|-15)\b",
        "return code {0}: a player was ended from outside, by the system where memory is short, by a person, or by a "
        "job scheduler",
    ),
    (
        r"Environment shut down with return code (-?\d+)",
        "the player ended with return code {0}: see its log in the trial's folder; run the build by hand{last}",
    ),
    (
        r"The Unity environment took too long to respond",
        "the player did not answer in time: does the scene use an agent with this behaviour, and does the build start "
        "by itself? raise measure.max_startup_seconds for a slow one",
    ),
    (
        r"UnityCommunicatorStoppedException",
        "the player left in mid-training; in the Editor that is its Stop button, or a script that was recompiled",
    ),
    (r"communication API version is not compatible", "the build's ML-Agents package does not match this learner"),
)
_NOBODY_CAME = r"Couldn't connect to trainer|The Unity environment took too long to respond"
_EXCEPTION = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?(?:[A-Z]\w*)?(?:Error|Exception|Interrupt)(?::|$)")


def diagnose(record: SessionRecord) -> str | None:
    """The likely cause and what to do about it; None where nothing is recognised."""
    if record.end in (SessionEnd.MEASURED, SessionEnd.INTERRUPTED, SessionEnd.OVER_MEMORY, SessionEnd.DISK_SHORT):
        return None
    learner, player = "\n".join(record.log_tail), "\n".join(record.player_log_tail)
    both = f"{learner}\n{player}"
    if record.proxy is not None and (record.end is SessionEnd.NOT_CONNECTED or re.search(_NOBODY_CAME, both)):
        return PROXY_MEND.format(record.proxy)
    for patterns, text in ((_BY_THE_LEARNER, learner), (_BY_PLAYERS, both), (_OF_PLAYERS, both)):
        for pattern, sentence in patterns:
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
