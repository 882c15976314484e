"""What the tests of checks share: scripted sessions need no ports; a project to name sides in, and its repository."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sweeper.app.check import sides as sides_module
from sweeper.model.folder import StudyFolder
from sweeper.report.data import as_json
from sweeper.session.learner import Learner
from tests.helpers.builders import ALL_FLAGS, PPO
from tests.helpers.results import full_result

STUDY = {
    "version": 1,
    "name": "racer",
    "trainer_config": "car.yaml",
    "env_path": "Car.x86_64",
    "baseline": {"num_envs": 2},
    "space": {"num_envs": [1, 2]},
}


@pytest.fixture(autouse=True)
def no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeper.app.check.pairs.free_block", lambda count: 5100)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "car.yaml").write_text(PPO)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    for name in ("Car.x86_64", "New.x86_64", "mlagents-learn"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    environment = tmp_path / "env" / "bin"
    environment.mkdir(parents=True)
    (environment / "mlagents-learn").write_text("#!/bin/sh\n")
    (environment / "mlagents-learn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sides_module, "probe_learner", lambda path: Learner(path, ALL_FLAGS, {"mlagents": "1.1.0"}))
    return tmp_path


def git(place: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True)


@pytest.fixture
def repository(place: Path) -> Path:
    git(place, "init", "-q")
    git(place, "add", "study.yaml", "car.yaml")
    git(place, "commit", "-qm", "one")
    git(place, "tag", "before")
    (place / "car.yaml").write_text(PPO.replace("buffer_size: 2048", "buffer_size: 4096"))
    git(place, "commit", "-qam", "two")
    return place


def write_results(folder: StudyFolder, study: Path) -> None:
    folder.root.mkdir(parents=True, exist_ok=True)
    result = full_result()
    assert result.best is not None
    best = replace(result.best, params={"num_envs": 4, "num_areas": 1, "batch_size": 128, "threaded": False})
    info = replace(result.study, file=str(study))
    folder.results.write_text(as_json(replace(result, best=best, study=info)))
    json.loads(folder.results.read_text())
