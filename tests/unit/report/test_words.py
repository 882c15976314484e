"""What is said about a study as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sweeper.model.findings import Bottleneck, Finding, FindingKind
from sweeper.model.study import IntervalFrom, Noise, Pooled, Speedup, StudyResult, Verdict
from sweeper.model.trial import Outcome, Purpose
from sweeper.report.words.answer import headline, is_recommended, title
from sweeper.report.words.bottlenecks import why
from sweeper.report.words.errors import error_text
from sweeper.report.words.predictions import prediction_text
from sweeper.report.words.reasons import OUTCOME_WORDS
from sweeper.report.words.reference import mark_of
from sweeper.report.words.values import (
    busiest_text,
    bytes_text,
    command_text,
    interval_text,
    moment_text,
    params_text,
    range_text,
    speedup_text,
    value_text,
)
from tests.helpers.builders import GIB, params_of, trial_of
from tests.helpers.results import BROKEN, FAST, OWN, full_result, info_of

SMALLEST = params_of(1, 1, 64)


def answered(**fields: Any) -> StudyResult:
    """`full_result` with other fields of its answer."""
    result = full_result()
    assert result.best is not None
    best = replace(result.best, **fields)
    return replace(result, best=best, verdict=best.verdict)


class TestValues:
    def test_every_outcome_has_words(self) -> None:
        assert set(OUTCOME_WORDS) == set(Outcome)

    def test_values(self) -> None:
        assert [value_text(value) for value in (None, True, False, 10240, 0.5, "linear")] == [
            "as configured", "true", "false", "10240", "0.5", "linear",
        ]  # fmt: skip

    def test_params(self) -> None:
        assert params_text({"hyperparameters.buffer_size": 2048, "threaded": True}) == "buffer_size 2048, threaded true"
        assert params_text({}) == "–"

    def test_speedups(self) -> None:
        assert speedup_text(None) == "–"
        assert speedup_text(Speedup(2.341, None)) == "2.34x"
        assert interval_text(Speedup(2.0, (1.8, 2.25))) == " (95 %: 1.80 to 2.25)"

    def test_what_is_absent(self) -> None:
        assert (bytes_text(None), bytes_text(GIB // 2)) == ("–", "512 MiB")
        assert (range_text(None), range_text((1500.0, 1700.0))) == ("–", "1,500 to 1,700")

    def test_moments(self) -> None:
        assert moment_text("2026-01-01T00:30:00+00:00") == "2026-01-01 00:30 UTC"
        assert moment_text("2026-01-01T00:30:00") == "2026-01-01 00:30"
        assert moment_text("<b>") == "<b>"

    def test_commands(self) -> None:
        assert command_text(("a", "b c", "$x")) == "a 'b c' '$x'"

    def test_the_busiest(self) -> None:
        assert busiest_text((), ()) == ""
        assert busiest_text(("stress", "chrome"), (0.94, 0.21)) == " (busiest: stress 0.9, chrome 0.2 cores)"


class TestHeadline:
    def test_better(self) -> None:
        assert headline(full_result()).endswith("2.00 times as fast as your settings (95 %: 1.80 to 2.20).")

    def test_keep_yours_and_what_came_closest(self) -> None:
        slower = Pooled(params_of(2), 900.0, None, None, 2, 0, True, (900.0,), GIB, None, Speedup(0.9, (0.7, 1.2)))
        result = answered(verdict=Verdict.KEEP_YOURS, speedup=None, params=OWN)
        assert headline(replace(result, configurations=())).endswith("): nothing was shown to be faster.")
        (fast, *others) = result.configurations
        closest = replace(fast, speedup=Speedup(1.04, (0.9, 1.2)))
        own = replace(others[1], speedup=Speedup(5.0, None))
        assert headline(replace(result, configurations=(slower, own, closest))) == (
            "Keep your settings (num_envs 1, num_areas 1, batch_size 128, threaded false, 2,000 steps/s): nothing was "
            "shown to be faster; num_envs 4, num_areas 4, batch_size 256, threaded false came closest with 1.04 times "
            "their speed (95 %: 0.90 to 1.20)."
        )

    def test_unconfirmed(self) -> None:
        first = answered(verdict=Verdict.UNCONFIRMED, speedup=Speedup(2.0, None))
        assert "looks fastest at 2,000 steps/s, about 2.00 times your settings; unconfirmed: there was no room" in (
            headline(first)
        )
        left_open = answered(verdict=Verdict.UNCONFIRMED, speedup=Speedup(2.0, (0.5, 8.0)))
        assert (
            "about 2.00 times your settings (95 %: 0.50 to 8.00); unconfirmed: the sessions side by side"
            in headline(left_open)
        )
        few = answered(verdict=Verdict.UNCONFIRMED, speedup=Speedup(2.24, (1.67, 3.0)))
        assert "(95 %: 1.67 to 3.00); unconfirmed: too few sessions side by side to be sure of it" in headline(few)
        running = replace(first, study=info_of(stopped_because=None))
        assert headline(running).startswith("Not finished; so far: num_envs 4")
        assert headline(running).endswith("about 2.00 times your settings.")

    @pytest.mark.parametrize(
        ("stopped", "limit"), [("budget", "budget"), ("limit on trials", "limit on trials"), ("all", "space")]
    )
    def test_only_yours(self, stopped: str, limit: str) -> None:
        only = answered(verdict=Verdict.UNCONFIRMED, speedup=None, params=OWN)
        text = headline(replace(only, study=info_of(stopped_because=stopped)))
        assert text.startswith("Only your settings were measured (num_envs 1")
        assert text.endswith(f"; the {limit} left no room for more.")

    def test_without_yours(self) -> None:
        alone = answered(verdict=Verdict.UNCONFIRMED, speedup=None)
        assert headline(alone).endswith("your own settings could not be measured beside it.")

    def test_nothing(self) -> None:
        result = replace(full_result(), best=None)
        assert headline(result) == "No configuration is feasible; the last one: it broke."
        assert headline(replace(result, trials=())) == "No configuration was measured."
        cut = trial_of(0, OWN, outcome=Outcome.INTERRUPTED, reason=Finding(FindingKind.INTERRUPTED))
        assert headline(replace(result, verdict=None, trials=(cut,))) == (
            "No configuration was measured: we were asked to stop."
        )
        running = replace(result, study=info_of(stopped_because=None), trials=())
        assert headline(running) == "No trial has ended yet."


class TestAnotherReference:
    """The user's own settings break the memory cap: the smallest that fits stands in for them."""

    @staticmethod
    def result(**fields: Any) -> StudyResult:
        result = answered(**fields)
        over = trial_of(0, OWN, purpose=Purpose.BASELINE, outcome=Outcome.OVER_MEMORY, peak_memory_bytes=9 * GIB)
        smallest = trial_of(1, SMALLEST, 1000.0, bottleneck=Bottleneck.PLAYERS)
        assert result.baseline is not None
        return replace(
            result,
            baseline=replace(result.baseline, steps_per_second=None),
            reference=SMALLEST,
            trials=(over, smallest, *result.trials[2:]),
        )

    def test_the_headline_says_so(self) -> None:
        assert headline(self.result()) == (
            "Your own settings break the memory cap of 8.0 GiB (stopped at 9.0 GiB); speed-ups are over the smallest "
            "that fits (num_envs 1, num_areas 1, batch_size 64, threaded false). num_envs 4, num_areas 4, batch_size "
            "256, threaded false trains at 2,000 steps/s: 2.00 times as fast as the smallest that fits (95 %: 1.80 to "
            "2.20)."
        )

    def test_where_nothing_is_faster(self) -> None:
        result = self.result(verdict=Verdict.KEEP_YOURS, params=SMALLEST, speedup=None)
        assert "threaded false). Train with that (2,000 steps/s): nothing was shown to be faster; num_envs 4" in (
            headline(result)
        )
        assert headline(result).endswith("came closest with 2.00 times its speed (95 %: 1.80 to 2.20).")
        assert title(result) == "Train with the smallest configuration that fits"
        assert is_recommended(result)

    def test_unconfirmed(self) -> None:
        result = self.result(verdict=Verdict.UNCONFIRMED, speedup=Speedup(2.0, None))
        assert "about 2.00 times the smallest that fits; unconfirmed: there was no room" in headline(result)
        alone = self.result(verdict=Verdict.UNCONFIRMED, params=SMALLEST, speedup=None)
        assert "Only the smallest that fits was measured (2,000 steps/s); the budget left" in headline(alone)

    def test_tables_and_reasons_name_it(self) -> None:
        result = self.result()
        assert [mark_of(params, result) for params in (SMALLEST, OWN, FAST)] == ["smallest that fits", "", ""]
        assert [mark_of(params, full_result()) for params in (SMALLEST, OWN, FAST)] == ["", "yours", ""]
        assert [name for name, _ in why(result)] == ["The smallest that fits", "The recommended settings"]

    def test_drift_is_judged_by_it(self) -> None:
        noise = Noise(2.5, -3.0, (-4.0, -2.0), 5, 4)
        assert error_text(replace(self.result(), noise=noise)).endswith("4 sessions of the smallest that fits.")
        assert error_text(replace(full_result(), noise=noise)).endswith("4 sessions of your settings.")


