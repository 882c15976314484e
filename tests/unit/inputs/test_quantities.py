"""Numbers as people write them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper import units
from sweeper.inputs import quantities as q

QUICK = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize(
    ("written", "value"),
    [("5e5", 500_000), ("2048", 2048), (7, 7), (0.5, 0.5), ("1e-3", 0.001), (3.0, 3), ("-4", -4), (" 8 ", 8)],
)
def test_number_reads_what_users_write(written: Any, value: float) -> None:
    assert q.number(written) == value
    assert isinstance(q.number(written), int) == (value == int(value))


@pytest.mark.parametrize("bad", ["", "abc", "8GiB", "nan", "inf", "1e999", None, True, False, [1], {}, 10**400])
def test_number_refuses(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected a"):
        q.number(bad)


@given(st.integers(-(10**15), 10**15))
@QUICK
def test_number_round_trips_integers(value: int) -> None:
    assert q.number(value) == value
    assert q.number(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
@QUICK
def test_number_round_trips_floats(value: float) -> None:
    assert q.number(repr(value)) == value


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90), (90, 90), ("90s", 90), ("20m", 1200), ("8h", 28800), ("1h30m", 5400), ("1h 30m", 5400),
        ("2d", 172_800), ("1.5h", 5400), (" 20 M ", 1200), ("1e2", 100), (0.5, 0.5),
    ],
)  # fmt: skip
def test_seconds(written: Any, seconds: float) -> None:
    assert q.seconds(written) == seconds


@pytest.mark.parametrize("bad", ["", "m", "20x", "20m5", "1 0m", "-5m", "0", 0, "0s", -3, True, None, "nan", "1.5.5h"])
def test_seconds_refuses(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        q.seconds(bad)


@given(st.integers(0, 50), st.integers(0, 59), st.integers(1, 59))
@QUICK
def test_seconds_adds_its_parts(hours: int, minutes: int, rest: int) -> None:
    assert q.seconds(f"{hours}h{minutes}m{rest}s") == 3600 * hours + 60 * minutes + rest


def test_seconds_refuses_infinity() -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        q.seconds("9" * 400 + "d")


@pytest.mark.parametrize(
    ("written", "share"), [("25%", 0.25), (0.25, 0.25), ("0.25", 0.25), ("100%", 1.0), (1, 1.0), ("2.5 %", 0.025)]
)
def test_share(written: Any, share: float) -> None:
    assert q.share(written) == pytest.approx(share)


@pytest.mark.parametrize("bad", ["0%", "101%", 25, "", "%", "x%", None, True, -0.1, "nan%"])
def test_share_refuses(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected a share"):
        q.share(bad)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("8GiB", 8 * 1024**3),
        ("8G", 8 * 1024**3),
        ("8g", 8 * 1024**3),
        ("500MB", 500 * 10**6),
        ("500 mb", 500 * 10**6),
        ("1.5GiB", 3 * 2**29),
        ("1T", 1024**4),
        ("1KiB", 1024),
        ("1kB", 1000),
        (4096, 4096),
        ("4096", 4096),
        ("77b", 77),
    ],
)
def test_byte_count(written: Any, count: int) -> None:
    assert q.byte_count(written) == count


@pytest.mark.parametrize("bad", ["", "GiB", "8 apples", "-8GiB", 0, "0GiB", True, None, "8GiBs", "80%", 0.5])
def test_byte_count_refuses(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected an amount of memory"):
        q.byte_count(bad)


def test_byte_count_refuses_what_is_beyond_floats() -> None:
    with pytest.raises(ValueError, match="expected an amount of memory"):
        q.byte_count("9" * 400 + "T")


def test_byte_count_refuses_a_binary_mark_without_a_unit() -> None:
    with pytest.raises(ValueError, match="expected an amount of memory"):
        q.byte_count("8i")


def test_byte_count_reads_scientific_notation() -> None:
    assert q.byte_count("8e9") == 8_000_000_000


@given(st.integers(1, 10**15))
@QUICK
def test_bytes_are_exact_without_a_unit(count: int) -> None:
    assert q.byte_count(count) == count


@pytest.mark.parametrize(
    ("count", "text"),
    [(790 * 1024**2, "790 MiB"), (1024**3, "1.0 GiB"), (int(1.44 * 1024**3), "1.4 GiB"), (0, "0 MiB")],
)
def test_format_bytes(count: int, text: str) -> None:
    assert units.format_bytes(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (45, "45s"),
        (250, "4m 10s"),
        (27000, "7h 30m"),
        (59.6, "1m 00s"),
        (3599.9, "1h 00m"),
        (-3, "0s"),
        (605, "10m 05s"),
    ],
)
def test_format_seconds(value: float, text: str) -> None:
    assert units.format_seconds(value) == text


@pytest.mark.parametrize(("rate", "text"), [(1676.4, "1,676"), (99.94, "99.9"), (100, "100"), (3.14, "3.1")])
def test_format_rate(rate: float, text: str) -> None:
    assert units.format_rate(rate) == text


@given(st.floats(0.01, 1e7))
@QUICK
def test_formatted_seconds_can_be_read_again(value: float) -> None:
    text = units.format_seconds(value)
    if text != "0s":
        assert math.isclose(q.seconds(text), value, rel_tol=0.01, abs_tol=0.51)
