"""What a study's budget allows next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from sweeper.inputs.study_limits import Budget
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import Method
from sweeper.model.trial import LearnerStart, Outcome, Purpose, Stage, TrialResult, configuration_key
from sweeper.study.allowance import (
    ANCHOR_EVERY,
    CONFIRM_SHARE,
    FIRST_SEARCHED,
    LEADERS,
    MARGIN,
    MAX_BROKEN_TURNS,
    PILOT_SHARE,
    Allowance,
)
from sweeper.study.history import History
from sweeper.study.rounds import MAX_SLICE_SECONDS
from tests.helpers.builders import GIB, params_of, trial_of

OWN, A, B = params_of(1), params_of(2), params_of(4)
OWN_KEY, A_KEY, B_KEY = map(configuration_key, (OWN, A, B))
BASELINE = trial_of(0, OWN, purpose=Purpose.BASELINE, cost_seconds=40.0)
SLOWER = trial_of(1, A, 900.0, cost_seconds=60.0)
FASTER = trial_of(1, A, 5000.0, cost_seconds=60.0)


def allowance(
    results: Sequence[TrialResult], spent: float = 0.0, seconds: float = 1200.0, trials: Any = None, **fields: Any
) -> Allowance:
    given = {"cap_bytes": 8 * GIB, **fields}
    return Allowance(History(tuple(results), OWN), Budget(seconds, trials), spent, **given)


def searches(count: int, first: int = 1, **fields: Any) -> list[TrialResult]:
    return [trial_of(first + at, params_of(10 + first + at), 900.0, **fields) for at in range(count)]


class TestTime:
    def test_what_is_left(self) -> None:
        assert allowance([], spent=200.0).remaining_seconds == 1000.0
        assert allowance([], spent=2000.0).remaining_seconds == 0.0
        assert allowance([BASELINE], trials=5).remaining_trials == 4
        assert allowance([BASELINE], trials=1).remaining_trials == 0
        assert allowance([BASELINE]).remaining_trials == math.inf

    def test_a_deadline_bounds_what_is_left(self) -> None:
        assert allowance([], 100.0, seconds_to_deadline=300.0).remaining_seconds == 300.0
        assert allowance([], 1000.0, seconds_to_deadline=300.0).remaining_seconds == 200.0
        assert allowance([], seconds_to_deadline=-5.0).remaining_seconds == 0.0

    def test_a_session_takes_what_passed_between_two_starts(self) -> None:
        """Waiting for quiet and drawing are paid like measuring."""
        waited = trial_of(1, A, 900.0, total_seconds=30.0, cost_seconds=90.0)
        found = allowance([BASELINE, waited])
        assert found.session_seconds(A_KEY) == pytest.approx(MARGIN * 90)
        assert found.session_seconds(OWN_KEY) == pytest.approx(MARGIN * 40)
        assert found.session_seconds("unknown") == pytest.approx(MARGIN * 90)
        assert allowance([]).session_seconds() == 0.0

    def test_results_of_earlier_versions_have_the_sessions_length(self) -> None:
        assert allowance([trial_of(0, OWN, total_seconds=30.0)]).session_seconds(OWN_KEY) == pytest.approx(MARGIN * 30)

    def test_failed_sessions_say_nothing_about_length(self) -> None:
        failed = trial_of(2, B, outcome=Outcome.TIMEOUT, cost_seconds=900.0)
        assert allowance([BASELINE, failed]).session_seconds() == pytest.approx(MARGIN * 40)


class TestKept:
    def test_nothing_without_a_rival(self) -> None:
        found = allowance([BASELINE, SLOWER])
        assert found.kept_for_confirmation == (0.0, 0)
        assert allowance([BASELINE, SLOWER], seconds=MARGIN * 60 + 0.1).search_ends_because() is None
        assert allowance([BASELINE, SLOWER], seconds=MARGIN * 60 - 0.1).search_ends_because() == "budget"

    def test_a_round_or_two_for_a_large_effect(self) -> None:
        seconds, _ = allowance([BASELINE, FASTER], seconds=1e6).kept_for_confirmation
        assert MARGIN * 100 <= seconds <= 2 * MARGIN * 100

    def test_more_where_it_is_close_but_no_more_than_its_share(self) -> None:
        close = trial_of(1, A, 1100.0, cost_seconds=60.0)
        seconds, _ = allowance([BASELINE, close], seconds=1e6).kept_for_confirmation
        assert seconds > 5 * MARGIN * 100
        assert allowance([BASELINE, close], seconds=2000.0).kept_for_confirmation[0] == CONFIRM_SHARE * 2000.0
        assert allowance([BASELINE, close], seconds=200.0).kept_for_confirmation[0] == pytest.approx(2 * MARGIN * 100)

    def test_search_leaves_it_alone(self) -> None:
        kept, _ = allowance([BASELINE, FASTER]).kept_for_confirmation
        needed = MARGIN * 60 + kept
        assert allowance([BASELINE, FASTER], 1200 - needed - 0.1).search_ends_because() is None
        assert allowance([BASELINE, FASTER], 1200 - needed + 0.1).search_ends_because() == "budget"

    def test_trials_are_kept_where_there_are_enough(self) -> None:
        _, kept = allowance([BASELINE, FASTER], trials=20).kept_for_confirmation
        assert kept >= 2
        many = [BASELINE, FASTER, *searches(4, 2)]
        assert allowance(many, trials=len(many) + 1 + kept).search_ends_because() is None
        assert allowance(many, trials=len(many) + kept).search_ends_because() == "limit on trials"
        assert allowance([BASELINE, FASTER], trials=3).search_ends_because() is None

    def test_no_limit_on_time(self) -> None:
        assert allowance([BASELINE, FASTER], seconds=math.inf, trials=60).search_ends_because() is None

    def test_a_round_for_what_the_search_still_finds(self) -> None:
        rounds = [
            trial_of(2 + 2 * at + which, params, rate, Purpose.CONFIRM, round=at, cost_seconds=50.0)
            for at in range(2)
            for which, (params, rate) in enumerate([(OWN, 1000.0), (A, 5000.0)])
        ]
        found = allowance([BASELINE, FASTER, *rounds], seconds=1e6)
        assert found.confirmation.contenders == ()
        seconds, trials = found.kept_for_confirmation
        assert 0 < seconds <= found.session_seconds(A_KEY) + LEADERS * MARGIN * 60
        assert trials == 1 + LEADERS

    def test_a_newcomer_needs_no_session_of_settings_that_rest(self) -> None:
        slow = trial_of(0, OWN, purpose=Purpose.BASELINE, cost_seconds=400.0)
        rounds = [
            trial_of(2 + 2 * at + which, params, rate, Purpose.CONFIRM, round=at, cost_seconds=seconds)
            for at in range(2)
            for which, (params, rate, seconds) in enumerate([(OWN, 1000.0, 400.0), (A, 5000.0, 50.0)])
        ]
        found = allowance([slow, FASTER, *rounds], seconds=1e6)
        assert found.confirmation.reference_rests
        assert found.kept_for_confirmation[0] < (1 + LEADERS) * found.session_seconds(OWN_KEY)

    def test_a_young_search_goes_on_while_one_round_of_two_would_still_fit(self) -> None:
        """Two configurations that are nearly alike are no reason to keep a quarter of the budget."""
        close = trial_of(1, A, 1100.0, cost_seconds=60.0)
        found = allowance([BASELINE, close], seconds=2000.0, is_brief=True)
        assert found.kept_for_confirmation == (pytest.approx(MARGIN * 100), 2)
        older = [BASELINE, close, *searches(FIRST_SEARCHED, 2)]
        assert allowance(older, seconds=2000.0, is_brief=True).kept_for_confirmation[0] == CONFIRM_SHARE * 2000.0

    def test_of_a_short_budget_one_rival_is_confirmed_rather_than_two_not(self) -> None:
        rivals = [trial_of(1, A, 5000.0, cost_seconds=60.0), trial_of(2, B, 4900.0, cost_seconds=60.0)]
        long = allowance([BASELINE, *rivals], seconds=2000.0)
        assert len(long.confirmation.contenders) == long.contenders_that_fit() == 3
        short = allowance([BASELINE, *rivals], seconds=MARGIN * 200)
        assert short.contenders_that_fit() == 2
        assert short.kept_for_confirmation[0] == pytest.approx(MARGIN * 100)  # not of three
        assert allowance([BASELINE, *rivals], seconds=MARGIN * 100 + 1).contenders_that_fit() == 2
        assert allowance([BASELINE, *rivals], seconds=MARGIN * 100 - 1).contenders_that_fit() == 0


class TestNothingIsKeptForWhatCannotHappen:
    """A reserve that no round fits into would leave time unspent, and configurations that nobody tried."""

    rounds = tuple(
        trial_of(2 + 2 * at + which, params, rate, Purpose.CONFIRM, round=at, cost_seconds=50.0)
        for at in range(2)
        for which, (params, rate) in enumerate([(OWN, 1000.0), (A, 5000.0)])
    )

    def test_fewer_trials_than_a_round_has(self) -> None:
        many = [BASELINE, *searches(17, 2), FASTER]
        assert allowance(many, trials=len(many) + 2).search_ends_because() == "limit on trials"
        assert allowance(many, trials=len(many) + 1).search_ends_because() is None

    def test_less_time_than_a_round_takes(self) -> None:
        found = [allowance([BASELINE, FASTER], seconds=MARGIN * left) for left in (101.0, 99.0)]
        assert [one.search_ends_because() for one in found] == ["budget", None]

    @pytest.mark.parametrize(("trials", "kept"), [(6, 0), (8, 0), (9, 2), (10, 3), (20, 3)])
    def test_newcomers_that_could_not_be_judged(self, trials: int, kept: int) -> None:
        found = allowance([BASELINE, FASTER, *self.rounds], trials=trials)
        assert found.confirmation.contenders == ()
        assert found.kept_for_confirmation[1] == kept
        assert found.search_ends_because() == ("limit on trials" if trials == 6 else None)

    def test_nor_in_the_time_that_is_left(self) -> None:
        known = [BASELINE, FASTER, *self.rounds]
        searching = MARGIN * 60
        found = allowance(known, seconds=searching + 10)
        assert (found.kept_for_confirmation, found.search_ends_because()) == ((0.0, 0), None)


class TestPilot:
    def test_only_where_it_is_cheap(self) -> None:
        enough = MARGIN * 40 / PILOT_SHARE
        assert allowance([BASELINE], seconds=enough + 1).has_room_for_pilot()
        assert not allowance([BASELINE], seconds=enough - 1).has_room_for_pilot()
        assert not allowance([], seconds=1e6).has_room_for_pilot()

    def test_not_where_trials_are_few(self) -> None:
        assert allowance([BASELINE], seconds=1e6, trials=12).has_room_for_pilot()
        assert not allowance([BASELINE], seconds=1e6, trials=11).has_room_for_pilot()


class TestAnchors:
    def test_after_so_many_search_trials(self) -> None:
        assert not allowance([BASELINE, *searches(ANCHOR_EVERY - 1)]).anchor_is_due()
        assert allowance([BASELINE, *searches(ANCHOR_EVERY)]).anchor_is_due()

    @pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.DISTURBED])
    def test_a_try_is_enough(self, outcome: Outcome) -> None:
        tried = trial_of(9, OWN, purpose=Purpose.ANCHOR, outcome=outcome)
        assert not allowance([BASELINE, *searches(ANCHOR_EVERY), tried]).anchor_is_due()


class TestFinals:
    rivals = tuple(trial_of(1 + at, params_of(2 + at), 2000.0 + at, cost_seconds=30.0) for at in range(9))

    def test_as_many_as_there_is_time_for(self) -> None:
        kept, _ = allowance([BASELINE, *self.rivals], seconds=4000.0).kept_for_confirmation
        found = [
            allowance([BASELINE, *self.rivals], 4000.0 - kept - MARGIN * 30 * sessions, 4000.0).finalists()
            for sessions in (8.1, 7.9, 4.1, 3.9)
        ]
        assert found == [8, 4, 4, 0]

    def test_the_better_half_goes_on(self) -> None:
        again = [trial_of(10 + at, params_of(2 + at), stage=Stage.FINALS, round=0) for at in range(8)]
        assert allowance([BASELINE, *self.rivals, *again], seconds=1e6).finalists() == 4
        last = [trial_of(18 + at, params_of(2 + at), stage=Stage.FINALS, round=1) for at in range(4)]
        assert allowance([BASELINE, *self.rivals, *again, *last], seconds=1e6).finalists() == 0

    def test_more_search_has_finals_of_its_own(self) -> None:
        again = [trial_of(10 + at, params_of(2 + at), stage=Stage.FINALS, round=0) for at in range(4)]
        more = trial_of(14, params_of(30), 2500.0)
        assert allowance([BASELINE, *self.rivals, *again, more], seconds=1e6).finalists() == 8

    def test_not_with_few_rivals(self) -> None:
        assert allowance([BASELINE, *self.rivals[:3]], seconds=1e6).finalists() == 0


def quick(number: int, params: Any, rate: float, **fields: Any) -> TrialResult:
    """A session with cycles of two seconds, whose start-up is long beside them."""
    known = {
        "cost_seconds": 100.0,
        "measured_seconds": 40.0,
        "cycles": 20,
        "startup_seconds": 8.0,
        "warmup_seconds": 4.0,
    }
    return trial_of(number, params, rate, **{**known, **fields})


class TestRounds:
    keys = (OWN_KEY, A_KEY)

    def results(self, **fields: Any) -> list[TrialResult]:
        return [quick(0, OWN, 1000.0, purpose=Purpose.BASELINE, **fields), quick(1, A, 1100.0, **fields)]

    def test_in_turn_where_that_is_sooner(self) -> None:
        found = allowance(self.results()).round_of(self.keys)
        assert found.is_in_turn
        assert len(found.slice_cycles) == 2
        assert found.seconds < 2 * MARGIN * 100

    def test_whole_sessions_where_one_or_two_are_enough(self) -> None:
        short = [quick(0, OWN, 1000.0, cost_seconds=15.0), quick(1, A, 9000.0, cost_seconds=15.0)]
        assert not allowance(short).round_of(self.keys).is_in_turn

    @pytest.mark.parametrize(
        "fields",
        [
            {"peak_memory_bytes": 4 * GIB},
            {"measured_seconds": 20 * (MAX_SLICE_SECONDS + 1)},
            {"cycles": None},
            {"method": Method.CONSOLE},
        ],
    )
    def test_whole_sessions_where_turns_are_not_possible(self, fields: Any) -> None:
        assert not allowance(self.results(**fields)).round_of(self.keys).is_in_turn

    def test_nor_in_the_editor(self) -> None:
        assert not allowance(self.results(), may_run_in_turn=False).round_of(self.keys).is_in_turn

    def test_nor_where_they_broke_more_than_once(self) -> None:
        """One transient failure does not switch slices off for the study."""
        results = self.results()
        for round in range(MAX_BROKEN_TURNS):
            assert allowance(results).round_of(self.keys).is_in_turn
            results += [broken(len(results), OWN, round), broken(len(results) + 1, A, round)]
        assert not allowance(results).round_of(self.keys).is_in_turn

    def test_what_broke_on_a_machine_that_was_broken_does_not_count(self) -> None:
        results = self.results()
        for round in range(MAX_BROKEN_TURNS):
            results += [broken(len(results), OWN, round), broken(len(results) + 1, A, round)]
        found = quick(len(results), OWN, 0.0, outcome=Outcome.CRASHED, excuses=(len(results),))
        assert allowance([*results, found]).round_of(self.keys).is_in_turn

    def test_only_where_it_fits(self) -> None:
        needed = allowance(self.results()).round_of(self.keys).seconds
        assert allowance(self.results(), 1200 - needed - 0.1).has_room_for(self.keys) is not None
        assert allowance(self.results(), 1200 - needed + 0.1).has_room_for(self.keys) is None
        assert allowance(self.results(), trials=3).has_room_for(self.keys) is None

    def test_the_other_kind_where_the_sooner_one_does_not_fit(self) -> None:
        """Else a study would end unconfirmed with most of its budget left."""
        results = self.results(cost_seconds=60.0, cycles=8)
        sooner = allowance(results).round_of(self.keys)
        assert sooner.is_in_turn
        found = allowance(results, seconds=sooner.seconds - 1).has_room_for(self.keys)
        assert found is not None
        assert not found.is_in_turn
        assert allowance(results, seconds=found.seconds - 1).has_room_for(self.keys) is None


def broken(number: int, params: Any, round: int) -> TrialResult:
    return trial_of(
        number,
        params,
        purpose=Purpose.CONFIRM,
        outcome=Outcome.INTERRUPTED,
        round=round,
        reason=Finding(FindingKind.TURNS_BROKEN),
    )


class TestBriefSearch:
    """Where the search asks for sessions as short as its question allows."""

    own = trial_of(0, OWN, purpose=Purpose.BASELINE, cost_seconds=70.0, measured_seconds=50.0)
    brief = trial_of(1, A, 900.0, cost_seconds=15.0, measured_seconds=5.0, brief=True)

    def test_a_whole_session_takes_longer_than_the_brief_ones_that_were_seen(self) -> None:
        """Not as long as the reference's, whose cycles may be longer than any limit."""
        found = allowance([self.own, self.brief], is_brief=True, confirming_limit=20.0)
        assert found.search_seconds == MARGIN * 15.0
        assert found.session_seconds(A_KEY) == MARGIN * (15.0 + 15.0)

    def test_a_plain_start_takes_longer_than_the_warm_ones_by_what_loading_once_took(self) -> None:
        own = trial_of(0, OWN, cost_seconds=69.0, total_seconds=60.0, learner_start=LearnerStart.WARM)
        others = [
            trial_of(number, A, 900.0, cost_seconds=21.0, total_seconds=20.0, learner_start=LearnerStart.WARM)
            for number in (1, 2)
        ]
        found = allowance([own, *others], is_brief=True)
        assert found.session_seconds(A_KEY) == MARGIN * 29.0
        assert found.session_seconds(OWN_KEY) == MARGIN * 69.0

    def test_where_all_were_brief_the_limit_is_expected(self) -> None:
        own = trial_of(0, OWN, purpose=Purpose.BASELINE, cost_seconds=15.0, measured_seconds=5.0, brief=True)
        found = allowance([own, self.brief], is_brief=True, confirming_limit=60.0)
        assert found.session_seconds(OWN_KEY) == MARGIN * (15.0 + 55.0)

    def test_a_whole_session_has_two_cycles_however_long_they_are(self) -> None:
        own = trial_of(0, OWN, cost_seconds=50.0, measured_seconds=30.0, cycles=1, brief=True)
        found = allowance([own], is_brief=True, confirming_limit=20.0)
        assert found.session_seconds(OWN_KEY) == MARGIN * (50.0 + 30.0)

    def test_no_pilot_no_anchors_no_finals(self) -> None:
        results = [self.own, *searches(3 * ANCHOR_EVERY)]
        plenty = {"seconds": 1e6}
        assert allowance([self.own], **plenty).has_room_for_pilot()
        assert not allowance([self.own], is_brief=True, **plenty).has_room_for_pilot()
        assert allowance(results, **plenty).anchor_is_due()
        assert not allowance(results, is_brief=True, **plenty).anchor_is_due()
        assert allowance(results, **plenty).finalists() > 0
        assert allowance(results, is_brief=True, **plenty).finalists() == 0


def test_a_session_of_the_search_is_expected_to_take_what_searching_ones_took() -> None:
    """They start warm; what confirms loads the learner's packages again."""
    loading = {"learner_start": LearnerStart.WARM, "total_seconds": 5.0}
    results = [
        trial_of(0, OWN, 1000.0, purpose=Purpose.BASELINE, stage=Stage.PILOT, cost_seconds=30.0, **loading),
        trial_of(1, A, 1500.0, cost_seconds=5.0, **loading),
    ]
    found = allowance(results)
    assert found.search_seconds == pytest.approx(MARGIN * 5.0)
    assert found.session_seconds(A_KEY) > 25.0
