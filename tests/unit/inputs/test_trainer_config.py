"""ML-Agents trainer configs: what they say, and how parameters are put in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.trainer_config import TrainerConfig, put_params, read_trainer_config, trainer_paths
from tests.helpers.builders import config_of

Config = Callable[[str], TrainerConfig]

BALL = """\
behaviors:
  3DBall:
    trainer_type: ppo
    hyperparameters:
      batch_size: 64
      buffer_size: 12000
      learning_rate: 0.0003
      beta: 0.001
      epsilon: 0.2
      lambd: 0.99
      num_epoch: 3
      learning_rate_schedule: linear
    network_settings:
      normalize: true
      hidden_units: 128
      num_layers: 2
      vis_encode_type: simple
    reward_signals:
      extrinsic:
        gamma: 0.99
        strength: 1.0
    keep_checkpoints: 5
    max_steps: 500000
    time_horizon: 1000
    summary_freq: 12000
"""
HALLWAY = """\
behaviors:
  Hallway:
    trainer_type: ppo
    hyperparameters: {batch_size: 128, buffer_size: 1024, learning_rate: 0.0003, num_epoch: 3}
    network_settings:
      normalize: false
      hidden_units: 128
      num_layers: 2
      memory:
        sequence_length: 64
        memory_size: 128
    max_steps: 10000000
    time_horizon: 64
"""
SOCCER = """\
behaviors:
  SoccerTwos:
    trainer_type: poca
    hyperparameters: {batch_size: 2048, buffer_size: 20480, learning_rate_schedule: constant}
    network_settings: {normalize: false, hidden_units: 512, num_layers: 2}
    time_horizon: 1000
    self_play:
      save_steps: 50000
      team_change: 200000
      swap_steps: 2000
      window: 10
"""
SAC_BALL = """\
behaviors:
  3DBall:
    trainer_type: sac
    hyperparameters:
      learning_rate: 0.0003
      batch_size: 64
      buffer_size: 200000
      buffer_init_steps: 0
      tau: 0.005
      steps_per_update: 10.0
      save_replay_buffer: false
      init_entcoef: 0.5
    time_horizon: 1000
"""
WALL_JUMP = """\
behaviors:
  BigWallJump:
    trainer_type: ppo
    hyperparameters: {batch_size: 128, buffer_size: 2048}
  SmallWallJump:
    trainer_type: ppo
    hyperparameters: {batch_size: 128, buffer_size: 4096}
environment_parameters:
  big_wall_height:
    curriculum:
      - name: Lesson0
        completion_criteria: {measure: progress, behavior: BigWallJump, threshold: 0.1, min_lesson_length: 100}
        value:
          sampler_type: uniform
          sampler_parameters: {min_value: 0.0, max_value: 4.0}
      - name: Lesson1
        value: 8.0
"""
DEFAULTS_ONLY = """\
default_settings:
  trainer_type: ppo
  hyperparameters: {batch_size: 32}
  threaded: true
