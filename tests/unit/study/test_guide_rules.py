"""The guide's rules of thumb beside what trials saw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sweeper.model.guide import RuleKind, recommended_envs
from sweeper.model.load import Part, Utilisation
from sweeper.model.study import Verdict
from sweeper.model.trial import Outcome
from sweeper.study.guide_rules import guide_rules
from sweeper.study.history import History
from tests.helpers.builders import params_of, trial_of
from tests.helpers.results import full_result

OWN = params_of(1, 1)
MIB = 1024**2


def use(cores: float, players: int = 1, player_mib: int = 600, gpu: float | None = None) -> Utilisation:
    return Utilisation(cores, 8.0, {}, (), {Part.PLAYERS: players * player_mib * MIB}, players, gpu)


def measured(*sessions: tuple[dict[str, Any], float, Utilisation | None]) -> History:
    trials = [
        trial_of(number, params, rate, utilisation=found) for number, (params, rate, found) in enumerate(sessions)
    ]
    return History(tuple(trials), OWN)


def rules(history: History, cores: int = 8) -> dict[tuple[RuleKind, int | None, int | None], Any]:
    return {(rule.kind, rule.envs, rule.areas): rule for rule in guide_rules(history, None, cores)}


@pytest.mark.parametrize(("cores", "envs"), [(2, None), (3, None), (4, 2), (7, 2), (8, 4), (15, 4), (16, 8), (64, 8)])
def test_what_the_guide_recommends(cores: int, envs: int | None) -> None:
    assert recommended_envs(cores) == envs


def test_nothing_was_measured() -> None:
    assert guide_rules(History((), OWN), None, 8) == ()


class TestSpeedups:
    def test_without_repeats_it_is_open(self) -> None:
        rule = rules(measured((OWN, 1000.0, None), (params_of(2), 1700.0, None)))[(RuleKind.SPEEDUP, 2, 1)]
        assert (rule.found, rule.interval, rule.held) == (pytest.approx(1.7), None, None)

    @pytest.mark.parametrize(("rate", "held"), [(1800.0, True), (1200.0, False), (3000.0, False)])
    def test_repeats_tell(self, rate: float, held: bool) -> None:
        one = [(OWN, 1000.0 + wobble, None) for wobble in (-10, 0, 10)]
        many = [(params_of(2), rate + wobble, None) for wobble in (-10, 0, 10)]
        rule = rules(measured(*one, *many))[(RuleKind.SPEEDUP, 2, 1)]
        assert rule.interval[0] < rate / 1000 < rule.interval[1]
        assert rule.held is held

    def test_nothing_else_may_differ(self) -> None:
        found = rules(measured((OWN, 1000.0, None), (params_of(2, batch=512), 1700.0, None)))
        assert (RuleKind.SPEEDUP, 2, 1) not in found

    def test_the_users_own_settings_come_first(self) -> None:
        other = (params_of(1, batch=64), 500.0, None), (params_of(4, 2, batch=64), 500.0, None)
        own = (OWN, 1000.0, None), (params_of(4, 2), 4000.0, None)
        assert rules(measured(*other, *own))[(RuleKind.SPEEDUP, 4, 2)].found == pytest.approx(4.0)


class TestUse:
    def test_cores_and_memory_by_environments(self) -> None:
        found = rules(
            measured(
                (OWN, 1000.0, use(1.5)), (params_of(4), 2000.0, use(3.0, 4)), (params_of(4, 8), 2500.0, use(3.4, 4))
            )
        )
        one, four = found[(RuleKind.CORES, 1, None)], found[(RuleKind.CORES, 4, None)]
        assert (one.said, one.found, one.held) == ((1.0, 2.0), 1.5, True)
        assert (four.said, four.found, four.held) == ((4.0, 8.0), pytest.approx(3.2), False)
        assert (RuleKind.CORES, 8, None) not in found
        player = found[(RuleKind.PLAYER_MEMORY, None, None)]
        assert (player.found, player.held) == (600 * MIB, True)

    def test_all_that_four_environments_need(self) -> None:
        trials = [trial_of(n, params_of(4), 1000.0, peak_memory_bytes=int(gb * 1e9)) for n, gb in enumerate((1, 3, 9))]
        rule = rules(History(tuple(trials), OWN))[(RuleKind.MEMORY, 4, None)]
        assert (rule.said, rule.found, rule.held) == ((2e9, 8e9), 3e9, True)

    @pytest.mark.parametrize(("gpu", "held"), [((10.0, 60.0), True), ((50.0, 51.0), False)])
    def test_use_of_the_gpu(self, gpu: tuple[float, float], held: bool) -> None:
        found = rules(measured((OWN, 1000.0, use(1, gpu=gpu[0])), (params_of(8), 2000.0, use(2, 8, gpu=gpu[1]))))[
            (RuleKind.GPU, 8, None)
        ]
        assert (found.found, found.held) == (gpu[1] - gpu[0], held)

    def test_without_a_gpu_nothing_is_said_of_it(self) -> None:
        found = rules(measured((OWN, 1000.0, use(1)), (params_of(8), 2000.0, use(2, 8))))
        assert not any(kind is RuleKind.GPU for kind, *_ in found)

    def test_failures_say_nothing(self) -> None:
        failed = trial_of(0, params_of(4), None, outcome=Outcome.OVER_MEMORY, utilisation=use(3.0, 4))
        assert guide_rules(History((failed,), OWN), None, 8) == ()


@pytest.mark.parametrize(
    ("cores", "verdict", "held"),
    [
        (16, Verdict.BETTER, False),
        (8, Verdict.BETTER, False),
        (8, Verdict.UNCONFIRMED, None),
        (2, Verdict.BETTER, None),
    ],
)
def test_environments_of_the_answer(cores: int, verdict: Verdict, held: bool | None) -> None:
    best = full_result().best
    assert best is not None
    found = guide_rules(History((), OWN), replace(best, verdict=verdict), cores)
    assert [rule.held for rule in found] == ([] if held is None else [held])
