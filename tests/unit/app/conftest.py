"""What tests of several use cases need."""

from __future__ import annotations

from typing import Any

import pytest

from sweeper.session.parser import NotAsked


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The learner's own parser takes seconds to start, and is asked in tests of its own."""

    def ask(*_: Any) -> None:
        raise NotAsked("a test")

    monkeypatch.setattr("sweeper.app.parsed.ask_parser", ask)
