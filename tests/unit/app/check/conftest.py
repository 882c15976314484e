"""What the tests of checks share: scripted sessions need no ports."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeper.app.check.pairs.free_block", lambda count: 5100)
