"""The user's trainer config with tuned values in it, and every other byte as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sweeper.inputs.splice import same, splice
from sweeper.inputs.trainer_config import put_params, read_trainer_config
from sweeper.inputs.tuned import tuned_text
from tests.helpers.builders import PPO, config_of, params_of

COMMENTED = """\
# My car.
behaviors:
  Car:  # the only one
    trainer_type: ppo
    hyperparameters:
      batch_size: 128     # small
      buffer_size: 2048
      learning_rate: 3.0e-4
      beta: 5e-3
    network_settings: {normalize: true, hidden_units: 64}
    max_steps: 5e5
    # threaded is slower here
    time_horizon: 64

env_settings:
  num_envs: 2  # today
"""


class TestTuned:
    def test_only_the_tuned_lines_change(self) -> None:
        before = COMMENTED.splitlines()
        after = tuned_text(config_of(COMMENTED), {**params_of(8, 4, 512), "threaded": None}).splitlines()
        assert [(old, new) for old, new in zip(before, after) if old != new] == [
            ("      batch_size: 128     # small", "      batch_size: 512     # small"),
            ("  num_envs: 2  # today", "  num_envs: 8  # today"),
        ]
        assert len(before) == len(after)

    def test_it_says_what_was_asked_for(self) -> None:
        params = {**params_of(8, 4, 512, True), "hyperparameters.buffer_size": 4096}
        data = yaml.safe_load(tuned_text(config_of(COMMENTED), params))
        expected = config_of(COMMENTED).data
        put_params(expected, params)
        expected["env_settings"]["num_envs"] = 8
        assert data == expected
        assert data["behaviors"]["Car"]["threaded"] is True

    def test_nothing_to_tune_changes_nothing(self) -> None:
        text = PPO + "    threaded: false\n"
        assert tuned_text(config_of(text), params_of()) == text

    def test_lists_keep_their_shape(self) -> None:
        text = PPO + "environment_parameters:\n  wall:\n    curriculum:\n      - name: A\n        value: 1.0\n"
        assert "    curriculum:\n      - name: A\n        value: 1.0\n" in tuned_text(config_of(text), params_of())

    def test_lists_at_the_keys_column_keep_their_shape(self) -> None:
        text = PPO + "environment_parameters:\n  wall:\n    curriculum:\n    - name: A\n      value: 1.0\n"
        assert "    curriculum:\n    - name: A\n      value: 1.0\n" in tuned_text(config_of(text), params_of())

    def test_line_ends_and_a_last_line_without_one_are_kept(self) -> None:
        text = PPO.replace("\n", "\r\n").removesuffix("\r\n")
        tuned = tuned_text(config_of(text), params_of(batch=512))
        assert tuned == text.replace("batch_size: 128", "batch_size: 512")

    def test_what_trials_went_without_is_switched_off_and_says_so(self) -> None:
        text = COMMENTED + "checkpoint_settings:\n  resume: true\n"
        assert tuned_text(config_of(text), params_of()).endswith(
            "  resume: false  # sweeper: switched off, so that this trains anew\n"
        )

    def test_an_answer_starts_from_the_run_that_trials_started_from(self) -> None:
        text = COMMENTED + "checkpoint_settings:\n  initialize_from: old  # mine\n"
        assert tuned_text(config_of(text), params_of(2), initializes=True) == text
        assert tuned_text(config_of(text), params_of(2)).endswith(
            "  initialize_from: null  # mine; sweeper: measured untrained\n"
        )

    def test_in_the_editor_no_build_is_launched(self) -> None:
        text = COMMENTED + "  env_path: builds/Car\n"
        tuned = yaml.safe_load(tuned_text(config_of(text), params_of(), in_editor=True))
        assert tuned["env_settings"]["env_path"] is None

    def test_behaviours_that_share_a_section_are_tuned_together_where_it_stands(self) -> None:
        shared = "hyperparameters: &shared {batch_size: 128, buffer_size: 2048}"
        text = (
            f"behaviors:\n  A: {{trainer_type: ppo, {shared}}}\n  B: {{trainer_type: ppo, hyperparameters: *shared}}\n"
        )
        assert tuned_text(config_of(text), params_of(batch=512)) == text.replace("128", "512")

    @pytest.mark.parametrize(
        "text",
        [
            "\ufeff" + PPO,
            PPO.replace("  ", "    "),
            PPO.replace("128", "128   # how many") + "\n\n# end   \n",
            "behaviors:\n  Car: {trainer_type: ppo,\n        hyperparameters: {batch_size: 128,   # small\n"
            "                          buffer_size: 2048}}\n",
            "default_settings: null\n" + PPO + "    init_path: null\n    self_play: ~\nenvironment_parameters: null\n",
            "default_settings:\n  time_horizon: 32\n" + PPO,
            "default_settings:\n  trainer_type: ppo\n  hyperparameters: {batch_size: 128}\nbehaviors:\n  A: {}\n  B:\n"
            "    max_steps: 5e5\n",
            "---\n" + PPO.replace("batch_size:", '"batch_size" :') + "...\n",
        ],
    )
    def test_one_value_is_one_word(self, text: str, tmp_path: Path) -> None:
        path = tmp_path / "car.yaml"
        path.write_bytes(text.encode())
        config = read_trainer_config(path)
        assert tuned_text(config, params_of(batch=512), searched=["batch_size"]) == text.replace("128", "512")
        assert tuned_text(config, params_of(), searched=["batch_size"]) == text


class TestSplice:
    @pytest.mark.parametrize(
        ("text", "wanted", "expected"),
        [
            ("a: 1 # one\nb: 2\n", {"a": 3, "b": 2}, "a: 3 # one\nb: 2\n"),
            ("a: 'x'\n", {"a": "y"}, "a: 'y'\n"),
            ("a:\nb: 2", {"a": 1, "b": 2}, "a: 1\nb: 2"),
            ("a:\n  b: 1\n\n# end\n", {"a": {"b": 1, "c": 2}}, "a:\n  b: 1\n  c: 2\n\n# end\n"),
            ("a: {b: 1}\n", {"a": {"b": 1, "c": 2}}, "a: {b: 1, c: 2}\n"),
            ("a: {}\n", {"a": {"c": 2}}, "a: {c: 2}\n"),
            ("a: &x 1\nb: *x\n", {"a": 1, "b": 2}, "a: &x 1\nb: 2\n"),
            ("a: &x {c: 1}\nb:\n  <<: *x\n", {"a": {"c": 1}, "b": {"c": 2}}, "a: &x {c: 1}\nb:\n  <<: *x\n  c: 2\n"),
            ("a: 5e5\n", {"a": 500000}, "a: 5e5\n"),
        ],
    )
    def test_only_what_differs_changes(self, text: str, wanted: dict[str, object], expected: str) -> None:
        assert splice(text, wanted, {}) == expected
        assert same(yaml.safe_load(expected), wanted)

    def test_nothing_is_ever_removed(self) -> None:
        assert splice("a: 1\nb: 2\n", {"a": 1}, {}) is None

    def test_a_note_stands_where_there_is_room_for_it(self) -> None:
        assert splice("a: 1  # mine\n", {"a": 2}, {("a",): "ours"}) == "a: 2  # mine; ours\n"
