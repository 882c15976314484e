"""Fixtures of the unit tests; the builders are in tests/helpers."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import read_study
from sweeper.inputs.trainer_config import TrainerConfig, read_trainer_config
from sweeper.model.trial import configuration_key
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled, Strategy
from tests.helpers.builders import STUDY_HEAD


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file into the test's folder."""

    def writer(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return writer


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], str]:
    """The message with which a study file is refused, without its folder; the head holds three lines."""

    def reader(text: str, head: str = STUDY_HEAD) -> str:
        path = tmp_path / "study.yaml"
        path.write_text(head + text, encoding="utf-8")
        with pytest.raises(InvalidInput) as caught:
            read_study(path)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return reader


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[[str], TrainerConfig]:
    """A trainer config that was read from disk."""

    def reader(text: str) -> TrainerConfig:
        path = tmp_path / "car.yaml"
        path.write_text(text, encoding="utf-8")
        return read_trainer_config(path)

    return reader


@pytest.fixture
def scripted_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of `scripted` look for no ports, and start a minute apart."""
    times = (datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=at) for at in range(10_000))
    monkeypatch.setattr("sweeper.app.trials.free_block", lambda count: 6000)
    monkeypatch.setattr("sweeper.app.trials.now", lambda: next(times).isoformat())


@pytest.fixture
def quick_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next configuration is any that is not known, in a fixed random order: TPE takes its time."""

    def propose(question: Question) -> Answer:
        known = frozenset(question.history.by_key) | question.history.given_up
        legal = list(question.space.combinations())
        random.Random(1).shuffle(legal)
        found = next((params for params in legal if configuration_key(params) not in known), None)
        return Settled() if found is None else Proposal(found, Because.SAMPLED)

    monkeypatch.setattr("tests.helpers.builders.STRATEGY", Strategy(propose))
