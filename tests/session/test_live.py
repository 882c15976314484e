"""One session of the scripted learner, looked at from within our own process."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from sweeper.session import live
from sweeper.session.guardian import Guardian
from sweeper.session.live import LiveSession
from tests.conftest import STANDIN, Workshop
from tests.helpers.builders import plan_of


def test_players_are_seen_however_soon_training_goes_on(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SEARCH_SECONDS", 1000.0)
    workshop.scenario(memory_mb_per_env=100)
    plan = scripted_plan(workshop, num_envs=2)
    with LiveSession(plan, Guardian(), cap_bytes=2**40) as session:
        session.meter.read(session.processes())  # the only look before players are there

        def trains() -> bool:
            session.read_samples()
            return session.stage() != "starting"

        workshop.wait_for(trains)
        workshop.wait_for(lambda: session.meter.read(session.processes()) > 200 * 1024**2, seconds=10.0)
    assert workshop.leftovers() == []


def scripted_plan(workshop: Workshop, num_envs: int) -> live.TrialPlan:
    plan = plan_of()
    folder = type(plan.folder)(workshop.root / "trial")
    argv = (
        sys.executable,
        str(STANDIN / "mlagents-learn"),
        str(folder.config),
        f"--env={workshop.root / 'build.x86_64'}",
        f"--num-envs={num_envs}",
    )
    behaviors = {"Car": {"hyperparameters": {"batch_size": 64, "buffer_size": 256}}}
    return replace(plan, folder=folder, argv=argv, config_text=json.dumps({"behaviors": behaviors}))
