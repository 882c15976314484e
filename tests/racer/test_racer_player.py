"""The build under the trainer's own Python API: the low-level one, Gym, and PettingZoo with its own API tests."""

import numpy as np
import pytest

# The trainer's packages are of their time; what they warn of is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:gym.*"),
    pytest.mark.filterwarnings("ignore::UserWarning:pettingzoo.*"),
]

CAR = "Car?team=0"


@pytest.fixture
def launch(racer, free_port, tmp_path):
    """Start the build in a UnityEnvironment; closed at the end."""
    from mlagents_envs.environment import UnityEnvironment

    opened = []

    def start(*arguments: str, **settings):
        environment = UnityEnvironment(
            file_name=racer,
            base_port=free_port,
            no_graphics=True,
            log_folder=str(tmp_path),
            additional_args=list(arguments),
            **{"timeout_wait": 60, **settings},
        )
        opened.append(environment)
        return environment

    yield start
    for environment in opened:
        if environment._loaded:
            environment.close()


@pytest.fixture
def wrappers():
    """The module of the Gym and PettingZoo wrappers downloads a list of sample builds when it is imported, unless the
    registry is empty by then."""
    from mlagents_envs.registry import default_registry

    default_registry.clear()


def test_low_level_api(launch, tmp_path):
    from mlagents_envs.base_env import ActionTuple
    from mlagents_envs.side_channel.engine_configuration_channel import EngineConfig, EngineConfigurationChannel
    from mlagents_envs.side_channel.environment_parameters_channel import EnvironmentParametersChannel

    engine, parameters = EngineConfigurationChannel(), EnvironmentParametersChannel()
    environment = launch(num_areas=3, seed=11, side_channels=[engine, parameters])
    engine.set_configuration(EngineConfig.default_config())
    parameters.set_float_parameter("max_speed", 10.0)
    parameters.set_uniform_sampler_parameters("track_width", 7.0, 9.0, seed=1)
    environment.reset()

    assert list(environment.behavior_specs) == [CAR]
    spec = environment.behavior_specs[CAR]
    assert [observation.shape for observation in spec.observation_specs] == [(13,)]
    assert (spec.action_spec.continuous_size, spec.action_spec.discrete_size) == (2, 0)

    decisions, terminals = environment.get_steps(CAR)
    assert decisions.agent_id.tolist() == [0, 1, 2] and len(terminals) == 0
    for _ in range(40):
        environment.set_actions(CAR, ActionTuple(continuous=np.tile(np.float32([0.6, 1.0]), (3, 1))))
        environment.step()
        decisions, terminals = environment.get_steps(CAR)
        assert len(decisions) == 3
        assert not set(decisions.agent_id) & set(terminals.agent_id)
    assert decisions.agent_id.min() > 2, "all three went round in a circle until they left the track"

    environment.reset()
    assert len(environment.get_steps(CAR)[0]) == 3
    environment.step()  # without actions: the API sends zeros
    process = environment._process
    environment.close()
    assert process.returncode == 0
    log = (tmp_path / "Player-0.log").read_text("utf-8")
    assert "engine setting time_scale: (20.0,)" in log
    assert "environment parameter track_width: uniform 7 to 9, from the next episode on" in log


def test_two_runs_of_a_seed_are_equal(launch):
    runs = []
    for _ in range(2):
        environment = launch(seed=4)
        environment.reset()
        seen = []
        for _ in range(30):
            environment.step()
            seen.append(environment.get_steps(CAR)[0].obs[0])
        environment.close()
        runs.append(np.concatenate(seen))
    assert np.array_equal(*runs)


def test_fixed_areas_ignore_num_areas(launch):
    environment = launch("--fixed-areas", "2", num_areas=5)
    environment.reset()
    assert len(environment.get_steps(CAR)[0]) == 2


def test_a_crash_shows_its_exit_code(launch):
    from mlagents_envs.exception import UnityEnvironmentException

    environment = launch("--crash-after", "2", timeout_wait=30)  # looks for a dead player every 3 s
    environment.reset()
    environment.step()
    with pytest.raises(UnityEnvironmentException, match="return code 3"):
        environment.step()


def test_gym(launch, wrappers):
    from mlagents_envs.envs.unity_gym_env import UnityToGymWrapper

    gym = UnityToGymWrapper(launch())
    assert gym.action_space.shape == (2,) and gym.observation_space.shape == (13,)
    assert gym.reset().shape == (13,)
    done, steps = False, 0
    while not done:
        observation, reward, done, _ = gym.step([1.0, 1.0])
        steps += 1
    assert observation.shape == (13,) and reward < 0 and steps > 1
    assert gym.reset().shape == (13,)
    gym.step([0.0, 0.0])
    gym.close()


@pytest.mark.parametrize("areas", [1, 3])
def test_pettingzoo_parallel(launch, wrappers, areas):
    from mlagents_envs.envs.unity_parallel_env import UnityParallelEnv
    from pettingzoo.test import parallel_api_test

    environment = UnityParallelEnv(launch(num_areas=areas), seed=1)
    assert len(environment.agents) == areas
    parallel_api_test(environment, num_cycles=10)
    environment.close()


@pytest.mark.parametrize("areas", [1, 3])
def test_pettingzoo_aec(launch, wrappers, areas):
    from mlagents_envs.envs.unity_aec_env import UnityAECEnv
    from pettingzoo.test import api_test

    environment = UnityAECEnv(launch(num_areas=areas), seed=1)
    api_test(environment, num_cycles=10)
    environment.close()