"""


def test_ball(config_file: Config) -> None:
    (ball,) = config_file(BALL).behaviors
    assert (ball.name, ball.trainer_type, ball.on_policy) == ("3DBall", "ppo", True)
    assert (ball.batch_size, ball.buffer_size, ball.num_epoch, ball.time_horizon) == (64, 12000, 3, 1000)
    assert (ball.sequence_length, ball.threaded) == (None, False)


def test_hallway_has_memory(config_file: Config) -> None:
    (hallway,) = config_file(HALLWAY).behaviors
    assert hallway.sequence_length == 64


def test_memory_without_a_length_has_the_learners_default(config_file: Config) -> None:
    text = "behaviors:\n  A:\n    trainer_type: ppo\n    network_settings: {memory: {memory_size: 64}}\n"
    assert config_file(text).behaviors[0].sequence_length == 64


def test_soccer_is_poca_with_self_play(config_file: Config) -> None:
    config = config_file(SOCCER)
    assert (config.behaviors[0].trainer_type, config.behaviors[0].on_policy) == ("poca", True)
    assert config.with_params({"batch_size": 512})["behaviors"]["SoccerTwos"]["self_play"]["window"] == 10


def test_sac_is_off_policy(config_file: Config) -> None:
    (ball,) = config_file(SAC_BALL).behaviors
    assert (ball.on_policy, ball.batch_size, ball.buffer_size) == (False, 64, 200_000)


def test_curricula_are_left_alone(config_file: Config) -> None:
    config = config_file(WALL_JUMP)
    assert [behavior.name for behavior in config.behaviors] == ["BigWallJump", "SmallWallJump"]
    assert config.with_params({"batch_size": 64})["environment_parameters"] == config.data["environment_parameters"]


def test_default_settings_alone(config_file: Config) -> None:
    (behavior,) = config_file(DEFAULTS_ONLY).behaviors
    assert (behavior.name, behavior.batch_size, behavior.buffer_size, behavior.threaded) == ("", 32, 10240, True)


@pytest.mark.parametrize(
    ("trainer", "batch", "buffer"), [("ppo", 1024, 10240), ("poca", 1024, 10240), ("sac", 128, 50000)]
)
def test_defaults_of_each_trainer(config_file: Config, trainer: str, batch: int, buffer: int) -> None:
    (behavior,) = config_file(f"behaviors: {{A: {{trainer_type: {trainer}}}}}\n").behaviors
    assert (behavior.batch_size, behavior.buffer_size) == (batch, buffer)
    assert (behavior.time_horizon, behavior.num_epoch, behavior.threaded) == (64, 3, False)


def test_an_empty_behaviour_is_ppo_and_none_is_refused(config_file: Config) -> None:
    (behavior,) = config_file("behaviors:\n  Car: {}\n").behaviors
    assert (behavior.name, behavior.trainer_type, behavior.batch_size) == ("Car", "ppo", 1024)
    for entry in ("", " null"):
        with pytest.raises(InvalidInput, match=r":2: behaviors\.Car: this behaviour is empty, which the learner ref"):
            config_file(f"behaviors:\n  Car:{entry}\n")


def test_default_settings_are_merged_deeply(config_file: Config) -> None:
    text = DEFAULTS_ONLY + "behaviors:\n  A: {hyperparameters: {buffer_size: 512}}\n  B: {threaded: false}\n"
    a, b = config_file(text).behaviors
    assert (a.trainer_type, a.batch_size, a.buffer_size, a.threaded) == ("ppo", 32, 512, True)
    assert (b.batch_size, b.buffer_size, b.threaded) == (32, 10240, False)


def test_value(config_file: Config) -> None:
    config = config_file(BALL)
    assert config.value("num_envs") == 1
    assert config.value("batch_size") == 64
    assert config.value("threaded") is False
    assert config.value("hyperparameters.buffer_size") == 12000
    assert config.value("network_settings.normalize") is True
    assert config.value("hyperparameters.learning_rate_schedule") == "linear"
    assert config.value("hyperparameters.nothing") is None
    assert config.value("network_settings") is None


def test_value_of_behaviours_that_differ(config_file: Config) -> None:
    config = config_file(WALL_JUMP)
    assert config.value("batch_size") == 128
    assert config.value("hyperparameters.buffer_size") is None


def test_value_of_what_is_left_out(config_file: Config) -> None:
    assert config_file("behaviors: {A: {trainer_type: sac}}\n").value("hyperparameters.buffer_size") == 50000


@pytest.mark.parametrize(("section", "envs"), [("{num_envs: 4}", 4), ("{}", 1), ("{num_envs: '8'}", 8)])
def test_env_settings(config_file: Config, section: str, envs: int) -> None:
    config = config_file(BALL + f"env_settings: {section}\n")
    assert config.value("num_envs") == envs
    assert config.value("num_areas") == 1


def test_numbers_as_users_write_them(config_file: Config) -> None:
    text = "behaviors: {A: {trainer_type: ppo, hyperparameters: {batch_size: 5.0e+2, learning_rate: 3e-4}}}\n"
    (behavior,) = config_file(text).behaviors
    assert behavior.batch_size == 500
    assert config_file(text).value("hyperparameters.learning_rate") == 0.0003


def test_params_go_into_the_defaults_and_into_behaviours_that_do_not_leave_them_there(config_file: Config) -> None:
    text = (
        "default_settings: {trainer_type: ppo, hyperparameters: {batch_size: 32, beta: 0.1}}\n"
        "behaviors:\n  A: {trainer_type: ppo, hyperparameters: {batch_size: 16}}\n  B: {}\n"
    )
    config, params = config_file(text), {"batch_size": 64, "threaded": True, "num_envs": 4, "num_areas": 2}
    data = config.with_params(params)
    assert data["default_settings"]["hyperparameters"] == {"batch_size": 64, "beta": 0.1}
    assert data["behaviors"]["A"]["hyperparameters"] == {"batch_size": 64}
    assert data["behaviors"]["B"] == {}
    assert [(entry.batch_size, entry.threaded) for entry in config.behaviors_with(params)] == [(64, True)] * 2
    assert "num_envs" not in str(data)


def test_the_users_data_stays_untouched(config_file: Config) -> None:
    config = config_file(WALL_JUMP)
    before = copy.deepcopy(config.data)
    config.with_params({"batch_size": 7, "hyperparameters.buffer_size": 9, "network_settings.hidden_units": 3})
    assert config.data == before


def test_a_path_makes_the_sections_it_needs() -> None:
    data: dict[str, object] = {"behaviors": {"A": {"trainer_type": "sac"}, "B": None}}
    put_params(data, {"network_settings.memory.sequence_length": 32, "hyperparameters.batch_size": 8})
    assert data["behaviors"] == {
        "A": {
            "trainer_type": "sac",
            "network_settings": {"memory": {"sequence_length": 32}},
            "hyperparameters": {"batch_size": 8},
        },
        "B": {
            "network_settings": {"memory": {"sequence_length": 32}},
            "trainer_type": "ppo",
            "hyperparameters": {"batch_size": 8},
        },
    }


def test_none_leaves_a_setting_as_it_is() -> None:
    assert trainer_paths({"num_envs": 4, "batch_size": None, "threaded": False, "time_horizon": 3}) == {
        "threaded": False,
        "time_horizon": 3,
    }


def test_behaviors_with(config_file: Config) -> None:
    changed = config_file(WALL_JUMP).behaviors_with({"batch_size": 256, "threaded": True})
    assert [(b.batch_size, b.buffer_size, b.threaded) for b in changed] == [(256, 2048, True), (256, 4096, True)]


def test_a_trainer_that_comes_from_the_defaults_stays() -> None:
    config = config_of(
        "default_settings: {trainer_type: sac, hyperparameters: {tau: 0.01}}\nbehaviors: {A: {max_steps: 5}}\n"
    )
    assert config.behaviors[0].trainer_type == "sac"
    assert config.behaviors_with({"batch_size": 64})[0].trainer_type == "sac"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("behaviour:\n  A: {}\n", "1: behaviour: unknown key in a trainer config (did you mean 'behaviors'?)"),
        (
            "behaviors:\n  A:\n    trainer_type: ppo\n    time_horizn: 5\n",
            "4: behaviors.A.time_horizn: unknown key in a behaviour (did you mean 'time_horizon'?)",
        ),
        ("debug: true\n", "1: behaviors: a trainer config needs at least one behaviour under `behaviors:`"),
        ("behaviors: {}\n", "1: behaviors: a trainer config needs at least one behaviour under `behaviors:`"),
        ("behaviors: [A]\n", "1: behaviors: must be a mapping of behaviour names to their settings"),
        ("behaviors:\n  A: ppo\n", "2: behaviors.A: must be a mapping of settings"),
        ("behaviors: {A: {}}\nenv_settings: [1]\n", "2: env_settings: must be a mapping"),
        ("default_settings: 5\n", "1: default_settings: must be a mapping"),
        (
            "behaviors:\n  A:\n    hyperparameters:\n      batch_size: 8\n",
            "3: behaviors.A.hyperparameters: given without a trainer_type, which the learner refuses",
        ),
        (
            "behaviors:\n  A:\n    trainer_type: ppo\n    hyperparameters:\n      batch_size: many\n",
            "5: behaviors.A.hyperparameters.batch_size: expected a number, not 'many'",
        ),
        (
            "behaviors:\n  A:\n    trainer_type: ppo\n    hyperparameters: {batch_size: 0}\n",
            "4: behaviors.A.hyperparameters.batch_size: must be at least 1, not 0",
        ),
        (
            "behaviors:\n  A:\n    trainer_type: ppo\n    hyperparameters: 5\n",
            "4: behaviors.A.hyperparameters: must be a mapping",
        ),
        (
            "behaviors:\n  A:\n    network_settings:\n      memory: 5\n",
            "4: behaviors.A.network_settings.memory: must be a mapping",
        ),
    ],
)
def test_refusals_say_where(config_file: Config, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_file(text)
    assert str(caught.value).removeprefix(f"{tmp_path / 'car.yaml'}:") == message


def test_a_bad_memory_section_says_where(config_file: Config) -> None:
    with pytest.raises(InvalidInput, match=r":4: behaviors\.A\.network_settings\.memory: must be a mapping"):
        config_file("behaviors:\n  A:\n    network_settings:\n      memory: 5\n")


def test_a_mistake_in_the_defaults_is_reported_there(config_file: Config) -> None:
    with pytest.raises(InvalidInput, match=r":2: default_settings\.time_horizn: "):
        config_file("default_settings:\n  time_horizn: 5\nbehaviors:\n  A:\n    trainer_type: ppo\n")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such trainer config"):
        read_trainer_config(tmp_path / "nothing.yaml")


def test_an_unknown_hyperparameter_is_refused_as_the_learner_would(config_file: Config) -> None:
    text = "behaviors:\n  A:\n    trainer_type: ppo\n    hyperparameters:\n      batchsize: 128\n"
    with pytest.raises(InvalidInput, match=r"car.yaml:5: .*batchsize: unknown hyperparameter .*'batch_size'"):
        config_file(text)
    config_file(text.replace("ppo", "a_plugin"))  # what a plug-in accepts is not ours to know


class TestDefaultsAsTheLearnerFillsThem:
    """`default_settings` are a whole entry of a trainer's, however little of it is written."""

    @pytest.mark.parametrize("defaults", ["{}", "{time_horizon: 32}", "{trainer_type: ppo}"])
    def test_hyperparameters_need_no_trainer_there(self, config_file: Config, defaults: str) -> None:
        text = f"default_settings: {defaults}\nbehaviors: {{Car: {{hyperparameters: {{batch_size: 64}}}}}}\n"
        config = config_file(text)
        assert (config.behaviors[0].trainer_type, config.behaviors[0].batch_size) == ("ppo", 64)
        expected = {**config.data, "behaviors": {"Car": {"hyperparameters": {"batch_size": 128}}}}
        assert config.with_params({"batch_size": 128}) == expected

    def test_but_in_the_defaults_themselves(self, config_file: Config) -> None:
        text = "default_settings:\n  hyperparameters: {batch_size: 64}\nbehaviors: {Car: {}}\n"
        with pytest.raises(InvalidInput, match=r":2: default_settings\.hyperparameters: given without a trainer_type"):
            config_file(text)

    @pytest.mark.parametrize(
        ("default", "own", "strange"),
        [
            ("{time_horizon: 32}", "sac", "num_epoch"),
            ("{trainer_type: ppo}", "poca", "shared_critic"),
            ("{trainer_type: sac}", "ppo", "buffer_init_steps"),
        ],
    )
    def test_they_bring_what_another_trainer_refuses(
        self, config_file: Config, default: str, own: str, strange: str
    ) -> None:
        text = f"default_settings: {default}\nbehaviors:\n  Car: {{trainer_type: {own}}}\n"
        with pytest.raises(InvalidInput) as caught:
            config_file(text)
        assert ":3: behaviors.Car.trainer_type: default_settings fills every behaviour" in str(caught.value)
        assert f"with {strange} too, which is none of {own}'s" in str(caught.value)

    @pytest.mark.parametrize(("default", "own"), [("poca", "ppo"), ("ppo", "a_plugin"), ("a_plugin", "sac")])
    def test_some_trainers_bear_each_other(self, config_file: Config, default: str, own: str) -> None:
        text = f"default_settings: {{trainer_type: {default}}}\nbehaviors: {{Car: {{trainer_type: {own}}}}}\n"
        assert config_file(text).behaviors[0].trainer_type == own

    def test_a_section_that_a_behaviour_switches_off_is_set_there(self, config_file: Config) -> None:
        text = (
            "default_settings: {network_settings: {memory: {sequence_length: 32}}}\n"
            "behaviors: {A: {network_settings: {memory: null}}, B: {}}\n"
        )
        data = config_file(text).with_params({"network_settings.memory.sequence_length": 16})
        assert data["behaviors"] == {"A": {"network_settings": {"memory": {"sequence_length": 16}}}, "B": {}}


