"""Sessions that other programs void."""

from __future__ import annotations

from typing import Any

import pytest

from sweeper.compare.voids import MAX_VOIDS, given_up, never_quiet, voids_in_a_row, waited_in_vain
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.load import Contention
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from tests.helpers.builders import params_of, trial_of

OWN, A, B = params_of(1), params_of(2), params_of(4)
BASELINE, SEARCH, ANCHOR, CONFIRM = Purpose.BASELINE, Purpose.SEARCH, Purpose.ANCHOR, Purpose.CONFIRM
OK, VOID, CUT = Outcome.OK, Outcome.DISTURBED, Outcome.INTERRUPTED


def trials_of(*found: tuple[Purpose, Outcome], params: Any = None) -> list[TrialResult]:
    return [
        trial_of(number, params or (A if purpose is SEARCH else OWN), purpose=purpose, outcome=outcome)
        for number, (purpose, outcome) in enumerate(found)
    ]


class TestVoids:
    @pytest.mark.parametrize(
        ("outcome", "waited", "later", "expected"),
        [(OK, 61.0, 0, True), (OK, 40.0, 0, False), (VOID, 61.0, 0, False), (OK, 61.0, 7, True), (OK, 61.0, 8, False)],
    )
    def test_waited_in_vain(self, outcome: Outcome, waited: float, later: int, expected: bool) -> None:
        load = Contention(12.0, 0.0, None, None, waited)
        results = [trial_of(0, outcome=outcome, contention=load), *(trial_of(n + 1) for n in range(later))]
        assert waited_in_vain(results) is expected

    @pytest.mark.parametrize(
        ("outcomes", "expected"),
        [
            ([VOID] * MAX_VOIDS, True),
            ([VOID] * MAX_VOIDS + [OK], False),
            ([CUT, VOID, CUT, CUT, VOID, VOID], True),
            ([VOID] * (MAX_VOIDS - 1) + [CUT], False),
            ([VOID] * (MAX_VOIDS - 1), False),
            ([VOID] * (MAX_VOIDS - 1) + [OK] + [VOID] * MAX_VOIDS, False),
            ([OK] + [VOID] * MAX_VOIDS, False),
            ([], False),
        ],
    )
    def test_never_quiet(self, outcomes: list[Outcome], expected: bool) -> None:
        assert never_quiet(trials_of(*((BASELINE, outcome) for outcome in outcomes))) is expected

    @pytest.mark.parametrize(("kind", "expected"), [(FindingKind.MACHINE_BUSY, True), (FindingKind.NOT_PRECISE, False)])
    def test_the_attempt_that_counted_found_it_busy_too(self, kind: FindingKind, expected: bool) -> None:
        voids = trials_of(*[(BASELINE, VOID)] * MAX_VOIDS)
        counted = trial_of(MAX_VOIDS, OWN, purpose=BASELINE, warnings=(Finding(kind),))
        later = trial_of(MAX_VOIDS + 1, OWN, purpose=ANCHOR)
        assert never_quiet([*voids, counted, later]) is expected

    def test_only_the_baseline_tells_whether_the_machine_is_ever_quiet(self) -> None:
        assert not never_quiet(trials_of(*[(SEARCH, VOID)] * 5))
        assert not never_quiet(trials_of((BASELINE, OK), *[(ANCHOR, VOID)] * 5))

    def test_in_a_row(self) -> None:
        assert voids_in_a_row([]) == 0
        assert voids_in_a_row(trials_of((BASELINE, VOID), (BASELINE, OK))) == 0
        assert voids_in_a_row(trials_of((SEARCH, VOID), (BASELINE, OK), (SEARCH, VOID), (ANCHOR, VOID))) == 2

    def test_given_up(self) -> None:
        assert given_up([]) == set()
        assert given_up(trials_of(*[(SEARCH, VOID)] * (MAX_VOIDS - 1), (SEARCH, CUT))) == set()
        found = trials_of(*[(SEARCH, VOID)] * MAX_VOIDS, (BASELINE, OK), (ANCHOR, VOID))
        assert given_up(found) == {configuration_key(A)}
