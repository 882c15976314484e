"""What is said beside the speed, from sessions and pairs that count."""

from __future__ import annotations

from sweeper.compare.gate.conclude import memory_growth, memory_is_unclear, updates_of
from sweeper.model.gate import BASELINE, CANDIDATE, Change, Pair
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import Outcome
from tests.helpers.builders import trial_of


def test_sessions_that_failed_say_nothing_of_updates():
    def trial(number: int, side: str, policy: float, outcome: Outcome = Outcome.OK):
        return trial_of(number, outcome=outcome, contender=side, updates_per_1000_steps=PerThousandSteps(None, policy))

    trials = [trial(0, BASELINE, 4.0), trial(1, CANDIDATE, 4.0), trial(2, CANDIDATE, 0.0, Outcome.CRASHED)]
    assert updates_of(trials)[CANDIDATE].policy == 4.0


def test_pairs_that_do_not_count_say_nothing_of_memory():
    pairs = [Pair(at, 0.0, None if at == 1 else 0.0, memory=-5.0 if at == 1 else 0.2) for at in range(4)]
    found = memory_growth(pairs)
    assert found is not None
    assert found.interval[0] > 0.2
    assert memory_growth(pairs[:2]) is None


def test_an_interval_that_says_nothing_is_unclear_and_one_that_excludes_growth_is_not():
    assert memory_is_unclear(Change(5.9, (-0.45, 85.0)), 0.1)
    assert memory_is_unclear(Change(0.0, (-0.3, 0.3)), 0.0)
    assert not memory_is_unclear(Change(0.0, (-0.02, 0.02)), 0.0)
    assert not memory_is_unclear(Change(-0.5, (-0.8, -0.1)), 0.1)
    assert not memory_is_unclear(None, 0.1)
