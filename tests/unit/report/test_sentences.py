"""Sentences are made of findings in one place; here are some of them, and all can be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from sweeper.model.findings import Bottleneck, BottleneckFigures, Finding, FindingKind, Value
from sweeper.report.words import reasons, session_notes, study_notes
from sweeper.report.words.bottlenecks import bottleneck_text
from sweeper.report.words.reasons import reason_text
from sweeper.report.words.session_notes import session_note
from sweeper.report.words.study_notes import study_note
from tests.helpers.builders import GIB, said, trial_of

OTHERS: dict[str, Value] = {"others_percent": 40.2, "busiest": ("stress", "chrome"), "busiest_cores": (3.0, 0.21)}
OF_BOTH = {FindingKind.MACHINE_BUSY, FindingKind.MACHINE_UNSTEADY, FindingKind.SLICES_DISTURBED}
CAPS: dict[str, Value] = {"peak_bytes": 9 * GIB, "cap_bytes": 8 * GIB}
SLOW = "too few whole cycles in the time allowed"
MEND = "name a larger measure.max_seconds or budget, or lower buffer_size"
LATE = {"update_of": "Car", "update_steps": 409_600, "update_seconds": 1365.0}
BURSTS = {"steps_an_update": 27_648.0, "buffer_size": 2048, "time_horizon": 64, "agents": 432.0}


def test_every_kind_has_its_place() -> None:
    tables = [set(module._SENTENCES) for module in (session_notes, study_notes, reasons)]
    assert tables[0] & tables[1] == OF_BOTH
    assert not tables[2] & (tables[0] | tables[1])
    assert tables[0] | tables[1] | tables[2] | {FindingKind.SAID} == set(FindingKind)


@pytest.mark.parametrize("words", [session_note, study_note, reason_text])
@pytest.mark.parametrize("kind", FindingKind)
def test_what_earlier_versions_said_is_shown_as_it_is(words: Callable[[Finding], str], kind: FindingKind) -> None:
    assert words(said("As it was said.", kind)) == "As it was said."


@pytest.mark.parametrize("values", [{}, {"slower": True, "cycles": "many", "busiest": 3, "peak_bytes": "x"}])
def test_a_file_without_the_numbers_is_read_all_the_same(values: dict[str, Value]) -> None:
    for words in (session_note, study_note, reason_text):
        for kind in FindingKind:
            assert words(Finding(kind, values))
    assert session_note(Finding(FindingKind.NOT_PRECISE)) == "not_precise, without its numbers"


SESSION_NOTES: list[tuple[FindingKind, Mapping[str, Value], str]] = [
    (
        FindingKind.LEFT_BEHIND,
        {"processes": ("a (process 7)", "b (process 8)")},
        "ended: a (process 7), b (process 8).",
    ),
    (FindingKind.TOO_FEW_CYCLES, {"cycles": 3, "good_cycles": 8}, "Only 3 whole cycles were measured; fewer than 8"),
    (FindingKind.NOT_PRECISE, {"error_percent": 3.14, "asked_percent": 2.5}, "is 3.1 %, above the 2.5 % asked for."),
    (FindingKind.DECISIONS_RARE, {"decisions": 0.204}, "An exchange with a player brought 0.2 decisions on average"),
    (FindingKind.TREND, {"slower": True}, "Cycles kept getting slower while"),
    (FindingKind.TREND, {"slower": False}, "Cycles kept getting faster while"),
    (FindingKind.OUTLIER_CYCLES, {"outliers": 1, "cycles": 13}, "1 of 13 cycle lies far"),
    (FindingKind.OUTLIER_CYCLES, {"outliers": 2, "cycles": 14}, "2 of 14 cycles lie far"),
    (FindingKind.MEMORY_PRESSURE, {"stall_percent": 11.2}, "waited for memory 11 % of the time"),
    (
        FindingKind.MACHINE_UNSTEADY,
        {"fastest_seconds": 0.004, "slowest_seconds": 0.0075},
        "gradient steps of 4 ms at one time took 7.5 ms at another",
    ),
    (
        FindingKind.MACHINE_BUSY,
        {"cause": "others_on_cores", **OTHERS},
        "Measured while other programs used 40 % of the cores (busiest: stress 3.0, chrome 0.2 cores).",
    ),
    (
        FindingKind.MACHINE_BUSY,
        {"cause": "cores_stolen", "steal_percent": 5.6},
        "Measured while the host gave 6 % of the cores to other machines.",
    ),
    (
        FindingKind.SLICES_DISTURBED,
        {"lost_slices": 1, "slices": 4, "busiest": (), "busiest_cores": ()},
        "1 of 4 slices was disturbed by other programs and does not count.",
    ),
]


@pytest.mark.parametrize(("kind", "values", "text"), SESSION_NOTES)
def test_notes_on_a_session(kind: FindingKind, values: Mapping[str, Value], text: str) -> None:
    assert text in session_note(Finding(kind, values))


BUSY: dict[str, Value] = {
    "never_quiet": False, "marked_sessions": 0, "disturbed_sessions": 2, "sessions": 5, "busiest": ("stress", "dd"),
}  # fmt: skip
LOWERED: dict[str, Value] = {"cap_bytes": 5 * GIB, "asked_bytes": 8 * GIB}
STUDY_NOTES: list[tuple[FindingKind, Mapping[str, Value], str]] = [
    (FindingKind.VERSIONS_UNKNOWN, {}, "does not tell its versions"),
    (FindingKind.FLAG_NOT_ACCEPTED, {"flag": "--num-areas"}, "does not know --num-areas; trials run without."),
    (
        FindingKind.MEMORY_CAP_LOWERED,
        {**LOWERED, "available_bytes": None, "kept_free_bytes": None},
        "The memory cap is 5.0 GiB, as on the first run; 8.0 GiB were asked for.",
    ),
    (
        FindingKind.MEMORY_CAP_LOWERED,
        {**LOWERED, "available_bytes": 6 * GIB, "kept_free_bytes": GIB},
        "The memory cap is 5.0 GiB: 8.0 GiB were asked for, 6.0 GiB are available, 1.0 GiB are kept free.",
    ),
    (
        FindingKind.MACHINE_BUSY,
        BUSY,
        "2 of 5 sessions were disturbed by other programs and do not count. Busiest: stress, dd.",
    ),
    (
        FindingKind.MACHINE_BUSY,
        {**BUSY, "disturbed_sessions": 1},
        "1 of 5 sessions was disturbed by other programs and",
    ),
    (
        FindingKind.MACHINE_BUSY,
        {**BUSY, "marked_sessions": 3},
        "3 of 5 sessions were measured while other programs took",
    ),
    (FindingKind.MACHINE_BUSY, {**BUSY, "never_quiet": True}, "This machine was never quiet: every number here"),
    (
        FindingKind.SLICES_DISTURBED,
        {"lost_slices": 2, "slices": 4, "busiest": ()},
        "2 of 4 slices of the confirmation were disturbed by other programs and do not count.",
    ),
    (
        FindingKind.MACHINE_UNSTEADY,
        {"unsteady_sessions": 1, "sessions": 3, "change_percent": 25.0},
        "by more than 25 % during 1 of 3 sessions,",
    ),
    (
        FindingKind.BATCHES_REFUSED,
        {"sizes": (512, 1024), "share_percent": 20.0, "least_percent": 25.0, "left_out": True},
        "batch_size 512 and 1024: an update of your buffer holds so few whole minibatches that it makes 20 % of your "
        "gradient updates, and min_updates asks for 25 %; the space goes without.",
    ),
    (
        FindingKind.COMBINATIONS_LEFT_OUT,
        {"left_out": 4, "combinations": 6, "knob": "num_envs", "lost": ("2", "4"), "example": "num_envs is 2"},
        "4 of 6 combinations of this space are left out, all with num_envs 2, 4 among them; for one, num_envs is 2.",
    ),
    (
        FindingKind.COMBINATIONS_LEFT_OUT,
        {"left_out": None, "combinations": None, "knob": None, "lost": None, "example": "too large"},
        "Some combinations of this space are left out; for one, too large.",
    ),
    (FindingKind.BUILD_FROM_CONFIG, {"path": "/b/Car"}, "the build of the trainer config is used, /b/Car. To train"),
    (FindingKind.RUN_FROM_CONFIG, {"path": "/results/a"}, "trials start from the trainer config's own, /results/a. To"),
    (
        FindingKind.RUN_NOT_FOUND,
        {"path": "results/a"},
        "there is none at results/a: trials and the answer start untrained.",
    ),
    (FindingKind.ENVS_NEED_A_BUILD, {"num_envs": 2}, "The trainer config says num_envs 2, but no build is named"),
    (FindingKind.GPU_CAP_WITHOUT_GPU, {}, "gpu_memory_cap holds nothing back: NVIDIA's driver tells of no GPU"),
    (FindingKind.DRIFT, {"percent_per_hour": -3.14}, "The machine got slower while the study ran, by 3.1 % an hour."),
    (FindingKind.DRIFT, {"percent_per_hour": 3.14}, "The machine got faster"),
]


@pytest.mark.parametrize(("kind", "values", "text"), STUDY_NOTES)
def test_notes_on_a_study(kind: FindingKind, values: Mapping[str, Value], text: str) -> None:
    assert text in study_note(Finding(kind, values))


EXITED: dict[str, Value] = {"steps": 20480, "exception": None, "signal": None, "last_line": None}
PER_1000: dict[str, Value] = {"actual_per_1000": 9.94, "required_per_1000": 10.0}
REASONS: list[tuple[FindingKind, Mapping[str, Value], str]] = [
    (FindingKind.OVER_MEMORY, CAPS, "9.0 GiB in use, above the cap of 8.0 GiB; stopped at once"),
    (
        FindingKind.KERNEL_KEPT_CAP,
        {**CAPS, "mechanism": "cgroup v1"},
        "the kernel ended it at the cap of 8.0 GiB (cgroup v1); 9.0 GiB at its peak",
    ),
    (
        FindingKind.SYSTEM_KILLED,
        {"peak_bytes": None},
        "the system's out-of-memory killer acted, on a process of it probably; – were seen before",
    ),
    (FindingKind.DISK_SHORT, {}, "the disk was nearly full; measured again later"),
    (FindingKind.EXITED, EXITED, "the learner ended by itself after 20,480 steps: it printed nothing"),
    (
        FindingKind.EXITED,
        {**EXITED, "exception": "ValueError: bad", "signal": "SIGKILL", "last_line": "x"},
        "the learner ended by itself after 20,480 steps: ValueError: bad",
    ),
    (
        FindingKind.EXITED,
        {**EXITED, "signal": "SIGKILL", "last_line": "x"},
        "the learner ended by itself after 20,480 steps: SIGKILL",
    ),
    (FindingKind.TOO_SLOW, {"from_console": False, "idle": ()}, f"{SLOW}; {MEND}"),
    (
        FindingKind.OUTPACED,
        {"steps_per_second": 90.7, "fastest": 1018.0},
        "ended early, for it cannot become the fastest: 90.7 steps/s before its first update, with which no cycle is "
        "faster, and the fastest so far makes 1,018",
    ),
    (FindingKind.TOO_SLOW, {"from_console": False, "idle": ("Bus",)}, f"{SLOW}: Bus did not update yet; {MEND}"),
    (
        FindingKind.TOO_SLOW,
        {"from_console": False, "idle": ("Car",), **LATE},
        f"{SLOW}: Car did not update yet; at this speed an update of Car, which takes 409,600 steps, comes every "
        f"22m 45s; {MEND}",
    ),
    (
        FindingKind.TOO_SLOW,
        {"from_console": False, "idle": (), "team_change": 25_000},
        f"{SLOW}; self-play lets one team learn at a time and changes it every 25,000 steps (self_play.team_change), "
        "so a smaller buffer_size may not help: name a larger measure.max_seconds or budget",
    ),
    (
        FindingKind.TOO_SLOW,
        {"from_console": True, **OTHERS},
        f"too few summaries printed in the time allowed; {MEND}; other programs used 40 % of the cores (busiest: "
        "stress 3.0, chrome 0.2 cores) meanwhile",
    ),
    (FindingKind.NO_UPDATE, {"steps": 9500}, "no policy update within 9,500 steps"),
    (
        FindingKind.NO_UPDATE,
        {"name": "Car", "steps": 9500, "fill_steps": 2048},
        "no policy update of Car within 9,500 steps, though 2,048 are enough for one",
    ),
    (FindingKind.TOO_FEW_POLICY_UPDATES, PER_1000, "9.94 policy updates per 1,000 steps; at least 10.00 are required"),
    (
        FindingKind.TOO_FEW_POLICY_UPDATES,
        {**PER_1000, **BURSTS},
        "9.94 policy updates per 1,000 steps; at least 10.00 are required; an update sees 27,648 steps and not "
        "buffer_size 2,048, because 432 agents hand in time_horizon 64 steps each at once; a larger buffer_size in "
        "your own settings mends that, or a shorter horizon, which can be searched (`time_horizon: [16, 32, 64]` under "
        "space)",
    ),
    (
        FindingKind.TOO_FEW_GRADIENT_UPDATES,
        PER_1000,
        "9.9 gradient updates per 1,000 steps; at least 10.0 are required",
    ),
    (
        FindingKind.TOO_FEW_UPDATES_OF,
        {"name": "gradient updates by PPO", **PER_1000},
        "9.94 gradient updates by PPO per 1,000 steps; at least 10.00 are required",
    ),
    (
        FindingKind.STOOD_STILL,
        {"pause_seconds": 61.2},
        "the machine stood still for 61 s, asleep perhaps; measured again later",
    ),
    (
        FindingKind.WOULD_BREAK_CAP,
        {"low_bytes": 9 * GIB, "high_bytes": 10 * GIB, "cap_bytes": 8 * GIB},
        "it would need 9.0 GiB to 10.0 GiB, and the cap is 8.0 GiB",
    ),
    (FindingKind.SMALLER_BROKE_CAP, {"trial": 7}, "trial 7 broke the cap, and is no larger in anything"),
    (FindingKind.TURNS_BROKEN, {}, "running in turn with others did not work"),
]


@pytest.mark.parametrize(("kind", "values", "text"), REASONS)
def test_why_a_trial_ended(kind: FindingKind, values: Mapping[str, Value], text: str) -> None:
    assert reason_text(Finding(kind, values)) == text


def test_no_reason_no_sentence() -> None:
    assert reason_text(None) is None


class TestBottleneck:
    def text(self, kind: Bottleneck | None, figures: BottleneckFigures | None = None) -> str | None:
        return bottleneck_text(trial_of(bottleneck=kind, bottleneck_figures=figures))

    def test_each_has_its_own_sentence(self) -> None:
        assert len({str(self.text(kind)).split(".")[0] for kind in Bottleneck}) == len(Bottleneck)

    def test_its_figures(self) -> None:
        figures = BottleneckFigures(0.1, 0.2, 0.7)
        assert self.text(Bottleneck.PLAYERS, figures) == (
            "The players are the bottleneck: policy updates take 10% of the time, choosing actions and processing "
            "trajectories 20%, waiting for players 70%. More environments or areas help, or a cheaper simulation step."
        )
        busy = replace(figures, cores=7.94, usable_cores=8)
        assert "70%; 7.9 of 8 cores are busy. More" in str(self.text(Bottleneck.CORES, busy))
        player = replace(figures, player_share=0.1)
        assert "70%; a player computes in 10% of its worker's time. More" in str(
            self.text(Bottleneck.COMMUNICATION, player)
        )

    def test_unknown(self) -> None:
        assert self.text(None) is None
