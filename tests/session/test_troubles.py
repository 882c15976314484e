"""Every entry of the table of troubles is provoked, by the real session code where a session tells of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sweeper.measure.cycles import Cutting
from sweeper.measure.rate import Rule
from sweeper.model.findings import Bottleneck
from sweeper.model.session import Progress
from sweeper.model.trial import Purpose, Stage
from sweeper.report.words.bottlenecks import bottleneck_text
from sweeper.session.memory import MemoryRules
from sweeper.session.session import SessionRunner
from sweeper.session.surroundings import PROXIES
from sweeper.study.judge import Asked, Terms, judge
from sweeper.troubles import TROUBLES, Trouble
from tests.conftest import Workshop
from tests.helpers.builders import GIB, config_of, params_of, trial_of
from tests.session.test_live import scripted_plan

KILLS_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@dataclass
class Scene:
    workshop: Workshop
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        for name in ("no_proxy", "no_grpc_proxy", *PROXIES):
            self.monkeypatch.delenv(name, raising=False)

    def session(self, *argv: str, startup: float = 20.0, cap_bytes: int = 2 * GIB, **scenario: Any) -> str:
        """The remedy that is in the result of a session."""
        self.workshop.scenario(**scenario)
        plan = scripted_plan(self.workshop, num_envs=1)
        plan = replace(plan, argv=argv or plan.argv, max_startup_seconds=startup, max_stall_seconds=0.5)
        with SessionRunner(MemoryRules(cap_bytes, 0, lambda: 2**40), 2, lambda: False, lambda _: None) as runner:
            record = runner.run(plan, lambda _: Progress.GO_ON, 0.0)
        behaviors = tuple(config_of().behaviors)
        rule = Rule(0.025, 120.0, Cutting(), 1)
        asked = Asked(plan, Purpose.SEARCH, Stage.SEARCH, "2026", rule, behaviors=behaviors)
        return str(judge(asked, record, Terms(cap_bytes, None, 2)).diagnosis)

    def refused(self) -> str:
        """What the command says of a study that it refuses."""
        done = self.workshop.sweeper("validate", "study.yaml")
        assert done.returncode == 2
        return " ".join(done.stderr.split())


def editor(scene: Scene) -> str:
    scene.workshop.study(env_path=None, baseline={"num_envs": 4, "num_areas": 1})
    return scene.refused()


def demonstration(scene: Scene) -> str:
    scene.workshop.config(behavioral_cloning={"demo_path": "Demos/Car.demo"})
    return scene.refused()


def proxy(scene: Scene) -> str:
    scene.monkeypatch.setenv("http_proxy", "proxy:3128")
    return scene.session(startup=0.5, never_connects=True)


def over_memory(scene: Scene) -> str:
    return scene.session(cap_bytes=GIB // 4, memory_mb_per_env=600)


def held_back_by(bottleneck: Bottleneck) -> Callable[[Scene], str]:
    trial = replace(trial_of(0, params_of(), 1000.0), bottleneck=bottleneck)
    return lambda _: str(bottleneck_text(trial))


PROVOCATIONS: dict[str, Callable[[Scene], str]] = {
    "editor": editor,
    "demonstration": demonstration,
    "proxy": proxy,
    "slow-players": held_back_by(Bottleneck.PLAYERS),
    "slow-cores": held_back_by(Bottleneck.CORES),
    "slow-messages": held_back_by(Bottleneck.COMMUNICATION),
    "slow-main-process": held_back_by(Bottleneck.INFERENCE),
    "slow-updates": held_back_by(Bottleneck.UPDATE),
    "over-memory": over_memory,
    "signal": lambda scene: scene.session(sys.executable, "-c", KILLS_ITSELF),
    "stalled": lambda scene: scene.session(hang_after_seconds=0.1),
    "never-connects": lambda scene: scene.session(startup=3.0, never_connects=True),
    "learner-silent": lambda scene: scene.session(sys.executable, "-c", "import time; time.sleep(60)", startup=0.5),
    "no-decision": lambda scene: scene.session(startup=3.0, no_steps=True),
}
"""What no log tells; the rest are what the learner says as it ends."""
VALUES = {"num_envs": 4, "proxy": "http_proxy", "signal": "SIGKILL"}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.key)
def test_it_ends_in_its_remedy(trouble: Trouble, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(workshop, monkeypatch)
    if trouble.key in PROVOCATIONS:
        remedy, said = trouble.told(VALUES if trouble.key != "over-memory" else {}), PROVOCATIONS[trouble.key](scene)
    else:
        assert trouble.example is not None, "nothing provokes it"
        remedy = str(trouble.found_in(trouble.example, {}))
        said = scene.session(crash_at_start=True, crash_text=trouble.example)
    assert remedy in said
    assert workshop.leftovers() == []


def test_numbers_of_this_machine_and_session_follow(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(workshop, monkeypatch)
    (name,) = (behavior.name for behavior in config_of().behaviors)
    examples = {trouble.key: trouble.example for trouble in TROUBLES}
    said = scene.session(crash_at_start=True, crash_text=examples["behavior-name"])
    assert "My Behavior" in said and said.endswith(f"(the trainer config names {name})")
    resource = pytest.importorskip("resource")
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = scene.session(crash_at_start=True, crash_text=examples["open-files"])
    assert limit == resource.RLIM_INFINITY or f"here it is {limit:,}" in said
