"""Counts what the learner does, and ends its session when the tool that started it is gone.

Runs inside `mlagents-learn` as a stats-writer plug-in (entry point group `mlagents.stats_writer`), and only where the
environment asks for it:

    SWEEPER_SAMPLES   file to append to, a JSON document a line
    SWEEPER_TRIAL     mark that every process of this trial inherits
    SWEEPER_BATCH_SIZES   of which to tell what an update would take (sweeper_batches)
    SWEEPER_CONTROL   `stdin`: standard input is a pipe held open by the tool; it closes when the tool dies

Lines: {"t": monotonic seconds, "kind": "hello" | "trainer" | "update" | "tick" | "batch sizes", "behaviors": {name:
[steps, decisions, policy updates]}, "timers": {name: [seconds, count]}, "updated": name, "update_seconds": {batch size:
seconds}}. Counters are since the start.

The learner calls `on_add_stat` from its training loop, so it returns at once and never raises: another thread writes.
Forked workers inherit this module without that thread; the process id tells them apart.
"""

import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time

import sweeper_batches
from mlagents.trainers.stats import StatsWriter

STEP_KEY = "Step"  # the trainer's exact counter, after each trajectory
DECISION_KEY = "Policy/Entropy"  # added once per agent decision (agent_processor.py)
UPDATE_KEY = "Losses/Policy Loss"  # added once per policy update of PPO and POCA, per gradient update of SAC
MIN_SECONDS_BETWEEN_UPDATES = 0.05  # off-policy trainers update hundreds of times a second; counters are cumulative
TICK_SECONDS = 1.0
FLUSH_SECONDS = 0.2
TIMER_NAMES = frozenset(
    (
        "TrainerController.advance",
        "env_step",
        "SubprocessEnvManager._take_step",
        "trainer_advance",
        "_update_policy",
        "process_trajectory",
        "worker_root",
        "UnityEnvironment.step",
        "communicator.exchange",
    )
)
KILL_SECONDS = 5.0


def get_stats_writers(run_options):
    """The plug-in's entry point. An empty list outside our trials."""
    path = os.environ.get("SWEEPER_SAMPLES")
    if not path:
        return []
    recorder = Recorder(path)
    recorder.start()
    sweeper_batches.watch(recorder.on_batch_sizes)
    if os.environ.get("SWEEPER_CONTROL") == "stdin":
        threading.Thread(target=obey, args=(_private_stdin(),), name="sweeper-control", daemon=True).start()
    return [recorder]


class Recorder(StatsWriter):
    """Counts steps, decisions and updates per behaviour."""

    def __init__(self, path):
        self._pid = os.getpid()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._counts = {}  # behaviour -> [steps, decisions, policy updates]
        self._counts_by_category = {}  # the same lists by the learner's category; looked up for every decision
        self._last_update = {}
        self._queue = collections.deque()

    def start(self):
        self._write([{"t": time.monotonic(), "kind": "hello", "pid": self._pid}])
        threading.Thread(target=self._write_for_ever, name="sweeper-probe", daemon=True).start()

    def on_add_stat(self, category, key, value, aggregation=None):
        try:
            if key == DECISION_KEY:
                self._count(category)[1] += 1
            elif key == STEP_KEY:
                self._count(category)[0] = int(value)
            elif key == UPDATE_KEY:
                self._count(category)[2] += 1
                self._updated(category)
        except Exception:  # an exception here would end the user's run
            pass

    def on_batch_sizes(self, name, update_seconds):
        """What an update of a behaviour would take by batch size."""
        sample = self._sample("batch sizes", updated=name)
        sample["update_seconds"] = update_seconds
        self._queue.append(sample)

    def add_property(self, category, property_type, value):
        try:
            self._count(category)
            self._queue.append(self._sample("trainer"))
        except Exception:
            pass

    def write_stats(self, category, values, step):
        """Summaries are the other writers' business."""

    def _count(self, category):
        found = self._counts_by_category.get(category)
        if found is None:
            name = category.split("?")[0]  # self-play: teams of a behaviour share its trainer
            found = self._counts_by_category[category] = self._counts.setdefault(name, [0, 0, 0])
        return found

    def _updated(self, category):
        now = time.monotonic()
        if now - self._last_update.get(category, -1.0) >= MIN_SECONDS_BETWEEN_UPDATES:
            self._last_update[category] = now
            self._queue.append(self._sample("update", now, category.split("?")[0]))

    def _sample(self, kind, now=None, updated=None):
        sample = {
            "t": time.monotonic() if now is None else now,
            "kind": kind,
            "behaviors": {name: list(counts) for name, counts in list(self._counts.items())},
            "timers": read_timers(),
        }
        if updated is not None:
            sample["updated"] = updated
        return sample

    def _write_for_ever(self):
        next_tick = time.monotonic() + TICK_SECONDS
        while os.getpid() == self._pid:
            time.sleep(FLUSH_SECONDS)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_SECONDS
                self._queue.append(self._sample("tick"))
            lines = []
            while self._queue:
                lines.append(self._queue.popleft())
            try:
                self._write(lines)
            except OSError:  # a full disk must not end the user's run; the tool notices the silence
                pass

    def _write(self, samples):
        if samples:
            text = "".join(json.dumps(sample, separators=(",", ":")) + "\n" for sample in samples)
            os.write(self._file, text.encode())


