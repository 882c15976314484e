"""What a check gives its sessions."""

from __future__ import annotations

import pytest

from sweeper.app.check.run import sessions_for
from sweeper.app.stop import StopSignal
from tests.helpers.builders import GIB, machine_of, prepared_of


@pytest.mark.parametrize(("stated", "cap"), [("", 9 * GIB), ("gpu_memory_cap: 4GiB\n", 4 * GIB)])
def test_a_check_keeps_the_cap_of_gpu_memory_that_its_study_states(monkeypatch, stated, cap):
    monkeypatch.setattr("sweeper.session.gpu.Gpus.free_bytes", lambda self: 10 * GIB)
    study = prepared_of(f"env_path: b\n{stated}").subject.study
    with sessions_for(study, machine_of(), 8 * GIB, StopSignal()) as sessions:
        assert (sessions.memory.cap_bytes, sessions.memory.gpu_cap_bytes) == (8 * GIB, cap)
