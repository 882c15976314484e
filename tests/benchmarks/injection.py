"""One fault at one moment of a study, at a random instant: what was left behind, and whether the study goes on."""

from __future__ import annotations

import contextlib
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import MEASURE, SCRIPTS, Workshop

ENDING_SECONDS = 15.0
"""After which nothing of a session may be left, whatever ended the tool."""
PYTHONS_START_SECONDS = 0.25
"""Until our first line runs. A Ctrl-C in a callback of the import system is lost there; nothing of ours runs yet."""
MOMENTS = ("before start", "starting", "warming up", "measuring", "stopping", "writing")
SIGNALS = {
    "ctrl-c": [signal.SIGINT],
    "ctrl-c twice": [signal.SIGINT] * 2,
    "sigterm": [signal.SIGTERM],
    "sighup": [getattr(signal, "SIGHUP", signal.SIGTERM)],
}
TRIAL_FAULTS = ("kill learner", "kill worker", "kill player", "out of memory")
"""These end a trial, and the tool goes on."""
KILL_PARENT = "kill what learners are forked from"
"""Of the real learner alone: the session goes on, and so does the tool."""
GOES_ON = (*TRIAL_FAULTS, KILL_PARENT)
TOOL_KILLED = ("kill tool", "kill tool, stubborn players", "kill tool and guardian")
FAULTS = (*SIGNALS, *TOOL_KILLED, *TRIAL_FAULTS)
SCENARIOS: dict[str, dict[str, Any]] = {
    "kill tool, stubborn players": {"stubborn": True, "workers": False},
    "out of memory": {"grow_mb_per_second": 400},
}
REAL_FAULTS = (*(fault for fault in FAULTS if fault not in SCENARIOS), KILL_PARENT)


@dataclass
class Injected:
    """What came of it; `wrong` says what was not as promised, `left` names the files."""

    fault: str
    moment: str
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    processes: int = 0
    ports: int = 0
    files: int = 0
    lost: int = 0
    resume_failed: bool = False

    @property
    def is_clean(self) -> bool:
        return not (self.wrong or self.processes or self.ports or self.files or self.lost)


def inject(fault: str, moment: str, seed: int, root: Path, real: bool = False) -> Injected:
    """Run a study in `root`, strike, look, run it again. `real`: mlagents-learn on the bundled racer."""
    chooser = random.Random(f"{fault} {moment} {seed}")
    found = Injected(fault, moment)
    shop = study(root, fault, chooser, real)
    process = shop.start("run", "study.yaml", start_new_session=True)
    try:
        reached(shop, process, moment, chooser.choice([0, 1]))
        time.sleep(chooser.uniform(0, 0.3))
        before = finished(shop)
        strike(process, fault)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=200 if fault in GOES_ON else ENDING_SECONDS)
        if process.poll() is None:
            found.wrong.append("the tool did not end")
            process.kill()
            process.communicate()
        look(shop, fault, before, found)
    finally:
        for left in shop.leftovers():
            left.kill()
    return found


def study(root: Path, fault: str, chooser: random.Random, real: bool) -> Workshop:
    shop = Workshop(root)
    knobs: dict[str, Any] = {"budget": {"time": "300s", "trials": 3}, "space": {"num_envs": [1, 2, 3]}}
    shop.config()
    if real:
        shop.config(batch_size=64, buffer_size=512)
        shop.study(
            **knobs,
            learner=str(SCRIPTS / "mlagents-learn"),
            env_path="demo:racer",
            engine={"no_graphics": True},
            learner_start="warm",
            baseline={"num_envs": 1, "num_areas": 4},
            measure={**MEASURE, "precision": "20%", "max_seconds": 6, "max_startup_seconds": 60},
        )
        return shop
    start = chooser.uniform(0.2, 0.6)
    shop.scenario(**{"start_seconds": start, "workers": True, "ports": True, **SCENARIOS.get(fault, {})})
    cap = {"memory_cap": "300MiB"} if fault == "out of memory" else {}
    shop.study(**knobs, **cap, measure={**MEASURE, "max_seconds": 1.5})
    return shop


