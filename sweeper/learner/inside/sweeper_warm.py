"""Starts learners that have nothing left to import: one process that holds the heavy packages, forked once a session.

    python sweeper_warm.py FD

FD is a connected stream socket. A request is a line of JSON, {"argv": [script, ...], "env": {...}}, with two file
descriptors: standard input, and where output goes. An answer is a line, too: {"ready": true} at first, {"pid": ...}
for every request, {"pid": ..., "status": ...} when that session has ended. It ends when the socket closes.

Runs in the learner's own Python. What it imports starts no thread and touches no GPU; ML-Agents itself is imported by
the forked learner, because that asks for CUDA, which does not survive a fork.
"""

import ctypes
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import tempfile
import warnings

MARK = "SWEEPER_TRIAL"
PACKAGES = (
    "torch",
    "torch._dynamo",
    "torch.utils.tensorboard",
    "grpc",
    "google.protobuf.message",
    "yaml",
    "cattr",
    "PIL.Image",
    "h5py",
    "cloudpickle",
    "pkg_resources",
)
"""What mlagents 1.1.0 imports, and what torch 2.8 does when the first optimizer is made, which takes as long as torch
itself. Another learner may lack some."""
PR_SET_CHILD_SUBREAPER = 36
LONGEST = 16 * 1024 * 1024


def main():
    channel = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in PACKAGES:
            try:
                importlib.import_module(name)
            except Exception:  # the learner itself will say so, in its own words
                pass
    gc.collect()
    gc.freeze()  # or a collection in the fork would copy every page
    answer(channel, {"ready": True})
    request = serve(channel)
    if request is not None:
        learn(request)


def serve(channel):
    """Fork learners until the socket closes, then None. In a forked learner, its request."""
    wakes, wakened = os.pipe()
    os.set_blocking(wakened, False)
    signal.set_wakeup_fd(wakened)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    living = set()
    while True:
        ready = select.select([channel, wakes], [], [])[0]
        if wakes in ready:
            os.read(wakes, 4096)
            for pid in list(living):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    living.discard(pid)
                    answer(channel, {"pid": pid, "status": exit_code(status)})
        if channel in ready:
            request = receive(channel)
            if request is None:
                end(living)
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for descriptor in (wakes, wakened):
                    os.close(descriptor)
                channel.close()
                return request
            living.add(pid)
            for descriptor in request["descriptors"]:
                os.close(descriptor)
            answer(channel, {"pid": pid})


def exit_code(status):
    """As `subprocess` has it: negative where a signal ended it."""
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def end(living):
    """The tool is gone, or done: no session outlives it."""
    for pid in living:
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass


def receive(channel):
    """The next request, or None where nobody is left to ask."""
    data, descriptors = b"", []
    while not data.endswith(b"\n"):
        try:
            block, found = socket.recv_fds(channel, 65536, 2)[:2]
        except OSError:
            return None
        if not block or len(data) > LONGEST:
            return None
        data += block
        descriptors += found
    request = json.loads(data)
    request["descriptors"] = descriptors
    return request


def answer(channel, words):
    """Tell the tool; whether it still listens shows when it is asked for more."""
    try:
        channel.sendall(json.dumps(words).encode() + b"\n")
    except OSError:
        pass


def learn(request):
    """Become the learner of this request: its session, standard streams, environment and command line."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # as session/reaper does for the plain command
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    given, output = request["descriptors"]
    for source, target in ((given, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for descriptor in (given, output):
        os.close(descriptor)
    show_mark(request["env"].get(MARK, ""))
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    script = request["argv"][0]
    sys.argv = list(request["argv"])
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    runpy.run_path(script, run_name="__main__")


def show_mark(mark):
    """Write this session's mark over the parent's, where the system shows the environment of a process.

    /proc/PID/environ is the memory that a process began with, and a fork has its parent's. Both marks are equally long.
    """
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    place, value = libc.getenv(MARK.encode()), os.fsencode(mark)
    if place and len(ctypes.string_at(place)) == len(value):
        ctypes.memmove(place, value, len(value))


if __name__ == "__main__":
    main()