class TestErrors:
    @pytest.mark.parametrize("source", ["confirmation sessions", IntervalFrom.CONFIRMED])
    def test_whence_the_answers_figures_are(self, source: str) -> None:
        text = error_text(answered(interval_from=source))
        assert text.endswith("The answer's own speed and speed-up are from confirmation sessions only.")

    def test_of_an_answer_without_a_speedup(self) -> None:
        assert "The answer's own" not in error_text(answered(verdict=Verdict.KEEP_YOURS, speedup=None))

    def test_without_repeats(self) -> None:
        text = error_text(replace(full_result(), noise=Noise(None, None)))
        assert text.endswith("because none was measured twice.")


def test_predictions_are_judged_by_what_was_measured_and_vetoes_are_never_silent() -> None:
    vetoed = trial_of(5, FAST, None, outcome=Outcome.VETOED, predicted_memory_bytes=(9.0, 10.0), peak_memory_bytes=None)
    inside = trial_of(6, FAST, 900.0, predicted_memory_bytes=(0.5 * GIB, 2.0 * GIB), peak_memory_bytes=GIB)
    outside = trial_of(7, FAST, 900.0, predicted_memory_bytes=(2.0 * GIB, 3.0 * GIB), peak_memory_bytes=GIB)

    def text(*trials: Any) -> str | None:
        return prediction_text(replace(full_result(), trials=trials))

    assert text(trial_of(1, OWN, 900.0)) is None
    assert text(inside, outside) == ("1 of 2 measured peaks fell into the interval (99 %) predicted before the trial.")
    assert text(vetoed) == (
        "1 configuration was not launched because it was sure to break the cap. "
        "No prediction could be checked against a measurement yet."
    )
    assert (text(vetoed, vetoed, inside) or "").startswith("2 configurations were not launched because they were sure")


def test_what_ranks() -> None:
    result = full_result()
    assert [item.params for item in result.ranking] == [FAST, params_of(2), OWN]
    assert BROKEN in [item.params for item in result.configurations]
