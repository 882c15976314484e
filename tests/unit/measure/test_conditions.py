"""What surrounds a rate: other people's load, the bottleneck, and warnings about the cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sweeper.measure.bottleneck import Bottleneck, Finding, bottleneck
from sweeper.measure.contention import busiest_text, contention, disturbance, own_cores
from sweeper.measure.flags import GOOD_CYCLES, cycle_notes
from sweeper.model.load import BusyProcess, Contention, LoadSample
from sweeper.model.measurement import NoteKind, Phases

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

    def test_own_cores(self) -> None:
        load = load_of(10, own=1.5)
        assert own_cores(load, (102.0, 107.0)) == 1.5
        assert own_cores(load, (101.5, 103.9)) == 1.5
        assert own_cores(load, (102.1, 103.9)) is None
        assert own_cores(load, (200.0, 300.0)) is None
        assert own_cores([], (0.0, 1.0)) is None
        assert own_cores([LoadSample(100.0, 0, 0), LoadSample(100.0, 1, 1)], (0.0, 500.0)) is None


class TestDisturbance:
    @pytest.mark.parametrize("found", [None, QUIET, Contention(15.0, 5.0, 99.0, 15.0, 60.0)])
    def test_up_to_the_limits_it_counts(self, found: Contention | None) -> None:
        assert disturbance(found) is None

    @pytest.mark.parametrize(
        ("found", "reason"),
        [
            (replace(QUIET, others_percent=15.6), "other programs used 16 % of the cores"),
            (
                replace(QUIET, others_percent=40.0, steal_percent=50.0, busiest=(BusyProcess("stress", 1.6),)),
                "other programs used 40 % of the cores (busiest: stress 1.6 cores)",
            ),
            (replace(QUIET, steal_percent=5.6), "the host gave 6 % of the cores to other machines"),
            (replace(QUIET, gpu_others_percent=80.0), "other programs used 80 % of the GPU"),
        ],
    )
    def test_beyond_them_it_does_not(self, found: Contention, reason: str) -> None:
        assert disturbance(found) == reason

    def test_the_busiest_three(self) -> None:
        assert busiest_text([]) == ""
        busy = [BusyProcess("stress", 0.94), BusyProcess("chrome", 0.21), BusyProcess("x", 0.1), BusyProcess("y", 0.1)]
        assert busiest_text(busy) == " (busiest: stress 0.9, chrome 0.2, x 0.1 cores)"


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
        assert found_in(phases, cores).kind is kind

    def test_each_has_its_own_sentence(self) -> None:
        texts = [
            found_in(UPDATING).text,
            found_in(INFERRING).text,
            found_in(WAITING, 8.0).text,
            found_in(replace(WAITING, worker_seconds=40.0, player_seconds=36.0)).text,
            found_in(replace(WAITING, worker_seconds=40.0, player_seconds=4.0)).text,
        ]
        assert len({text.split(":")[0] for text in texts}) == 5
        assert "policy updates take 70% of the time" in texts[0]
        assert "trajectories 45%, waiting for players 38%" in texts[1]
        assert "8.0 of 8 cores are busy" in texts[2]
        assert "a player computes in 90% of its worker's time" in texts[3]
        assert "a player computes in 10% of its worker's time" in texts[4]

    def test_unknown_timers(self) -> None:
        assert bottleneck(None, 10.0, 4.0, 8) is None
        assert bottleneck(UPDATING, 0.0, 4.0, 8) is None

    def test_threaded_trajectories_are_processed_elsewhere(self) -> None:
        found = bottleneck(INFERRING, 10.0, None, 8, threaded=True)
        assert found is not None and found.kind is Bottleneck.PLAYERS
        assert found_in(INFERRING).kind is Bottleneck.INFERENCE


def found_in(phases: Phases, cores: float | None = None) -> Finding:
    found = bottleneck(phases, 10.0, cores, 8)
    assert found is not None
    return found


class TestFlags:
    def kinds(self, paces: list[float]) -> list[NoteKind]:
        return [note.kind for note in cycle_notes(paces)]

    def test_a_trend_and_its_direction(self) -> None:
        rng = np.random.default_rng(4)
        slower = [1 + 0.03 * index + 0.02 * rng.standard_normal() for index in range(12)]
        for paces, word in ((slower, "slower"), (slower[::-1], "faster")):
            (note,) = cycle_notes(paces)
            assert note.kind is NoteKind.TREND
            assert f"getting {word}" in note.text

    def test_white_noise_has_no_trend(self) -> None:
        alarms = 0
        for seed in range(500):
            rng = np.random.default_rng(seed)
            paces = np.exp(0.08 * rng.standard_normal(rng.integers(8, 25))).tolist()
            alarms += NoteKind.TREND in self.kinds(paces)
        assert alarms / 500 <= 0.03

    def test_outliers_are_counted(self) -> None:
        paces = [1.0, 1.01, 0.99, 1.02, 0.98, 1.01, 1.0, 0.99, 1.0, 1.01, 0.99, 1.0]
        assert self.kinds(paces) == []
        (one,) = cycle_notes([*paces[:6], 1.5, *paces[6:]])
        assert (one.kind, one.text.split(" lie")[0]) == (NoteKind.OUTLIER_CYCLES, "1 of 13 cycle")
        (two,) = cycle_notes([*paces[:6], 1.5, *paces[6:9], 0.5, *paces[9:]])
        assert two.text.startswith("2 of 14 cycles lie far from the others")

    def test_outliers_begin_at_the_limit(self) -> None:
        paces = [0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0]  # median 0, deviation 1
        for value, kinds in ((14.7, []), (14.9, [NoteKind.OUTLIER_CYCLES]), (-14.9, [NoteKind.OUTLIER_CYCLES])):
            assert self.kinds([*paces[:4], value, *paces[4:]]) == kinds

    def test_few_or_equal_cycles_say_nothing(self) -> None:
        rising = [1.0 + index for index in range(GOOD_CYCLES)]
        assert self.kinds(rising) == [NoteKind.TREND]
        assert self.kinds(rising[:-1]) == []
        assert self.kinds([1.0] * 20) == []
        assert self.kinds([]) == []
