"""What was found, as values with their numbers; sentences are made of them where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

Value = Union[bool, int, float, str, None, tuple[str, ...], tuple[float, ...]]
"""One number or name of a finding. None: not known, or not asked for."""


class FindingKind(str, Enum):
    """What a finding is about; its names are part of `results.json`.

    Behind each: the values that it carries, with their units. `busiest` names the programs that burnt most, and
    `busiest_cores` how many cores each of them kept busy.
    """

    # Of one session.
    TOO_FEW_CYCLES = "too_few_cycles"  # cycles, good_cycles
    NOT_PRECISE = "not_precise"  # error_percent, asked_percent: standard errors within the session
    BLOCKS_NOT_CYCLES = "blocks_not_cycles"
    PHASES_APART = "phases_apart"  # cycles
    FROM_CONSOLE = "from_console"
    DECISIONS_RARE = "decisions_rare"  # decisions that an exchange with a player brought on average
    TREND = "trend"  # slower
    OUTLIER_CYCLES = "outlier_cycles"  # outliers, cycles
    MEMORY_UPPER_BOUND = "memory_upper_bound"
    MEMORY_PRESSURE = "memory_pressure"  # stall_percent
    LEFT_BEHIND = "left_behind"  # processes, as `name (process id)`
    # Of a session, and of a study.
    MACHINE_BUSY = "machine_busy"
    # session: cause, and the values of that kind;
    # study: never_quiet, marked_sessions, disturbed_sessions, sessions, busiest
    MACHINE_UNSTEADY = "machine_unsteady"
    # session: fastest_seconds, slowest_seconds of a gradient step; study: unsteady_sessions, sessions, change_percent
    SLICES_DISTURBED = "slices_disturbed"
    # session: lost_slices, slices, busiest, busiest_cores; study: lost_slices, slices, busiest
    # Of a study.
    SPACE_DERIVED = "space_derived"
    BATCHES_REFUSED = "batches_refused"
    # sizes: batch sizes that make too few updates by arithmetic; share_percent: of your updates, with the first of
    # them; least_percent: that the guard asks for; left_out: of a derived space
    THREADED_NOT_DERIVED = "threaded_not_derived"
    COMBINATIONS_LEFT_OUT = "combinations_left_out"
    # left_out, combinations: both None where they were not counted; knob, lost: its values that no legal one has,
    # both None where every value has one; example: why one is not legal
    BASELINE_FROM_CONFIG = "baseline_from_config"
    BUILD_FROM_CONFIG = "build_from_config"  # path
    RUN_FROM_CONFIG = "run_from_config"  # path
    RUN_NOT_FOUND = "run_not_found"  # path
    ENVS_NEED_A_BUILD = "envs_need_a_build"  # num_envs that the trainer config names
    FLAG_NOT_ACCEPTED = "flag_not_accepted"  # flag
    VERSIONS_UNKNOWN = "versions_unknown"
    IN_EDITOR = "in_editor"
    MEMORY_CAP_LOWERED = "memory_cap_lowered"
    # cap_bytes, asked_bytes, available_bytes, kept_free_bytes; the last two None where the first run lowered it
    GPU_CAP_WITHOUT_GPU = "gpu_cap_without_gpu"
    AREAS_INERT = "areas_inert"
    ENVS_INERT = "envs_inert"
    DRIFT = "drift"  # percent_per_hour
    # Why a session does not count: what took the machine.
    OTHERS_ON_CORES = "others_on_cores"  # others_percent, busiest, busiest_cores
    CORES_STOLEN = "cores_stolen"  # steal_percent
    OTHERS_ON_GPU = "others_on_gpu"  # gpu_others_percent
    SLICES_ALL_DISTURBED = "slices_all_disturbed"
    STOOD_STILL = "stood_still"  # pause_seconds
    MACHINE_SHORT_OF_MEMORY = "machine_short_of_memory"  # peak_bytes
    # Why it ended without a number.
    OVER_MEMORY = "over_memory"  # peak_bytes, cap_bytes
    KERNEL_KEPT_CAP = "kernel_kept_cap"  # peak_bytes, cap_bytes, mechanism
    SYSTEM_KILLED = "system_killed"  # peak_bytes
    SYSTEM_KILLED_SOMEBODY = "system_killed_somebody"
    OVER_GPU_MEMORY = "over_gpu_memory"  # peak_bytes
    EXITED = "exited"  # steps, exception, signal, last_line: the first of these that is known
    NO_WHOLE_CYCLE = "no_whole_cycle"
    NOT_CONNECTED = "not_connected"
    NOBODY_PLAYED = "nobody_played"
    DISK_SHORT = "disk_short"
    NO_STEPS = "no_steps"
    STALLED = "stalled"
    TOO_SLOW = "too_slow"
    # from_console; idle: behaviours that did not update; update_of, update_steps, update_seconds: the behaviour that
    # needs longest for an update, and how long; team_change: steps, where self-play lets unlike teams learn in turn;
    # others_percent, busiest, busiest_cores where others took a part
    OUTPACED = "outpaced"  # steps_per_second while it collected, fastest: steps per second of the fastest then
    INTERRUPTED = "interrupted"
    TURNS_BROKEN = "turns_broken"
    # Why its number is not taken: updates per 1,000 steps.
    NO_UPDATE = "no_update"
    # name; steps: its own; fill_steps: enough for an update; others_percent, busiest, busiest_cores where others took a
    # share
    LEARNS_NOTHING = "learns_nothing"
    TOO_FEW_POLICY_UPDATES = "too_few_policy_updates"
    # actual_per_1000, required_per_1000; where bursts are why: steps_an_update, buffer_size, time_horizon, agents
    TOO_FEW_GRADIENT_UPDATES = "too_few_gradient_updates"  # actual_per_1000, required_per_1000
    TOO_FEW_UPDATES_OF = "too_few_updates_of"  # name, actual_per_1000, required_per_1000
    # Why it was not launched.
    WOULD_BREAK_CAP = "would_break_cap"  # low_bytes, high_bytes, cap_bytes
    SMALLER_BROKE_CAP = "smaller_broke_cap"  # trial
    # What an earlier version wrote about the end of a trial, of which only the sentence is left.
    SAID = "said"


@dataclass(frozen=True)
class Finding:
    """A kind and its numbers. What earlier versions wrote has one value, `text`: the sentence itself."""

    kind: FindingKind
    values: Mapping[str, Value] = field(default_factory=dict)


class Bottleneck(str, Enum):
    """What holds a configuration back. Values are part of `results.json`."""

    PLAYERS = "players"
    CORES = "cores"
    COMMUNICATION = "communication"
    INFERENCE = "inference"
    UPDATE = "update"


@dataclass(frozen=True)
class BottleneckFigures:
    """By what a bottleneck was named.

    `update_share`, `infer_share` and `wait_share` are shares of the measured time: policy updates, choosing actions and
    processing trajectories, waiting for players. Told only where they decided: `cores`, how many of `usable_cores` were
    busy, and `player_share`, the share of its worker's time in which a player computes.
    """

    update_share: float
    infer_share: float
    wait_share: float
    cores: float | None = None
    usable_cores: int | None = None
    player_share: float | None = None