def read_timers():
    """The learner's own timers, summed by name over threads and places; None where they cannot be read just now."""
    try:
        from mlagents_envs import timers

        totals = {}
        pending = [stack.root for stack in list(timers._thread_timer_stacks.values())]
        while pending:
            node = pending.pop()
            for name, child in list(node.children.items()):
                pending.append(child)
                if name in TIMER_NAMES or name.endswith(".update"):
                    total = totals.setdefault(name, [0.0, 0])
                    total[0] += child.total
                    total[1] += child.count
                if name == "env_step":
                    inner = sum(
                        grandchild.total for key, grandchild in list(child.children.items()) if key != "workers"
                    )
                    totals.setdefault("env_step.self", [0.0, 0])[0] += max(0.0, child.total - inner)
        return totals
    except Exception:  # private API, and the training loop may be changing it at this instant
        return None


def _private_stdin():
    """Our own copy of the control pipe; players and workers get the null device instead."""
    control = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return control


def obey(control):
    """Wait for a word from the tool: `s` asks for the clean stop that Ctrl-C gives; the pipe's end means it is gone."""
    import _thread

    while True:
        try:
            word = os.read(control, 1)
        except OSError:
            word = b""
        if word == b"s":
            _thread.interrupt_main()
        elif not word:
            end_session()


def end_session():
    """Kill every process of this trial, then this one. Nobody is left who wants a model from it."""
    try:
        if sys.platform == "win32":
            subprocess.call(["taskkill", "/F", "/T", "/PID", str(os.getpid())])
        else:
            _kill_others(time.monotonic() + KILL_SECONDS)
    finally:
        os._exit(1)


def _kill_others(deadline):
    # Again until none is left: a worker may be starting a player at this instant.
    while time.monotonic() < deadline:
        others = _others()
        if not others:
            return
        for pid in others:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.1)


def _others():
    """Living processes of this trial but this one: descendants, and whoever carries the trial's mark."""
    parents = _parents()
    found, grown = {os.getpid()}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in found}
        grown = not children <= found
        found |= children
    found |= {pid for pid in parents if _is_marked(pid)}
    return found - {os.getpid()}


def _parents():
    """Parent by process id, zombies left out."""
    if os.path.isdir("/proc/self"):
        found = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open("/proc/%s/stat" % name, "rb") as file:
                        state, parent = file.read().rpartition(b")")[2].split()[:2]
                except (OSError, ValueError):
                    continue
                if state not in (b"Z", b"X"):
                    found[int(name)] = int(parent)
        return found
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,stat="], stdout=subprocess.PIPE, check=False).stdout
    rows = [line.split() for line in listing.decode().splitlines()]
    me = {os.getpid()}
    # The `ps` just run is in its own list, as a child that is gone by now.
    return {int(pid): int(parent) for pid, parent, stat in rows if not stat.startswith("Z") and int(pid) not in me}


def _is_marked(pid):
    mark = os.environ.get("SWEEPER_TRIAL", "")
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            return bool(mark) and os.fsencode("SWEEPER_TRIAL=" + mark) in file.read().split(b"\0")
    except OSError:
        return False
