"""Amounts as people read them."""

from __future__ import annotations


def format_bytes(count: float) -> str:
    """`1.4 GiB`, `790 MiB`."""
    if count >= 1024**3:
        return f"{count / 1024**3:.1f} GiB"
    return f"{count / 1024**2:.0f} MiB"


def format_seconds(value: float) -> str:
    """`45s`, `4m 10s`, `7h 30m`."""
    whole = round(max(0.0, value))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    minutes = round(whole / 60)
    return f"{minutes // 60}h {minutes % 60:02d}m"


def format_rate(steps_per_second: float) -> str:
    """`1,676` steps per second; with a digit more below 100."""
    return f"{steps_per_second:,.0f}" if steps_per_second >= 100 else f"{steps_per_second:.1f}"
