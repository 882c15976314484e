"""What surrounds a rate: other people's load, the bottleneck, and warnings about the cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sweeper.measure.bottleneck import bottleneck
from sweeper.measure.contention import busiest_values, contention, disturbance
from sweeper.measure.flags import GOOD_CYCLES, cycle_notes
from sweeper.model.findings import Bottleneck, BottleneckFigures, Finding, FindingKind, Value
from sweeper.model.load import BusyProcess, Contention, LoadSample
from sweeper.model.measurement import Phases

QUIET = Contention(0.0, 0.0, None, None, 0.0)


def load_of(count: int, others: float = 1.0, own: float = 2.0, start: float = 100.0) -> list[LoadSample]:
    """A sample a second; others keep `others` cores busy."""
    return [LoadSample(start + index, own * index, others * index) for index in range(count)]


class TestContention:
    def test_percentages_of_the_usable_cores(self) -> None:
        load = [
            LoadSample(100.0, 0.0, 5.0, 1.0, 2.0, 90.0),
            LoadSample(110.0, 9.0, 9.0, 1.4, 2.5, 10.0),
            LoadSample(120.0, 20.0, 13.0, 2.0, 4.0, 30.0),
        ]
        busiest = [BusyProcess("stress", 0.4)]
        found = contention(load, (100.0, 120.0), 4, 7.5, busiest)
        assert found == Contention(10.0, 1.25, 10.0, 20.0, 7.5, (busiest[0],))

    @pytest.mark.parametrize(
        ("window", "burnt"),
        [
            ((103.0, 105.0), 2.0),  # on samples
            ((103.4, 104.2), 2.0),  # the samples that enclose it: 103 and 105
            ((103.2, 103.8), 1.0),
            ((90.0, 102.5), 3.0),  # nothing older than the first sample
            ((107.5, 500.0), 2.0),  # nothing younger than the last
            ((0.0, 900.0), 9.0),
        ],
    )
    def test_the_samples_that_enclose_the_window(self, window: tuple[float, float], burnt: float) -> None:
        # In the n-th second others keep n cores busy, so that each window has its own answer.
        load = [LoadSample(100.0 + n, 0.0, n * (n + 1) / 2) for n in range(10)]
        first, last = max(100.0, np.floor(window[0])), min(109.0, np.ceil(window[1]))
        assert last - first == burnt
        found = contention(load, window, 2)
        assert found is not None
        seconds = range(int(first) - 99, int(last) - 99)
        assert found.others_percent == pytest.approx(50 * sum(seconds) / len(seconds))

    def test_nothing_to_tell(self) -> None:
        assert contention([], (0.0, 1.0), 2) is None
        assert contention(load_of(1), (0.0, 500.0), 2) is None
        assert contention([LoadSample(100.0, 0, 0), LoadSample(100.0, 1, 1)], (0.0, 500.0), 2) is None
        assert contention(load_of(5), (200.0, 210.0), 2) is None
        assert contention(load_of(5), (10.0, 20.0), 2) is None

    def test_what_was_not_told_stays_unknown(self) -> None:
        load = [LoadSample(100.0, 0, 0, 0, 1.0), LoadSample(101.0, 0, 0, 0, None)]
        found = contention(load, (100.0, 101.0), 2)
        assert found is not None
        assert (found.memory_stall_percent, found.gpu_others_percent) == (None, None)


class TestDisturbance:
    @pytest.mark.parametrize("found", [None, QUIET, Contention(15.0, 5.0, 99.0, 15.0, 60.0)])
    def test_up_to_the_limits_it_counts(self, found: Contention | None) -> None:
        assert disturbance(found) is None

    @pytest.mark.parametrize(
        ("found", "kind", "values"),
        [
            (
                replace(QUIET, others_percent=15.6),
                FindingKind.OTHERS_ON_CORES,
                {"others_percent": 15.6, "busiest": (), "busiest_cores": ()},
            ),
            (
                replace(QUIET, others_percent=40.0, steal_percent=50.0, busiest=(BusyProcess("stress", 1.6),)),
                FindingKind.OTHERS_ON_CORES,
                {"others_percent": 40.0, "busiest": ("stress",), "busiest_cores": (1.6,)},
            ),
            (replace(QUIET, steal_percent=5.6), FindingKind.CORES_STOLEN, {"steal_percent": 5.6}),
            (replace(QUIET, gpu_others_percent=80.0), FindingKind.OTHERS_ON_GPU, {"gpu_others_percent": 80.0}),
        ],
    )
    def test_beyond_them_it_does_not(self, found: Contention, kind: FindingKind, values: dict[str, Value]) -> None:
        assert disturbance(found) == Finding(kind, values)

    def test_the_busiest_three(self) -> None:
        busy = [BusyProcess("stress", 0.94), BusyProcess("chrome", 0.21), BusyProcess("x", 0.1), BusyProcess("y", 0.1)]
        assert busiest_values(busy) == {"busiest": ("stress", "chrome", "x"), "busiest_cores": (0.94, 0.21, 0.1)}


UPDATING = Phases(collect_seconds=3.0, infer_seconds=1.0, update_seconds=7.0, wait_seconds=1.5, process_seconds=0.5)
INFERRING = Phases(collect_seconds=9.0, infer_seconds=3.5, update_seconds=1.0, wait_seconds=3.8, process_seconds=1.0)
WAITING = Phases(collect_seconds=9.0, infer_seconds=1.5, update_seconds=1.0, wait_seconds=7.0, process_seconds=0.5)


class TestBottleneck:
    @pytest.mark.parametrize(
        ("phases", "cores", "kind"),
        [
            (UPDATING, 8.0, Bottleneck.UPDATE),
            (INFERRING, 8.0, Bottleneck.INFERENCE),
            (WAITING, None, Bottleneck.PLAYERS),
            (WAITING, 7.1, Bottleneck.PLAYERS),
            (WAITING, 7.2, Bottleneck.CORES),
            (replace(WAITING, worker_seconds=40.0, player_seconds=36.0), 5.0, Bottleneck.PLAYERS),
            (replace(WAITING, worker_seconds=40.0, player_seconds=20.0), 5.0, Bottleneck.PLAYERS),
            (replace(WAITING, worker_seconds=40.0, player_seconds=19.0), 5.0, Bottleneck.COMMUNICATION),
            (replace(WAITING, worker_seconds=40.0, player_seconds=19.0), 7.9, Bottleneck.CORES),
            (replace(WAITING, worker_seconds=0.0, player_seconds=0.0), None, Bottleneck.PLAYERS),
        ],
    )
    def test_kinds(self, phases: Phases, cores: float | None, kind: Bottleneck) -> None:
        assert found_in(phases, cores)[0] is kind

    def test_figures_that_decided(self) -> None:
        def figures(phases: Phases, cores: float | None = None) -> BottleneckFigures:
            return found_in(phases, cores)[1]

        assert figures(UPDATING) == BottleneckFigures(0.7, pytest.approx(0.15), 0.15)
        assert figures(INFERRING, 8.0) == BottleneckFigures(0.1, 0.45, 0.38)
        assert figures(WAITING) == BottleneckFigures(0.1, 0.2, 0.7)
        assert figures(WAITING, 8.0) == BottleneckFigures(0.1, 0.2, 0.7, cores=8.0, usable_cores=8)
        told = replace(WAITING, worker_seconds=40.0, player_seconds=36.0)
        assert figures(told, 5.0) == BottleneckFigures(0.1, 0.2, 0.7, player_share=0.9)
        assert figures(told, 8.0).player_share is None

    def test_unknown_timers(self) -> None:
        assert bottleneck(None, 10.0, 4.0, 8) is None
        assert bottleneck(UPDATING, 0.0, 4.0, 8) is None

    def test_threaded_trajectories_are_processed_elsewhere(self) -> None:
        found = bottleneck(INFERRING, 10.0, None, 8, threaded=True)
        assert found is not None and found[0] is Bottleneck.PLAYERS
        assert found_in(INFERRING)[0] is Bottleneck.INFERENCE


def found_in(phases: Phases, cores: float | None = None) -> tuple[Bottleneck, BottleneckFigures]:
    found = bottleneck(phases, 10.0, cores, 8)
    assert found is not None
    return found


class TestFlags:
    def kinds(self, paces: list[float]) -> list[FindingKind]:
        return [note.kind for note in cycle_notes(paces)]

    def test_a_trend_and_its_direction(self) -> None:
        rng = np.random.default_rng(4)
        slower = [1 + 0.03 * index + 0.02 * rng.standard_normal() for index in range(12)]
        for paces, is_slower in ((slower, True), (slower[::-1], False)):
            assert cycle_notes(paces) == [Finding(FindingKind.TREND, {"slower": is_slower})]

    def test_white_noise_has_no_trend(self) -> None:
        alarms = 0
        for seed in range(500):
            rng = np.random.default_rng(seed)
            paces = np.exp(0.08 * rng.standard_normal(rng.integers(8, 25))).tolist()
            alarms += FindingKind.TREND in self.kinds(paces)
        assert alarms / 500 <= 0.03

    def test_outliers_are_counted(self) -> None:
        paces = [1.0, 1.01, 0.99, 1.02, 0.98, 1.01, 1.0, 0.99, 1.0, 1.01, 0.99, 1.0]
        assert self.kinds(paces) == []
        one = cycle_notes([*paces[:6], 1.5, *paces[6:]])
        assert one == [Finding(FindingKind.OUTLIER_CYCLES, {"outliers": 1, "cycles": 13})]
        two = cycle_notes([*paces[:6], 1.5, *paces[6:9], 0.5, *paces[9:]])
        assert two == [Finding(FindingKind.OUTLIER_CYCLES, {"outliers": 2, "cycles": 14})]

    def test_outliers_begin_at_the_limit(self) -> None:
        paces = [0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0]  # median 0, deviation 1
        for value, kinds in ((14.7, []), (14.9, [FindingKind.OUTLIER_CYCLES]), (-14.9, [FindingKind.OUTLIER_CYCLES])):
            assert self.kinds([*paces[:4], value, *paces[4:]]) == kinds

    def test_few_or_equal_cycles_say_nothing(self) -> None:
        rising = [1.0 + index for index in range(GOOD_CYCLES)]
        assert self.kinds(rising) == [FindingKind.TREND]
        assert self.kinds(rising[:-1]) == []
        assert self.kinds([1.0] * 20) == []
        assert self.kinds([]) == []
