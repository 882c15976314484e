"""A trainer whose every answer the test chooses: the other end of the racer's wire."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor

import grpc
from mlagents_envs.communicator_objects.command_pb2 import RESET
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
from mlagents_envs.communicator_objects.unity_to_external_pb2_grpc import (
    UnityToExternalProtoServicer,
    add_UnityToExternalProtoServicer_to_server,
)

TIMEOUT_SECONDS = 60


class Trainer(UnityToExternalProtoServicer):
    """The trainer's end of the wire: a test takes what the player says, and answers as it likes."""

    def __init__(self) -> None:
        self.port = 0
        self._heard: queue.Queue[UnityMessageProto] = queue.Queue()
        self._answers: queue.Queue[UnityMessageProto] = queue.Queue()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2))
        add_UnityToExternalProtoServicer_to_server(self, self._server)

    def Exchange(self, request: UnityMessageProto, context: grpc.ServicerContext) -> UnityMessageProto:  # noqa: N802
        self._heard.put(request)
        return self._answers.get(timeout=TIMEOUT_SECONDS)

    def open(self) -> None:
        self.port = self._server.add_insecure_port("localhost:0")
        self._server.start()

    def close(self) -> None:
        """Let go of a player that still waits for an answer, and wait until the port is closed."""
        self._answers.put(answer(status=400))
        self._server.stop(grace=None).wait(TIMEOUT_SECONDS)

    def drop(self) -> None:
        """Break the channel under a player that waits for an answer."""
        self._server.stop(grace=None)

    def hear(self) -> UnityMessageProto:
        return self._heard.get(timeout=TIMEOUT_SECONDS)

    def say(self, message: UnityMessageProto) -> None:
        self._answers.put(message)

    def ask(self, message: UnityMessageProto) -> UnityMessageProto:
        """Answer the player, and hear what it says to that."""
        self.say(message)
        return self.hear()

    def welcome(self, areas: int = 1, seed: int = 0) -> UnityMessageProto:
        """Take the player through the greeting. Returns the greeting."""
        greeting = self.hear()
        ready = self.ask(welcome(areas, seed))
        assert ready == UnityMessageProto(header={"status": 200})
        return greeting


def answer(status: int = 200) -> UnityMessageProto:
    return UnityMessageProto(header={"status": status})


def welcome(areas: int, seed: int = 0) -> UnityMessageProto:
    message = answer()
    init = message.unity_input.rl_initialization_input
    init.communication_version, init.package_version = "1.5.0", "1.1.0"
    init.num_areas, init.seed = areas, seed
    return message


def reset(side_channel: bytes = b"") -> UnityMessageProto:
    message = answer()
    message.unity_input.rl_input.command = RESET
    message.unity_input.rl_input.side_channel = side_channel
    return message


def step(*actions: tuple[float, ...]) -> UnityMessageProto:
    message = answer()
    rl_input = message.unity_input.rl_input
    for action in actions:
        rl_input.agent_actions["Car?team=0"].value.add().continuous_actions.extend(action)
    rl_input.SetInParent()
    return message
