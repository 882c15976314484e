"""Why a run could not go on, said to whoever started it."""

from __future__ import annotations

from sweeper.app.dead_ends import error_of
from sweeper.errors import ExitCode
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Outcome, Purpose
from sweeper.study.course import DeadEnd, Ending
from tests.helpers.builders import GIB, params_of, trial_of


def test_what_was_never_measured_is_named():
    void = {"outcome": Outcome.DISTURBED, "reason": Finding(FindingKind.STOOD_STILL, {"pause_seconds": 99.0})}
    own = trial_of(0, params_of(), purpose=Purpose.BASELINE, **void)
    smallest = trial_of(1, params_of(), purpose=Purpose.SEARCH, **void)
    said = [str(error_of(DeadEnd(Ending.UNMEASURED, trial), GIB)) for trial in (own, smallest)]
    assert said[0].startswith("your own settings could not be measured:")
    assert said[1].startswith("the smallest configuration could not be measured:")


def test_a_cap_that_is_too_low_is_named():
    over = {"outcome": Outcome.OVER_MEMORY, "peak_memory_bytes": 3 * GIB}
    gpu = Finding(FindingKind.OVER_GPU_MEMORY, {"peak_bytes": 9 * GIB})
    main = error_of(DeadEnd(Ending.CAP_TOO_LOW, trial_of(0, params_of(), **over)), 2 * GIB)
    graphics = error_of(DeadEnd(Ending.CAP_TOO_LOW, trial_of(0, params_of(), reason=gpu, **over)), 32 * GIB)
    assert "the memory cap of 2.0 GiB is below what the smallest configuration needs" in str(main)
    assert "needs more GPU memory than gpu_memory_cap allows" in str(graphics) and "32" not in str(graphics)
    assert main.exit_code is graphics.exit_code is ExitCode.NOTHING_FEASIBLE
