"""Side channels: what a trainer sends beside the actions, read into values.

The bytes are messages end to end: 16 bytes of channel id (a UUID's bytes_le), an int32 length, the payload; all
little-endian, as written by mlagents_envs/side_channel/.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sweeper.racer.parameters import Constant, Gaussian, Ranges, Sampler

ENGINE = uuid.UUID("e951342c-4f7e-11ea-b238-784f4387d1f7")
ENVIRONMENT = uuid.UUID("534c891e-810f-11ea-a9d0-822485860400")
ANALYTICS = uuid.UUID("b664a4a9-d86f-5a5f-95cb-e8353a7e8356")

_FLOAT, _SAMPLER = 0, 1
_UNIFORM, _GAUSSIAN, _MULTI_RANGE = 0, 1, 2
_SETTINGS = ("resolution", "quality_level", "time_scale", "target_frame_rate", "capture_frame_rate")
_TIME_SCALE = 2


class SideChannelError(ValueError):
    """Bytes that cannot be read as side channel messages."""


@dataclass(frozen=True)
class EngineSetting:
    """A setting of the engine; the racer has no engine, so it only says so in its log."""

    name: str
    value: tuple[float, ...]


@dataclass(frozen=True)
class EnvironmentParameter:
    """A new source for an environment parameter."""

    name: str
    sampler: Sampler
    text: str
    """What was asked for, for the log."""


@dataclass(frozen=True)
class OtherMessage:
    """A message of a channel that a race has no use for."""

    channel: uuid.UUID


Message = EngineSetting | EnvironmentParameter | OtherMessage


def read_messages(data: bytes) -> Iterator[Message]:
    """Yield the messages in turn.

    Raises:
        SideChannelError: the bytes end early, or a payload is not what its channel sends. Messages before that one
            have been yielded.
    """
    whole = _Reader(data)
    while whole.left:
        channel = uuid.UUID(bytes_le=whole.take(16))
        payload = _Reader(whole.take(whole.length("a message")))
        if channel == ENGINE:
            yield _engine_setting(payload)
        elif channel == ENVIRONMENT:
            yield _environment_parameter(payload)
        else:
            yield OtherMessage(channel)


def _engine_setting(payload: _Reader) -> EngineSetting:
    kind = payload.int32()
    if not 0 <= kind < len(_SETTINGS):
        raise SideChannelError(f"unknown engine setting {kind}")
    if kind == _TIME_SCALE:
        return EngineSetting(_SETTINGS[kind], (payload.float32(),))
    numbers = 2 if kind == 0 else 1
    return EngineSetting(_SETTINGS[kind], tuple(payload.int32() for _ in range(numbers)))


def _environment_parameter(payload: _Reader) -> EnvironmentParameter:
    name = payload.string()
    kind = payload.int32()
    if kind == _FLOAT:
        value = payload.float32()
        return EnvironmentParameter(name, Constant(value), f"{value:g}")
    if kind == _SAMPLER:
        return EnvironmentParameter(name, *_sampler(payload))
    raise SideChannelError(f"environment parameter {name}: unknown kind {kind}")


def _sampler(payload: _Reader) -> tuple[Sampler, str]:
    seed, kind = payload.int32(), payload.int32()
    if kind == _UNIFORM:
        low, high = payload.float32(), payload.float32()
        return Ranges([(low, high)], seed), f"uniform {low:g} to {high:g}"
    if kind == _GAUSSIAN:
        mean, deviation = payload.float32(), payload.float32()
        return Gaussian(mean, deviation, seed), f"gaussian {mean:g} +- {deviation:g}"
    if kind == _MULTI_RANGE:
        count = payload.length("a list")
        if count % 2 or not count:
            raise SideChannelError(f"a multi-range sampler has {count} ends of ranges")
        ends = [payload.float32() for _ in range(count)]
        ranges = list(zip(ends[::2], ends[1::2], strict=True))
        return Ranges(ranges, seed), "uniform " + " or ".join(f"{low:g} to {high:g}" for low, high in ranges)
    raise SideChannelError(f"unknown sampler {kind}")


class _Reader:
    """Takes values off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise SideChannelError(f"{count} bytes expected, {self.left} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def int32(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])

    def float32(self) -> float:
        return float(struct.unpack("<f", self.take(4))[0])

    def length(self, of: str) -> int:
        value = self.int32()
        if value < 0:
            raise SideChannelError(f"{of} of length {value}")
        return value

    def string(self) -> str:
        return self.take(self.length("a string")).decode("ascii", errors="replace")