def test_empty_sections_switch_on_what_they_are_about(config_file: Config) -> None:
    text = "behaviors: {A: {network_settings: {memory: {}}, self_play: {}}, B: {network_settings: {memory: null}}}\n"
    a, b = config_file(text).behaviors
    assert (a.sequence_length, a.self_play) == (64, True)
    assert (b.sequence_length, b.self_play) == (None, False)


OLD = """\
default:
  trainer: ppo
  batch_size: 1024
  buffer_size: 10240
  use_recurrent: false
BallLearning:
  normalize: true
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OLD, ":1: default: this is a trainer config of ML-Agents before 0.20, which today's learner refuses"),
        (OLD.replace("default", "Ball"), ":1: Ball: this is a trainer config of ML-Agents before 0.20"),
        ("Ball:\n  normalize: true\n  max_steps: 5.0e4\n", ":1: Ball: this is a trainer config of ML-Agents before 0."),
        ("behaviors: {A: {}}\ncurriculum: {}\n", ":2: curriculum: since ML-Agents 0.20 this is `environment_parame"),
        ("resampling-interval: 5000\n", ":1: resampling-interval: this is a sampler file of ML-Agents before 0.20"),
        ("mass:\n  sampler-type: uniform\n", ":1: mass: this is a sampler file of ML-Agents before 0.20"),
        ("Ball:\n  thresholds: [1]\n  parameters: {a: [1, 2]}\n", ":1: Ball: this is a curriculum of ML-Agents bef"),
        ("Ball:\n  trainer_type: ppo\n", ":1: Ball: a behaviour stands under `behaviors:`"),
    ],
)
def test_configs_before_020_are_told_what_they_are(config_file: Config, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_file(text)
    assert message in str(caught.value)
    assert "python -m mlagents.trainers.upgrade_config OLD.yaml NEW.yaml" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{trainer: ppo}", "trainer: unknown key in a behaviour (in a behaviour it is trainer_type, since ML-Ag"),
        (
            "{batch_size: 64}",
            "batch_size: unknown key in a behaviour (in a behaviour it is hyperparameters.batch_size)",
        ),
        ("{hidden_units: 64}", "(in a behaviour it is network_settings.hidden_units)"),
        ("{use_recurrent: true}", "(in a behaviour it is network_settings.memory, since ML-Agents 0.20)"),
        ("{trainer_type: ppo, hyperparameters: {time_horizon: 5}}", "(in a behaviour it is time_horizon)"),
        ("{trainer_type: ppo, hyperparameters: {gamma: 0.9}}", "(in a behaviour it is reward_signals.extrinsic.gamma)"),
        (
            "{trainer_type: ppo, hyperparameters: {gama: 0.9}}",
            "unknown hyperparameter (did you mean 'gamma'? in a behaviour it is reward_signals.extrinsic.gamma)",
        ),
        ("{trainer_type: ppo, hyperparameters: {batchsize: 9}}", "unknown hyperparameter (did you mean 'batch_size'?)"),
        ("{gama: 0.9}", "(did you mean 'gamma'? in a behaviour it is reward_signals.extrinsic.gamma)"),
        ("{max_step: 9}", "unknown key in a behaviour (did you mean 'max_steps'?)"),
        ("{trainer_type: ppo, hyperparameters: {tau: 0.9}}", "hyperparameters.tau: unknown hyperparameter"),
        ("{trainer_type: PPO}", "trainer_type: the learner knows no 'PPO'; write ppo"),
        ("{trainer_type: ppo, hyperparameters: }", "hyperparameters: must be a mapping"),
        ("{network_settings: }", "network_settings: must be a mapping"),
        ("{behavioral_cloning: {demo_path: a, steps: 1e5}}", "steps: the learner takes '1e5' for text"),
    ],
)
def test_what_stands_in_a_wrong_place_is_told_its_own(config_file: Config, entry: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_file(f"behaviors:\n  A: {entry}\n")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("hyperparameters: {batch_size: 2}", "(hyperparameters belongs in a behaviour, under `behaviors:`)"),
        ("num_envs: 2", "unknown key in a trainer config (it belongs under env_settings)"),
        (
            "time_horizon: 2",
            "unknown key in a trainer config (time_horizon belongs in a behaviour, under `behaviors:`)",
        ),
    ],
)
def test_keys_on_top_are_told_where_they_belong(config_file: Config, key: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_file(f"behaviors: {{A: {{}}}}\n{key}\n")
    assert message in str(caught.value)
