"""The race in the words of the protocol: protobuf messages of mlagents_envs.communicator_objects."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from mlagents_envs.communicator_objects.agent_info_pb2 import AgentInfoProto
from mlagents_envs.communicator_objects.capabilities_pb2 import UnityRLCapabilitiesProto
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
from mlagents_envs.communicator_objects.unity_rl_input_pb2 import UnityRLInputProto

from sweeper.racer.cars import ACTION_SIZE, OBSERVATION_SIZE, Step
from sweeper.racer.track import Floats

BEHAVIOR = "Car?team=0"
COMMUNICATION_VERSION = "1.5.0"
"""Of the protocol (mlagents_envs/environment.py, API_VERSION); trainers refuse another major version."""
PACKAGE_VERSION = "3.0.0"
"""Trainers only log it, but want x.y.z. 3.0.0 is the release that belongs to mlagents 1.1.0."""
GO_ON, END = 200, 400
"""Header status: go on; leave."""


class ProtocolError(RuntimeError):
    """The trainer sent what no trainer should."""


def hello() -> UnityMessageProto:
    """The first message of a player."""
    message = empty()
    init = message.unity_output.rl_initialization_output
    init.name = "sweeper-racer"
    init.communication_version = COMMUNICATION_VERSION
    init.package_version = PACKAGE_VERSION
    init.capabilities.CopyFrom(
        UnityRLCapabilitiesProto(
            baseRLCapabilities=True,
            concatenatedPngObservations=True,
            compressedChannelMapping=True,
            hybridActions=True,
            trainingAnalytics=True,
            variableLengthObservation=True,
            multiAgentGroups=True,
        )
    )
    return message


def empty() -> UnityMessageProto:
    """A message that says nothing but: go on."""
    message = UnityMessageProto()
    message.header.status = GO_ON
    return message


def read_actions(rl_input: UnityRLInputProto, areas: int) -> Floats:
    """(areas, ACTION_SIZE) actions, in the order of the agents sent last; zeros if there are none at all.

    Raises:
        ProtocolError: a wrong number of agents or of actions.
    """
    if BEHAVIOR not in rl_input.agent_actions:
        return np.zeros((areas, ACTION_SIZE))
    actions = [action.continuous_actions for action in rl_input.agent_actions[BEHAVIOR].value]
    if len(actions) != areas or any(len(action) != ACTION_SIZE for action in actions):
        raise ProtocolError(
            f"{areas} x {ACTION_SIZE} actions expected, got {len(actions)} x {sorted({len(a) for a in actions})}"
        )
    return np.array(actions, dtype=np.float64)


class Agents:
    """Names every episode of every area by a fresh id, and writes what its agent reports."""

    def __init__(self, areas: int) -> None:
        """`areas`: how many agents are on the track at any time."""
        self._ids = list(range(areas))
        self._next = areas
        self._introduced = False

    def after_reset(self, observation: Floats) -> UnityMessageProto:
        """Everything starts anew: one fresh agent an area. `observation`: (A, O)."""
        if self._introduced:
            self._renew(range(len(self._ids)))
        return self._message([_agent(agent, seen) for agent, seen in zip(self._ids, observation.tolist(), strict=True)])

    def after_step(self, step: Step) -> UnityMessageProto:
        """Those that ended, then one agent an area: the same, or a fresh one with no reward yet."""
        rewards = step.reward.tolist()
        infos = []
        for area, cut_off, seen in zip(
            step.ended.tolist(), step.interrupted.tolist(), step.last_observation.tolist(), strict=True
        ):
            infos.append(_agent(self._ids[area], seen, rewards[area], done=True, max_step_reached=cut_off))
            rewards[area] = 0.0
        self._renew(step.ended.tolist())
        for agent, seen, reward in zip(self._ids, step.observation.tolist(), rewards, strict=True):
            infos.append(_agent(agent, seen, reward))
        return self._message(infos)

    def _renew(self, areas: Iterable[int]) -> None:
        for area in areas:
            self._ids[area] = self._next
            self._next += 1

    def _message(self, infos: list[AgentInfoProto]) -> UnityMessageProto:
        message = empty()
        output = message.unity_output
        output.rl_output.agentInfos[BEHAVIOR].value.extend(infos)
        if not self._introduced:
            # A behaviour is introduced in the first message that carries its agents, and only there.
            brain = output.rl_initialization_output.brain_parameters.add()
            brain.brain_name = BEHAVIOR
            brain.is_training = True
            brain.action_spec.num_continuous_actions = ACTION_SIZE
            self._introduced = True
        return message


def _agent(
    agent: int, seen: list[float], reward: float = 0.0, done: bool = False, max_step_reached: bool = False
) -> AgentInfoProto:
    info = AgentInfoProto(id=agent, reward=reward, done=done, max_step_reached=max_step_reached)
    observation = info.observations.add()
    observation.name = "CarSensor"
    observation.shape.append(OBSERVATION_SIZE)
    observation.float_data.data.extend(seen)
    return info
