"""One session of the scripted learner, looked at from within our own process."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import psutil
import pytest

from sweeper.errors import NotReady
from sweeper.model.session import SessionEnd
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


@pytest.mark.skipif(sys.platform != "linux", reason="orphans fall to a process of ours on Linux only")
@pytest.mark.parametrize("polite", [True, False])
def test_helpers_that_leave_their_player_are_ended(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, polite: bool
) -> None:
    """For a user without a control group, too. Nothing marks them: they dropped their environment."""
    monkeypatch.setattr("sweeper.session.process.keep_cap", lambda mark, cap: None)
    workshop.scenario(helpers=True)
    plan = scripted_plan(workshop, num_envs=2)
    told = [workshop.root / "trial" / "trial" / "run_logs" / f"Player-{number}.log.helper" for number in range(2)]
    with LiveSession(plan, Guardian(), cap_bytes=2**40) as session:
        workshop.wait_for(lambda: all(file.exists() and file.read_text() for file in told))
        helpers = [psutil.Process(int(file.read_text())) for file in told]
        workshop.wait_for(lambda: {*helpers} <= {*session.processes()})
        session.end(polite)
        assert session.record(SessionEnd.MEASURED).left_behind == ()
    assert not any(helper.is_running() and helper.status() != psutil.STATUS_ZOMBIE for helper in helpers)


def test_what_cannot_be_ended_is_named(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = scripted_plan(workshop, num_envs=1)
    with LiveSession(plan, Guardian(), cap_bytes=2**40) as session:
        session.end(polite=False)
        monkeypatch.setattr(session.tree, "kill", lambda seconds: [psutil.Process()])
        session._kill()
        (name,) = session.record(SessionEnd.MEASURED).left_behind
        assert name == f"{psutil.Process().name()} (process {psutil.Process().pid})"


def test_a_learner_that_is_gone_is_said(workshop: Workshop) -> None:
    """Not by what starts it, whose end would be taken for the learner's."""
    plan = replace(scripted_plan(workshop, num_envs=1), argv=(str(workshop.root / "mlagents-learn"),))
    with pytest.raises(NotReady, match=r"cannot start .*: there is no such program"):
        LiveSession(plan, Guardian(), cap_bytes=2**40)


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
