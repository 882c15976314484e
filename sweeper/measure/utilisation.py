"""What a trial made of the machine over its measured window: cores by part of its tree, each core, the GPUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sweeper.model.load import LoadSample, Part, Utilisation


def utilisation(
    load: Sequence[LoadSample],
    window: tuple[float, float],
    usable_cores: int,
    part_memory_bytes: Mapping[Part, int],
    players: int,
) -> Utilisation | None:
    """On average within `window`, monotonic seconds; None with fewer than two samples in it."""
    inside = [sample for sample in load if window[0] <= sample.seconds <= window[1]]
    if len(inside) < 2 or inside[-1].seconds <= inside[0].seconds:
        return None
    first, last = inside[0], inside[-1]
    seconds = last.seconds - first.seconds
    return Utilisation(
        cores=(last.own_cpu_seconds - first.own_cpu_seconds) / seconds,
        usable_cores=float(usable_cores),
        part_cores={
            part: (burnt - first.part_cpu_seconds.get(part, 0.0)) / seconds
            for part, burnt in last.part_cpu_seconds.items()
        },
        core_percent=tuple(
            sorted(
                (
                    min(100.0, max(0.0, 100 * (after - before) / seconds))
                    for before, after in zip(first.core_seconds, last.core_seconds)
                ),
                reverse=True,
            )
        ),
        part_memory_bytes=part_memory_bytes,
        players=players,
        gpu_percent=_mean([sample.gpu_percent for sample in inside[1:]]),
        gpu_others_percent=_mean([sample.gpu_others_percent for sample in inside[1:]]),
        gpu_memory_bytes=_most([sample.gpu_memory_bytes for sample in inside]),
        gpu_others_memory_bytes=_most([sample.gpu_others_memory_bytes for sample in inside]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told else None


def _most(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
