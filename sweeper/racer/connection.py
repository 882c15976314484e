"""The channel to the trainer: the player is the client, the trainer the server, both on this machine."""

from __future__ import annotations

from types import TracebackType

import grpc
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
from mlagents_envs.communicator_objects.unity_to_external_pb2_grpc import UnityToExternalProtoStub

CONNECT_SECONDS = 60.0

_OPTIONS = (
    # A proxy in the environment is not for this machine, but gRPC would ask it for localhost too.
    ("grpc.enable_http_proxy", 0),
    # Trainers may open their port after the player starts; the default waits up to two minutes between attempts.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class NoTrainer(Exception):
    """Nobody listens on the port."""


class Disconnected(Exception):
    """The trainer was there and is gone."""


class Connection:
    """A channel to the trainer on a port of this machine. Use as a context manager."""

    def __init__(self, port: int, timeout_seconds: float = CONNECT_SECONDS) -> None:
        """Wait until somebody listens.

        Raises:
            NoTrainer: nobody did within `timeout_seconds`.
        """
        self._channel = grpc.insecure_channel(f"localhost:{port}", options=_OPTIONS)
        try:
            grpc.channel_ready_future(self._channel).result(timeout=timeout_seconds)
        except grpc.FutureTimeoutError:
            self._channel.close()
            raise NoTrainer(f"no trainer on port {port} within {timeout_seconds:g} s") from None
        self._stub = UnityToExternalProtoStub(self._channel)

    def exchange(self, message: UnityMessageProto) -> UnityMessageProto:
        """Send a message and wait for the answer, without a deadline: trainers are silent while they learn.

        Raises:
            Disconnected: the channel broke, or a message was too large for it.
        """
        try:
            return self._stub.Exchange(message)
        except grpc.RpcError as error:
            raise Disconnected(f"{error.code().name}: {error.details()}") from error

    def __enter__(self) -> Connection:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the channel."""
        self._channel.close()
