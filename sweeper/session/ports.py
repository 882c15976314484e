"""A free block of consecutive ports: environment i of the learner listens on base port + i."""

from __future__ import annotations

import random
import socket
import sys

from sweeper.errors import NotReady

EDITOR_PORT = 5004
"""Where the learner waits for the Unity Editor; it cannot be moved."""
_FIRST, _LAST = 5100, 30000
"""Above the learner's defaults, below the ephemeral range that systems hand out to clients."""
_TRIES = 200


def free_block(count: int, chooser: random.Random | None = None) -> int:
    """First port of `count` consecutive free ones.

    Raises:
        NotReady: none found.
    """
    chooser = chooser or random.Random()
    for _ in range(_TRIES if count < _LAST - _FIRST else 0):
        base = chooser.randrange(_FIRST, _LAST - count)
        if all(is_free(port) for port in range(base, base + count)):
            return base
    raise NotReady(
        f"no block of {count} free ports found between {_FIRST} and {_LAST}",
        "left-over mlagents-learn workers keep their ports; end them, then try again",
    )


def port_for(envs: int, in_editor: bool) -> int:
    """Where the learner of a session with so many environments is to listen.

    Raises:
        NotReady: no such block is free, or the Editor's port is not.
    """
    if not in_editor:
        return free_block(envs)
    if not is_free(EDITOR_PORT):
        raise NotReady(f"port {EDITOR_PORT}, on which the Editor connects, is taken", "end the other training")
    return EDITOR_PORT


def is_free(port: int) -> bool:
    """True where the learner could listen on `port` on all interfaces, as it does."""
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                if sys.platform != "win32":  # elsewhere this option would share a port that is in use
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
        except OSError:
            if family == socket.AF_INET or _has_ipv6():
                return False
    return True


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
