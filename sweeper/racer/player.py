"""The player's side of the conversation: it asks, the trainer answers, until either leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mlagents_envs.communicator_objects.command_pb2 import QUIT, RESET
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
from mlagents_envs.communicator_objects.unity_rl_initialization_input_pb2 import UnityRLInitializationInputProto
from mlagents_envs.communicator_objects.unity_rl_input_pb2 import UnityRLInputProto

from sweeper.racer.cars import Cars
from sweeper.racer.load import Load
from sweeper.racer.messages import GO_ON, Agents, empty, hello, read_actions
from sweeper.racer.parameters import LIMITS, Parameters
from sweeper.racer.side_channels import EngineSetting, EnvironmentParameter, SideChannelError, read_messages
from sweeper.racer.track import make_track

Exchange = Callable[[UnityMessageProto], UnityMessageProto]
"""Send a message to the trainer and wait, for ever if need be, for the answer."""

_log = logging.getLogger(__name__)


class Race:
    """One session: the cars, their agents and their parameters."""

    def __init__(self, init: UnityRLInitializationInputProto, fixed_areas: int | None) -> None:
        """Set up the areas that `init` asks for, or `fixed_areas` whatever it asks for."""
        # Trainers older than num_areas send none, which reads as 0.
        self.areas = fixed_areas or max(1, init.num_areas)
        self._parameters = Parameters()
        self._cars = Cars(make_track(), self.areas, init.seed, self._parameters)
        self._agents = Agents(self.areas)
        self._started = False

    def answer(self, rl_input: UnityRLInputProto, load: Load) -> UnityMessageProto:
        """Do as the trainer says; return what to tell it next."""
        self._read_side_channel(rl_input.side_channel)
        if rl_input.command == RESET or not self._started:
            self._started = True
            return self._agents.after_reset(self._cars.reset())
        began = load.begin_step()
        step = self._cars.step(read_actions(rl_input, self.areas))
        message = self._agents.after_step(step)
        load.finish_step(began, self.areas)
        return message

    def _read_side_channel(self, data: bytes) -> None:
        try:
            for message in read_messages(data):
                if isinstance(message, EnvironmentParameter):
                    known = self._parameters.set(message.name, message.sampler)
                    fate = "from the next episode on" if known else f"ignored; the race knows {', '.join(LIMITS)}"
                    _log.info("environment parameter %s: %s, %s", message.name, message.text, fate)
                elif isinstance(message, EngineSetting):
                    _log.info("engine setting %s: %s, without effect", message.name, message.value)
                else:
                    _log.info("side channel %s: ignored", message.channel)
        except SideChannelError as error:
            # As players do: a broken setting is no reason to stop racing.
            _log.error("side channel: %s; the rest of this message is ignored", error)


def play(exchange: Exchange, load: Load, fixed_areas: int | None) -> str:
    """Race until the trainer ends it. Returns why it ended; errors of `exchange` pass through."""
    reply = exchange(hello())
    if reply.header.status != GO_ON:
        return f"the trainer answered the greeting with status {reply.header.status}"
    init = reply.unity_input.rl_initialization_input
    race = Race(init, fixed_areas)
    asked = f", {init.num_areas} asked for" if race.areas != init.num_areas else ""
    _log.info(
        "connected: trainer package %s, protocol %s, seed %d, %d areas%s",
        *(init.package_version, init.communication_version, init.seed, race.areas, asked),
    )
    message = empty()  # says that the player is ready; the answer is the first reset
    while True:
        reply = exchange(message)
        if reply.header.status != GO_ON:
            return f"the trainer sent status {reply.header.status}"
        rl_input = reply.unity_input.rl_input
        if rl_input.command == QUIT:
            return "the trainer sent QUIT"
        message = race.answer(rl_input, load)
