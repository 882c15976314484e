import struct
import uuid

import pytest
from mlagents_envs.side_channel.engine_configuration_channel import EngineConfig, EngineConfigurationChannel
from mlagents_envs.side_channel.environment_parameters_channel import EnvironmentParametersChannel
from mlagents_envs.side_channel.side_channel_manager import SideChannelManager

from sweeper.racer.side_channels import (
    ENGINE,
    ENVIRONMENT,
    EngineSetting,
    EnvironmentParameter,
    OtherMessage,
    SideChannelError,
    read_messages,
)


def written(*channels) -> bytes:
    """The bytes that the reference implementation sends."""
    return bytes(SideChannelManager(list(channels)).generate_side_channel_messages())


def packed(channel: uuid.UUID, payload: bytes) -> bytes:
    return channel.bytes_le + struct.pack("<i", len(payload)) + payload


def parameter(payload: bytes, name: bytes = b"grip") -> bytes:
    return packed(ENVIRONMENT, struct.pack("<i", len(name)) + name + payload)


def test_nothing():
    assert list(read_messages(b"")) == []


def test_engine_settings():
    channel = EngineConfigurationChannel()
    channel.set_configuration(EngineConfig(84, 80, 5, 20.0, -1, 60))
    assert list(read_messages(written(channel))) == [
        EngineSetting("resolution", (84, 80)),
        EngineSetting("quality_level", (5,)),
        EngineSetting("time_scale", (20.0,)),
        EngineSetting("target_frame_rate", (-1,)),
        EngineSetting("capture_frame_rate", (60,)),
    ]


def test_environment_parameters():
    channel = EnvironmentParametersChannel()
    channel.set_float_parameter("max_speed", 12.5)
    channel.set_uniform_sampler_parameters("track_width", 6.0, 8.0, seed=1)
    channel.set_gaussian_sampler_parameters("grip", 10.0, 0.0, seed=-2)
    channel.set_multirangeuniform_sampler_parameters("grip", [(1.0, 2.0), (4.0, 5.0)], seed=3)
    messages = list(read_messages(written(channel)))
    assert all(isinstance(message, EnvironmentParameter) for message in messages)
    assert [message.name for message in messages] == ["max_speed", "track_width", "grip", "grip"]
    assert messages[0].sampler.draw(2).tolist() == [12.5, 12.5]
    assert all(6 <= value <= 8 for value in messages[1].sampler.draw(50))
    assert messages[2].sampler.draw(1).tolist() == [10.0]
    assert all(1 <= value <= 2 or 4 <= value <= 5 for value in messages[3].sampler.draw(50))


def test_channels_of_others_are_passed_by():
    other = uuid.uuid4()
    assert list(read_messages(packed(other, b"\x00\x01") + packed(other, b""))) == [OtherMessage(other)] * 2


def test_every_truncation_is_an_error_or_a_shorter_list():
    engine, environment = EngineConfigurationChannel(), EnvironmentParametersChannel()
    engine.set_configuration_parameters(time_scale=3.0)
    environment.set_multirangeuniform_sampler_parameters("grip", [(1.0, 2.0)], seed=3)
    first = len(written(engine))
    engine.set_configuration_parameters(time_scale=3.0)
    data = written(engine, environment)
    for end in range(1, len(data)):
        if end == first:
            assert len(list(read_messages(data[:end]))) == 1
            continue
        with pytest.raises(SideChannelError):
            list(read_messages(data[:end]))


@pytest.mark.parametrize(
    "data",
    [
        ENGINE.bytes_le + struct.pack("<i", -1),
        packed(ENGINE, b""),
        packed(ENGINE, struct.pack("<i", 9)),
        packed(ENGINE, struct.pack("<ii", 0, 80)),
        packed(ENVIRONMENT, struct.pack("<i", 1000) + b"x"),
        packed(ENVIRONMENT, struct.pack("<i", -5) + b"x"),
        parameter(struct.pack("<i", 7)),
        parameter(struct.pack("<i", 0)),
        parameter(struct.pack("<iii", 1, 0, 9)),
        parameter(struct.pack("<iiif", 1, 0, 0, 1.0)),
        parameter(struct.pack("<iiii", 1, 0, 2, 0)),
        parameter(struct.pack("<iiiif", 1, 0, 2, 1, 1.0)),
        parameter(struct.pack("<iiii", 1, 0, 2, -2)),
        parameter(struct.pack("<iiii", 1, 0, 2, 2**31 - 2)),
    ],
)
def test_nonsense_is_an_error(data):
    with pytest.raises(SideChannelError):
        list(read_messages(data))


def test_messages_before_the_broken_one_count():
    messages = read_messages(parameter(struct.pack("<if", 0, 9.0)) + b"rest")
    assert isinstance(next(messages), EnvironmentParameter)
    with pytest.raises(SideChannelError):
        next(messages)


def test_a_name_beyond_ascii_is_no_error():
    (message,) = read_messages(parameter(struct.pack("<if", 0, 9.0), name="größe".encode()))
    assert isinstance(message, EnvironmentParameter)
