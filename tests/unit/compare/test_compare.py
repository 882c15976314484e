"""The learning guard, constraints, and pooled configurations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sweeper.compare.candidates import geometric_mean, pool, ranked
from sweeper.compare.guard import MAX_VIOLATION, constraints, makes_no_fewer, requirement, shortfall
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import Outcome, Purpose
from tests.helpers.builders import GIB, params_of, trial_of

Updates = PerThousandSteps
CAP = 8 * GIB


class TestGuard:
    def test_no_update_is_never_enough(self) -> None:
        assert shortfall(Updates(None, 0.0), None) == Finding(FindingKind.LEARNS_NOTHING)

    def test_with_the_guard_off_any_update_will_do(self) -> None:
        assert shortfall(Updates(0.1, 0.001), None) is None

    @pytest.mark.parametrize(
        ("updates", "kind", "figures"),
        [
            (Updates(10.0, 0.44), FindingKind.TOO_FEW_POLICY_UPDATES, (0.44, 0.5)),
            (Updates(8.9, 0.5), FindingKind.TOO_FEW_GRADIENT_UPDATES, (8.9, 10.0)),
        ],
    )
    def test_shortfall(self, updates: Updates, kind: FindingKind, figures: tuple[float, float]) -> None:
        values = {"actual_per_1000": figures[0], "required_per_1000": figures[1]}
        assert shortfall(updates, Updates(10.0, 0.5)) == Finding(kind, values)

    # Bursts decide about a few per cent, and a quarter of the updates is what four times the batch size makes.
    @pytest.mark.parametrize("updates", [Updates(10.0, 0.5), Updates(None, 0.5), Updates(9.7, 0.49)])
    def test_enough(self, updates: Updates) -> None:
        assert shortfall(updates, Updates(10.0, 0.5)) is None

    def test_requirement(self) -> None:
        assert requirement(Updates(40.0, 2.0), 0.25) == Updates(10.0, 0.5)
        assert requirement(Updates(None, 2.0), 0.5) == Updates(None, 1.0)
        assert requirement(None, 0.25) is None
        assert requirement(Updates(40.0, 2.0), None) is None

    def test_makes_no_fewer(self) -> None:
        own = Updates(20.0, 0.5)
        assert makes_no_fewer(own, own)
        assert makes_no_fewer(Updates(19.7, 0.495), own)
        assert not makes_no_fewer(Updates(10.0, 0.5), own)
        assert not makes_no_fewer(Updates(20.0, 0.4), own)
        assert not makes_no_fewer(Updates(None, 0.5), own)
        assert makes_no_fewer(Updates(None, 0.5), Updates(None, 0.5))
        assert not makes_no_fewer(None, own)
        assert not makes_no_fewer(own, None)


class TestConstraints:
    required = Updates(10.0, 0.5)

    def test_a_good_trial_violates_nothing(self) -> None:
        trial = trial_of(peak_memory_bytes=6 * GIB)
        assert constraints(trial, CAP, self.required) == {"memory": -0.25, "updates": 0.0, "failed": 0.0}

    def test_over_memory(self) -> None:
        trial = trial_of(outcome=Outcome.OVER_MEMORY, peak_memory_bytes=10 * GIB)
        assert constraints(trial, CAP, self.required) == {"memory": 0.25, "updates": 0.0, "failed": 0.0}
        unknown = trial_of(outcome=Outcome.OVER_MEMORY, peak_memory_bytes=None)
        assert constraints(unknown, CAP, self.required)["memory"] > 0

    def test_too_few_updates(self) -> None:
        trial = trial_of(outcome=Outcome.TOO_FEW_UPDATES, updates_per_1000_steps=Updates(5.0, 0.4))
        assert constraints(trial, CAP, self.required)["updates"] == 1.0
        none = trial_of(outcome=Outcome.TOO_FEW_UPDATES, updates_per_1000_steps=Updates(0.0, 0.0))
        assert constraints(none, CAP, self.required)["updates"] == MAX_VIOLATION
        assert constraints(none, CAP, None)["updates"] == MAX_VIOLATION

    @pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.CRASHED, Outcome.NO_STEPS])
    def test_failures(self, outcome: Outcome) -> None:
        assert constraints(trial_of(outcome=outcome), CAP, self.required)["failed"] == 1.0

    def test_a_veto_breaks_the_cap_by_what_was_predicted(self) -> None:
        found = constraints(
            trial_of(outcome=Outcome.VETOED, peak_memory_bytes=None, predicted_memory_bytes=(1.5 * CAP, 2.5 * CAP)),
            CAP,
            self.required,
        )
        assert (found["memory"], found["failed"]) == (pytest.approx(1.0), 0.0)

    @pytest.mark.parametrize("outcome", [Outcome.DISTURBED, Outcome.INTERRUPTED])
    def test_what_says_nothing_violates_nothing(self, outcome: Outcome) -> None:
        assert constraints(trial_of(outcome=outcome), CAP, self.required)["failed"] == 0.0

    @given(
        st.sampled_from(list(Outcome)),
        st.one_of(st.none(), st.integers(1, 100 * GIB)),
        st.one_of(st.none(), st.builds(Updates, st.one_of(st.none(), st.floats(0, 100)), st.floats(0, 5))),
    )
    @settings(deadline=None, max_examples=80)
    def test_infeasible_is_exactly_a_violated_constraint(
        self, outcome: Outcome, peak: int | None, updates: Updates | None
    ) -> None:
        trial = trial_of(outcome=outcome, peak_memory_bytes=peak, updates_per_1000_steps=updates)
        found = constraints(trial, CAP, self.required)
        assert set(found) == {"memory", "updates", "failed"}
        assert all(math.isfinite(value) for value in found.values())
        assert (max(found.values()) > 0) == outcome.is_infeasible


class TestPool:
    def test_configurations_in_the_order_of_their_first_trial(self) -> None:
        a, b = params_of(1), params_of(2)
        found = pool([trial_of(0, b, 400.0), trial_of(1, a, 100.0), trial_of(2, dict(reversed(b.items())), 100.0)])
        assert [item.params for item in found] == [b, a]
        assert found[0].steps_per_second == pytest.approx(200.0)
        assert [trial.number for trial in found[0].trials] == [0, 2]

    def test_disturbed_and_interrupted_sessions_say_nothing(self) -> None:
        assert pool([trial_of(outcome=Outcome.DISTURBED), trial_of(outcome=Outcome.INTERRUPTED)]) == ()

    @pytest.mark.parametrize(
        ("outcomes", "feasible"),
        [
            ([Outcome.OK], True),
            ([Outcome.OK, Outcome.CRASHED], True),
            ([Outcome.OK, Outcome.OK, Outcome.CRASHED], True),
            ([Outcome.OK, Outcome.OK, Outcome.OVER_MEMORY], False),
            ([Outcome.TOO_FEW_UPDATES], False),
            ([Outcome.OK, Outcome.DISTURBED], True),
        ],
    )
    def test_feasibility(self, outcomes: list[Outcome], feasible: bool) -> None:
        (item,) = pool([trial_of(number, outcome=outcome) for number, outcome in enumerate(outcomes)])
        assert item.is_feasible is feasible

    def test_what_the_user_has_mended_does_not_count(self) -> None:
        """Own settings that did not run twice, then did: a baseline, and not one that fails more often than not."""
        failed = [
            trial_of(n, outcome=o, purpose=Purpose.BASELINE) for n, o in enumerate((Outcome.CRASHED, Outcome.TIMEOUT))
        ]
        (item,) = pool([*failed, trial_of(2, purpose=Purpose.BASELINE)])
        assert item.is_feasible and item.failures == ()
        (item,) = pool(failed)
        assert not item.is_feasible and len(item.failures) == 2
        over = trial_of(0, outcome=Outcome.OVER_MEMORY, purpose=Purpose.BASELINE)
        (item,) = pool([over, trial_of(1, purpose=Purpose.BASELINE)])
        assert not item.is_feasible

    def test_pooled_figures(self) -> None:
        (item,) = pool(
            [
                trial_of(0, rate=100.0, peak_memory_bytes=3, updates_per_1000_steps=Updates(10.0, 1.0)),
                trial_of(1, rate=400.0, peak_memory_bytes=5, updates_per_1000_steps=Updates(None, 2.0)),
                trial_of(2, outcome=Outcome.CRASHED, peak_memory_bytes=4),
            ]
        )
        assert item.steps_per_second == pytest.approx(200.0)
        assert item.peak_memory_bytes == 5
        assert item.updates_per_1000_steps == Updates(10.0, 1.5)
        assert len(item.measured) == 2

    def test_ranked(self) -> None:
        trials = [
            trial_of(0, params_of(1), 100.0),
            trial_of(1, params_of(2), 300.0),
            trial_of(2, params_of(3), 900.0, outcome=Outcome.TOO_FEW_UPDATES),
            trial_of(3, params_of(4), outcome=Outcome.CRASHED),
            trial_of(4, params_of(5), 200.0),
        ]
        assert [item.params["num_envs"] for item in ranked(pool(trials))] == [2, 5, 1]

    @given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=8))
    @settings(deadline=None, max_examples=50)
    def test_geometric_mean(self, rates: list[float]) -> None:
        assert geometric_mean(rates) == pytest.approx(stats.gmean(rates), rel=1e-9)

    def test_geometric_mean_of_nothing(self) -> None:
        assert geometric_mean([]) is None


def test_a_behaviour_that_learns_a_lot_does_not_hide_one_that_does_not() -> None:
    """SAC's many gradient updates beside PPO's few: the sums look fine, PPO's share does not."""
    baseline = PerThousandSteps(65.1, 50.7, {"gradient updates by PPO": 30.4, "gradient updates by SAC": 100.0})
    bigger = PerThousandSteps(54.2, 53.2, {"gradient updates by PPO": 3.8, "gradient updates by SAC": 103.0})
    values = {"name": "gradient updates by PPO", "actual_per_1000": 3.8, "required_per_1000": 7.6}
    assert shortfall(bigger, requirement(baseline, 0.25)) == Finding(FindingKind.TOO_FEW_UPDATES_OF, values)
    assert shortfall(bigger, requirement(baseline, 0.1)) is None
    assert not makes_no_fewer(bigger, baseline)
