"""Fixtures of the unit tests; the builders are in builders.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.study_file import read_study
from sweeper.trainer_config import TrainerConfig, read_trainer_config
from tests.unit.builders import STUDY_HEAD


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