def reached(shop: Workshop, process: subprocess.Popen[str], moment: str, trial: int) -> None:
    """Wait for a moment of the first or second trial, or for the end of the run."""
    folder = shop.folder / "trials" / f"{trial:04d}"
    samples, log = folder / "samples.jsonl", folder / "learner.log"
    conditions: dict[str, Callable[[], bool]] = {
        "before start": lambda: time.monotonic() - started > PYTHONS_START_SECONDS,
        "starting": folder.exists,
        "warming up": lambda: '"tick"' in _text(samples) or '"update"' in _text(samples),
        "measuring": lambda: _text(samples).count('"update"') >= 4,
        "stopping": lambda: "Learning was interrupted" in _text(log),
        "writing": lambda: len(finished(shop)) > trial,
    }
    started = time.monotonic()
    deadline = started + 90
    while not conditions[moment]() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def strike(process: subprocess.Popen[str], fault: str) -> None:
    """Do it to whatever is there at this instant."""
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        children = psutil.Process(process.pid).children()
        guardians = [child for child in children if "guardian" in " ".join(child.cmdline())]
        parents = [child for child in children if "sweeper_warm" in " ".join(child.cmdline())]
        learners = [child for child in children if child not in guardians and child not in parents]
        learners += [child for parent in parents for child in parent.children()]
        if fault in SIGNALS:
            for number in SIGNALS[fault]:
                process.send_signal(number)
                time.sleep(0.05)
        elif fault == "kill learner":
            _kill(learners)
        elif fault == KILL_PARENT:
            _kill(parents)
        elif fault == "kill worker":
            _kill([worker for learner in learners for worker in learner.children()][:1])
        elif fault == "kill player":
            everyone = [one for learner in learners for one in learner.children(recursive=True)]
            _kill([one for one in everyone if not one.children()][-1:])
        elif fault != "out of memory":  # that one strikes by itself
            process.kill()
            if fault == "kill tool and guardian":
                _kill(guardians)


def look(shop: Workshop, fault: str, before: list[dict[str, object]], found: Injected) -> None:
    """Count what is left, then run the same command again."""
    deadline = time.monotonic() + ENDING_SECONDS
    while (shop.leftovers() or scratch(shop)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if fault not in TOOL_KILLED:  # there, what is left after a while is the next run's to clean
        _count(shop, found)
    elif fault != "kill tool and guardian":
        found.processes += len(shop.leftovers())
    more = 1 if fault in GOES_ON else 0  # the trial that was struck counts
    again = shop.sweeper("run", "study.yaml", f"--trials={max(1, len(finished(shop)) + more)}")
    expected = (0, 4) if fault == "out of memory" else (0,)  # a baseline that breaks the cap is no study
    if again.returncode not in expected:
        found.resume_failed = True
        found.wrong.append(f"resume ended with {again.returncode}: {again.stderr[-300:]}")
    _count(shop, found)
    after = finished(shop)
    found.lost += sum(trial not in after for trial in before)
    found.wrong += [f"trial {one['number']} is ok above the cap" for one in after if _is_ok_above_cap(shop, one)]


def finished(shop: Workshop) -> list[dict[str, object]]:
    """The trials in results.json, which is whole at every moment."""
    with contextlib.suppress(FileNotFoundError):
        return list(shop.results()["trials"])
    return []


def scratch(shop: Workshop) -> list[Path]:
    """Temporary folders, and half-written files."""
    left = [path for path in (shop.root / "tmp").glob("*") if path.is_dir()]
    return left + [path for path in shop.folder.glob(".*") if path.name not in (".lock", ".pid")]


def _count(shop: Workshop, found: Injected) -> None:
    found.processes += len(shop.leftovers())
    left = scratch(shop)
    found.files += len(left)
    found.left += [str(path.relative_to(shop.root)) for path in left]
    logs = [_text(path) for path in shop.folder.glob("trials/*/learner.log")]
    found.ports += sum(_is_left(shop, int(port)) for text in logs for port in re.findall(r"on port (\d+)", text))


def _is_left(shop: Workshop, port: int) -> bool:
    """Whether a port of ours is held, and not by a study beside ours that took it when ours had given it back."""
    if not _is_taken(port):
        return False
    holders = {one.pid for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port and one.pid}
    for pid in holders:
        with contextlib.suppress(psutil.Error):
            temporary = psutil.Process(pid).environ().get("TMPDIR", str(shop.root))
            if temporary.startswith(str(shop.root)):
                return True
    return not holders and _is_taken(port)


def _is_taken(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def _is_ok_above_cap(shop: Workshop, trial: dict[str, object]) -> bool:
    peak = trial["peak_memory_bytes"]
    return trial["outcome"] == "ok" and isinstance(peak, int) and peak > shop.results()["memory_cap_bytes"]


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""
