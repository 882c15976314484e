"""What the confirmation says, whom it judges next, and when its verdict is clear."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from sweeper.model.trial import Outcome, Params, Purpose, TrialResult
from sweeper.study.confirmation import LEADERS, MAX_ROUNDS, Confirmation
from sweeper.study.history import History
from tests.helpers.builders import params_of, trial_of

OWN, A, B, C, D = params_of(1), params_of(2), params_of(4), params_of(4, 4), params_of(8)
SEARCHED = (
    trial_of(0, OWN, 1000.0, Purpose.BASELINE),
    trial_of(1, A, 1500.0),
    trial_of(2, B, 2000.0),
    trial_of(3, C, 1900.0),
)


def confirmation(results: Sequence[TrialResult] = (), is_last: bool = False) -> Confirmation:
    return Confirmation(History((*SEARCHED, *results), OWN), is_last)


def rounds(
    *found: dict[int, tuple[Params, float]] | list[tuple[Params, float | None]], first: int = 4
) -> list[TrialResult]:
    """A trial for each pair; without a rate it was disturbed."""
    results: list[TrialResult] = []
    for number, pairs in enumerate(found):
        for params, rate in pairs:  # type: ignore[misc]
            outcome = Outcome.OK if rate else Outcome.DISTURBED
            results.append(trial_of(first + len(results), params, rate, Purpose.CONFIRM, round=number, outcome=outcome))
    return results


def names(found: Confirmation) -> list[Params]:
    return [item.params for item in found.contenders]


def better(found: Confirmation) -> list[Params]:
    return [item.params for item in found.better]


class TestContenders:
    def test_the_reference_and_the_leaders_of_the_search(self) -> None:
        assert LEADERS == 2
        assert names(confirmation()) == [OWN, B, C]

    def test_nobody_where_nothing_looks_faster(self) -> None:
        slower = History((SEARCHED[0], trial_of(1, A, 900.0)), OWN)
        assert Confirmation(slower).contenders == ()

    def test_nobody_without_a_reference(self) -> None:
        assert Confirmation(History(SEARCHED[1:], OWN)).contenders == ()

    def test_the_same_until_it_is_clear(self) -> None:
        """One that falls back does not give way to a configuration whose only session was lucky."""
        unclear = rounds([(OWN, 1000.0), (B, 1200.0), (C, 1050.0)])
        found = confirmation(unclear)
        assert found.is_open
        assert names(found) == [OWN, B, C]

    def test_clear_after_a_round_or_two_where_the_effect_is_large(self) -> None:
        one = rounds([(OWN, 200.0), (B, 2000.0), (C, 1400.0)])
        assert better(confirmation(one)) == [B, C]
        two = rounds([(OWN, 200.0), (B, 2000.0), (C, 1400.0)], [(OWN, 200.0), (B, 2010.0), (C, 1390.0)])
        found = confirmation(two)
        assert not found.is_open
        assert found.contenders == ()

    def test_a_newcomer_is_judged_beside_the_best_so_far(self) -> None:
        two = rounds([(OWN, 200.0), (B, 2000.0), (C, 1400.0)], [(OWN, 200.0), (B, 2010.0), (C, 1390.0)])
        assert names(confirmation([*two, trial_of(10, D, 3000.0)])) == [D, B]
        assert names(confirmation([*two, trial_of(10, D, 1000.0)])) == []

    def test_a_reference_that_is_far_behind_rests_while_the_rivals_are_told_apart(self) -> None:
        found = confirmation(rounds([(OWN, 200.0), (B, 2000.0), (C, 1950.0)]))
        assert found.is_open
        assert better(found) == [B, C]
        assert names(found) == [B, C]

    def test_one_that_may_be_as_fast_as_a_rival_does_not_rest(self) -> None:
        near = rounds(*[[(OWN, 1000.0), (B, 1250.0), (C, 1240.0)]] * 4)
        found = confirmation([*near, trial_of(16, D, 3000.0)])
        assert better(found) == [B, C]
        assert names(found) == [OWN, D, B]

    def test_one_that_broke_the_cap_is_out(self) -> None:
        broke = trial_of(7, B, purpose=Purpose.CONFIRM, outcome=Outcome.OVER_MEMORY, round=1)
        found = confirmation([*rounds([(OWN, 1000.0), (B, 1200.0), (C, 1050.0)]), broke])
        assert B not in names(found)

    def test_not_for_ever(self) -> None:
        close = rounds(*[[(OWN, 1000.0), (B, 1060.0), (C, 1050.0)]] * MAX_ROUNDS)
        assert confirmation(close).is_over
        assert confirmation(close).contenders == ()

    def test_a_round_that_somebody_stopped_is_none(self) -> None:
        cut = trial_of(4, OWN, purpose=Purpose.CONFIRM, outcome=Outcome.INTERRUPTED, round=0)
        assert confirmation([cut]).rounds == {}


class TestVerdict:
    def test_incomplete_rounds_count(self) -> None:
        found = rounds(
            [(OWN, 395.0), (B, 2300.0), (C, None)], [(OWN, None), (B, 2500.0), (C, 2100.0)], [(OWN, 400.0), (C, 2200.0)]
        )
        assert set(map(str, better(confirmation(found)))) == {str(B), str(C)}

    def test_a_look_that_was_fooled_does_not_stand_against_all_that_came_after(self) -> None:
        first = [(OWN, 1000.0), (B, 3500.0), (C, 1000.0)]
        fooled = rounds(first)
        assert better(confirmation(fooled)) == [B]
        after = rounds(first, *[[(OWN, 1000.0), (B, 900.0), (C, 1000.0)]] * 3)
        assert better(confirmation(after)) == []

    @pytest.mark.parametrize(("speedup", "least", "most"), [(1.0, 0.0, 0.03), (1.3, 0.7, 1.0), (2.0, 0.98, 1.0)])
    def test_error_and_power(self, speedup: float, least: float, most: float) -> None:
        """Sessions that differ by 6 %, two rivals, eight rounds at the most; an equal rival is never to be better."""
        chooser, found, studies = random.Random(5), 0, 300
        for _ in range(studies):

            def rate(params: Any) -> float:
                times = 1.0 if params == OWN else speedup
                return 1000.0 * times * chooser.lognormvariate(0, 0.06)

            searched = (
                trial_of(0, OWN, rate(OWN), Purpose.BASELINE),
                trial_of(1, OWN, rate(OWN), Purpose.ANCHOR),
                trial_of(2, A, rate(A) * 1.2),
                trial_of(3, B, rate(B) * 1.2),
            )
            results = list(searched)
            for number in range(8):
                now = Confirmation(History(tuple(results), OWN))
                if not now.contenders:
                    break
                for item in now.contenders:
                    results.append(
                        trial_of(len(results), item.params, rate(item.params), Purpose.CONFIRM, round=number)
                    )
            found += bool(Confirmation(History(tuple(results), OWN), is_last=True).better)
        assert least <= found / studies <= most
