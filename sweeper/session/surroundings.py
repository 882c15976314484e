"""What the shell, the notebook or the container around us has set, and a training depends on: named, not changed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping

from sweeper.model.session import Limits

if sys.platform != "win32":
    import resource

PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""In the order in which gRPC looks for them, in small letters only."""
DECIDE_SPEED = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LD_PRELOAD")


def proxy_for_localhost(environment: Mapping[str, str] = os.environ) -> str | None:
    """The variable whose proxy gRPC would ask for the learner on this machine, too; None where there is none.

    Players connect to `localhost`, and gRPC compares names: an exception for 127.0.0.1 alone does not help.
    """
    exempt = environment.get("no_grpc_proxy") or environment.get("no_proxy") or ""
    hosts = [host.strip().lower() for host in exempt.split(",")]
    if any("localhost".endswith(host) for host in hosts if host):
        return None
    return next((name for name in PROXIES if environment.get(name)), None)


def speed_settings(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What is set that a learner gets as it is and that may decide its speed, as `NAME=value`."""
    return tuple(f"{name}={environment[name]}" for name in DECIDE_SPEED if environment.get(name))


def limits() -> Limits:
    """What the system allows here; our own limit on open files is the learner's, too."""
    try:
        shm = shutil.disk_usage("/dev/shm")
    except OSError:  # Windows and macOS have none
        return Limits(_open_files())
    return Limits(_open_files(), shm.total, shm.free)


def _open_files() -> int | None:
    if sys.platform == "win32":
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
