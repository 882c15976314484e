"""What no study measures, whatever wrote it into a results.json."""

from __future__ import annotations

from collections.abc import Iterator

from sweeper.model.study import StudyResult


def check_numbers(result: StudyResult) -> None:
    """Refuse speeds below zero, and an answer or a baseline that no trial gave.

    Raises:
        ValueError: names the first of them by its place in the JSON.
    """
    for where, rate in _rates(result):
        if rate is not None and rate < 0:
            raise ValueError(f"{where}: no speed is below zero, and this is {rate:g}")
    numbers = {trial.number for trial in result.trials}
    for name, part in (("best", result.best), ("baseline", result.baseline)):
        if part is not None and part.trial not in numbers:
            raise ValueError(f"{name}.trial: there is no trial {part.trial}")


def _rates(result: StudyResult) -> Iterator[tuple[str, float | None]]:
    for name, part in (
        ("best", result.best),
        ("baseline", result.baseline),
        ("best_with_no_fewer_updates", result.best_with_no_fewer_updates),
    ):
        if part is not None:
            yield f"{name}.steps_per_second", part.steps_per_second
    for name, part in (("best", result.best), ("best_with_no_fewer_updates", result.best_with_no_fewer_updates)):
        if part is not None and part.speedup is not None:
            yield f"{name}.speedup.estimate", part.speedup.estimate
    for at, trial in enumerate(result.trials):
        yield f"trials.{at}.steps_per_second", trial.steps_per_second
    for at, item in enumerate(result.configurations):
        yield f"configurations.{at}.steps_per_second", item.steps_per_second
        for rate in item.rates:
            yield f"configurations.{at}.rates", rate
