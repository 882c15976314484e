"""The build against a trainer that the test scripts: which message carries what, and how it ends."""

import signal
import struct
import sys
import time

import pytest
from mlagents_envs.communicator_objects.command_pb2 import QUIT
from mlagents_envs.side_channel.environment_parameters_channel import EnvironmentParametersChannel
from mlagents_envs.side_channel.side_channel_manager import SideChannelManager
from scripted_trainer import TIMEOUT_SECONDS, answer, reset, step

from sweeper.racer.cars import EPISODE_STEPS, OBSERVATION_SIZE
from sweeper.racer.connection import Connection, NoTrainer

CAR = "Car?team=0"
FULL_THROTTLE_LEFT = (1.0, 1.0)


@pytest.fixture
def player(start, trainer, tmp_path):
    """Start a player on the scripted trainer's port; extra arguments as given."""

    def start_player(*arguments: str):
        return start("--mlagents-port", str(trainer.port), "-logFile", str(tmp_path / "player.log"), *arguments)

    return start_player


@pytest.fixture
def log(tmp_path):
    return lambda: (tmp_path / "player.log").read_text("utf-8")


def agents(message):
    return message.unity_output.rl_output.agentInfos[CAR].value


def rows(message):
    return [(agent.id, agent.done) for agent in agents(message)]


def test_greeting_introduction_and_farewell(player, trainer, log):
    process = player("-nographics", "-batchmode", "-force-vulkan")
    greeting = trainer.welcome(areas=2)
    init = greeting.unity_output.rl_initialization_output
    assert (greeting.header.status, init.communication_version) == (200, "1.5.0")
    assert init.capabilities.baseRLCapabilities and not init.brain_parameters

    first = trainer.ask(reset())
    (brain,) = first.unity_output.rl_initialization_output.brain_parameters
    assert (brain.brain_name, brain.is_training) == (CAR, True)
    assert brain.action_spec.num_continuous_actions == 2
    assert brain.action_spec.num_discrete_actions == 0
    assert rows(first) == [(0, False), (1, False)]
    for agent in agents(first):
        (observation,) = agent.observations
        assert list(observation.shape) == [OBSERVATION_SIZE] == [len(observation.float_data.data)]
        assert agent.reward == 0

    second = trainer.ask(step((0.0, 1.0), (0.0, 1.0)))
    assert not second.unity_output.HasField("rl_initialization_output"), "introduced once"
    assert rows(second) == [(0, False), (1, False)]
    assert agents(second)[0].observations != agents(first)[0].observations

    trainer.say(answer(status=400))
    assert process.wait(TIMEOUT_SECONDS) == 0
    assert "ignored argument: -force-vulkan" in log()
    assert "status 400" in log()
    assert process.communicate() == ("", "")


def test_an_episode_that_ends_hands_over_to_a_new_agent_in_the_same_message(player, trainer):
    player()
    trainer.welcome(areas=2)
    message = trainer.ask(reset())
    while len(rows(message)) == 2:
        seen = agents(message)[1].observations[0].float_data.data
        message = trainer.ask(step(FULL_THROTTLE_LEFT, (-2 * seen[10] - 0.5 * seen[12], 0.2 - seen[9])))
    assert rows(message) == [(0, True), (2, False), (1, False)]
    gone, fresh, _ = agents(message)
    assert gone.reward < -0.5 and not gone.max_step_reached
    assert fresh.reward == 0
    assert gone.observations != fresh.observations
    assert rows(trainer.ask(step((0.0, 0.0), (0.0, 0.0)))) == [(2, False), (1, False)]


def test_an_episode_is_cut_off_at_its_last_step(player, trainer):
    player()
    trainer.welcome()
    message = trainer.ask(reset())
    for _ in range(EPISODE_STEPS):
        assert rows(message) == [(0, False)]
        message = trainer.ask(step((0.0, -1.0)))
    assert rows(message) == [(0, True), (1, False)]
    assert agents(message)[0].max_step_reached


def test_reset_in_the_middle_starts_everything_anew(player, trainer):
    player()
    trainer.welcome(areas=2)
    trainer.ask(reset())
    trainer.ask(step((0.0, 0.0), (0.0, 0.0)))
    again = trainer.ask(reset())
    assert rows(again) == [(2, False), (3, False)]
    assert not again.unity_output.HasField("rl_initialization_output")


@pytest.mark.parametrize("seeds_differ", [False, True])
def test_the_seed_comes_from_the_trainer(player, trainer, seeds_differ):
    seen = []
    for seed in (-5, -6 if seeds_differ else -5):
        process = player()
        trainer.welcome(areas=1, seed=seed)
        seen.append(agents(trainer.ask(reset()))[0].observations[0].float_data.data[:])
        trainer.say(answer(status=400))
        assert process.wait(TIMEOUT_SECONDS) == 0
    assert (seen[0] != seen[1]) == seeds_differ


