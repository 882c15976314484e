"""Which error the numbers of a study carry, and whence they are."""

from __future__ import annotations

from sweeper.model.study import IntervalFrom, StudyResult
from sweeper.report.words.reference import reference_name


def error_text(result: StudyResult) -> str:
    """Which error the intervals of configurations carry, with the noise and the drift that were found."""
    noise = result.noise
    if noise.between_percent is None:
        return (
            "Intervals are those within one session; how much sessions of one configuration differ is not known, "
            "because none was measured twice."
        )
    text = (
        "Intervals (95 %) are of a configuration's mean and carry the error that counts: sessions of one and the "
        f"same configuration differ by {noise.between_percent:.1f} % here (standard deviation, from {noise.sessions} "
        "repeated sessions). Where they overlap, the order may be chance."
    )
    best = result.best
    if best is not None and best.speedup is not None and best.speedup.interval is not None:
        text += f" The answer's own speed and speed-up are from {source_text(best.interval_from)} only."
    if noise.drift_percent_per_hour is None:
        return text
    bounds = ""
    if noise.drift_interval is not None:
        bounds = f" (95 %: {noise.drift_interval[0]:+.1f} to {noise.drift_interval[1]:+.1f})"
    return (
        f"{text} The machine's speed moved by {noise.drift_percent_per_hour:+.1f} % an hour{bounds}, judged by "
        f"{noise.baseline_sessions} sessions of {reference_name(result)}."
    )


def source_text(source: str | None) -> str:
    """What an interval is from; an enum's own name is not meant for people."""
    return source.value if isinstance(source, IntervalFrom) else source or "its sessions"
