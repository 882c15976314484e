"""What has to come before every test module."""

from __future__ import annotations

import os

_THREADS = "OPENBLAS_NUM_THREADS"


def _load_numpy_with_one_thread() -> None:
    """Workers share the cores, and while a thread of OpenBLAS waits it burns one.

    Read once, as numpy is loaded, and taken back: what tests start finds the environment as it was.
    """
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        import numpy  # noqa: F401
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before


_load_numpy_with_one_thread()