def test_quit_ends_it(player, trainer):
    process = player()
    trainer.welcome()
    trainer.ask(reset())
    message = step()
    message.unity_input.rl_input.command = QUIT
    trainer.say(message)
    assert process.wait(TIMEOUT_SECONDS) == 0


def test_actions_may_be_missing_but_not_wrong(player, trainer, log):
    process = player()
    trainer.welcome(areas=2)
    trainer.ask(reset())
    assert len(rows(trainer.ask(step()))) == 2
    trainer.say(step((0.0, 0.0)))
    assert process.wait(TIMEOUT_SECONDS) == 1
    assert "Traceback" in log() and "2 x 2 actions expected" in log()
    assert process.communicate() == ("", ""), "the traceback is in the log file only"


def test_parameters_and_broken_side_channels(player, trainer, log):
    player()
    trainer.welcome()
    channel = EnvironmentParametersChannel()
    channel.set_float_parameter("track_width", 6.0)
    channel.set_float_parameter("gravity", 9.81)
    data = bytes(SideChannelManager([channel]).generate_side_channel_messages())
    side = max(agents(trainer.ask(reset()))[0].observations[0].float_data.data[i] for i in (0, 8))
    narrow = agents(trainer.ask(reset(data + struct.pack("<i", 3))))[0].observations[0].float_data.data
    assert narrow[0] + narrow[8] < 8.0 / 40 < 2 * side
    assert "environment parameter track_width: 6" in log()
    assert "environment parameter gravity: 9.81, ignored" in log()
    assert "side channel: 16 bytes expected, 4 left" in log()


def test_one_area_where_an_old_trainer_asks_for_none(player, trainer):
    player()
    trainer.welcome(areas=0)
    assert len(rows(trainer.ask(reset()))) == 1


def test_fixed_areas(player, trainer, log):
    player("--fixed-areas", "3")
    trainer.welcome(areas=7)
    assert len(rows(trainer.ask(reset()))) == 3
    assert "3 areas, 7 asked for" in log()


def test_it_leaves_when_the_channel_breaks(player, trainer, log):
    process = player()
    trainer.welcome()
    trainer.ask(reset())
    trainer.drop()
    assert process.wait(TIMEOUT_SECONDS) == 0
    assert "the channel broke" in log()


def test_it_says_when_there_is_no_trainer(free_port):
    with pytest.raises(NoTrainer, match=f"no trainer on port {free_port} within 0.2 s"):
        Connection(free_port, timeout_seconds=0.2)


def test_crash_after(player, trainer, log):
    process = player("--crash-after", "3")
    trainer.welcome()
    trainer.ask(reset())
    trainer.ask(step((0.0, 0.0)))
    trainer.ask(step((0.0, 0.0)))
    trainer.say(step((0.0, 0.0)))
    assert process.wait(TIMEOUT_SECONDS) == 3
    assert "crashing at step 3" in log()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that could be ignored")
def test_hang_after_and_ignore_sigterm(player, trainer, log):
    process = player("--hang-after", "1", "--ignore-sigterm")
    trainer.welcome()
    trainer.ask(reset())
    process.send_signal(signal.SIGTERM)
    trainer.say(step((0.0, 0.0)))
    while "hanging at step 1" not in log():
        assert process.poll() is None
        time.sleep(0.02)
    assert process.poll() is None, "it outlived SIGTERM"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process where others signal it")
def test_sigterm_ends_it(player, trainer):
    process = player()
    trainer.welcome()
    process.terminate()
    assert process.wait(TIMEOUT_SECONDS) == -signal.SIGTERM


@pytest.mark.parametrize("work", ["spin", "sleep"])
def test_the_log_tells_the_costs(player, trainer, log, work):
    player("--step-ms", "0.5", "--work", work, "--memory-mb", "20", "--leak-mb-per-s", "5", "--start-delay", "0.1")
    trainer.welcome()
    trainer.ask(reset())
    assert len(rows(trainer.ask(step((0.0, 0.0))))) == 1
    for text in (f"a step costs 0.5 ms an area, by work: {work}", "holding 20 MiB", "leaking 5 MiB/s"):
        assert text in log()


def test_a_log_that_cannot_be_written(start, tmp_path):
    (tmp_path / "file").write_text("")
    process = start("-logFile", str(tmp_path / "file" / "player.log"))
    assert process.wait(TIMEOUT_SECONDS) == 2
    out, err = process.communicate()
    assert not out and err.count("\n") == 1 and "cannot write the log file" in err


def test_the_log_goes_to_stdout_when_asked(start, trainer):
    process = start("--mlagents-port", str(trainer.port), "-logFile", "-")
    trainer.welcome()
    trainer.say(answer(status=400))
    out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert "connected" in out and not err
