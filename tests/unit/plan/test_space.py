"""Knobs and their legal combinations."""

from __future__ import annotations

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.knob_values import knob_values
from sweeper.model.findings import FindingKind
from sweeper.model.trial import configuration_key
from sweeper.plan.derived import LEARNER_MEMORY_BYTES, MEMORY_PER_ENV_BYTES
from sweeper.plan.rules import Rules
from sweeper.plan.space import MOST_JUDGED, Space
from tests.helpers.builders import GIB, PPO, config_of, params_of, space_of

MEMORY = """\
behaviors:
  A:
    trainer_type: ppo
    hyperparameters: {batch_size: 128, buffer_size: 2048}
    network_settings: {memory: {sequence_length: 64}}
"""
BUILD = "env_path: b\n"


def test_legal_params() -> None:
    assert Rules(config_of(), True).refusal(params_of(8, 16, 2048)) is None


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"num_envs": 0}, "num_envs must be a whole number from 1, not 0"),
        ({"num_envs": True}, "num_envs must be a whole number from 1, not True"),
        ({"num_envs": 1.5}, "num_envs must be a whole number from 1, not 1.5"),
        ({"num_areas": "many"}, "num_areas must be a whole number from 1, not 'many'"),
        ({"num_areas": None}, "num_areas must be a whole number from 1, not None"),
        ({"batch_size": 512.5}, "batch_size must be a whole number, not 512.5"),
        ({"time_horizon": 0.5}, "time_horizon must be a whole number, not 0.5"),
        ({"threaded": 1}, "threaded must be true or false, not 1"),
        (
            {"batch_size": 2049},
            "batch_size 2049 is above buffer_size 2048 of behaviour Car: "
            "the learner would train without a single update, and without a word",
        ),
        ({"batch_size": "big"}, "hyperparameters.batch_size: expected a number, not 'big'"),
    ],
)
def test_refusals(params: dict[str, object], reason: str) -> None:
    assert str(Rules(config_of(), True).refusal(params)).endswith(reason)


def test_the_editor_is_one_environment() -> None:
    rules = Rules(config_of(), has_build=False)
    assert rules.refusal({"num_envs": 1, "num_areas": 4}) is None
    assert rules.refusal({"num_envs": 2}) == (
        "num_envs is 2, but the Editor is one environment: num_envs above 1 needs a build (env_path); "
        "num_areas works in the Editor, too"
    )


def test_a_learner_without_areas() -> None:
    rules = Rules(config_of(), True, accepts_areas=False)
    assert rules.refusal({"num_areas": 1}) is None
    assert "has no --num-areas" in str(rules.refusal({"num_areas": 2}))


def test_batch_and_buffer_may_both_be_searched() -> None:
    rules = Rules(config_of(), True)
    assert rules.refusal({"batch_size": 4096, "hyperparameters.buffer_size": 4096}) is None
    assert "above buffer_size 1024" in str(rules.refusal({"batch_size": 2048, "hyperparameters.buffer_size": 1024}))


def test_the_strictest_behaviour_decides() -> None:
    text = PPO + "  Bus: {trainer_type: ppo, hyperparameters: {batch_size: 128, buffer_size: 256}}\n"
    assert "of behaviour Bus" in str(Rules(config_of(text), True).refusal({"batch_size": 512}))


def test_memory_bounds_the_batch_from_below() -> None:
    rules = Rules(config_of(MEMORY), True)
    assert rules.refusal({"batch_size": 64}) is None
    assert rules.refusal({"batch_size": 32}) == (
        "batch_size 32 is below sequence_length 64 of behaviour A, which the learner refuses"
    )


def test_what_the_learner_would_alter_is_not_searched() -> None:
    rules = Rules(config_of(MEMORY), True)
    assert rules.alteration({"batch_size": 128}) is None
    assert rules.alteration({"batch_size": 100}) == (
        "batch_size 100 is not a multiple of sequence_length 64: the learner would silently use 64"
    )
    space = space_of(BUILD + "space: {batch_size: [64, 100, 128]}\n", MEMORY)
    assert [params["batch_size"] for params in space.combinations()] == [64, 128]


def test_combinations_are_the_legal_ones_in_order() -> None:
    space = space_of(BUILD + "space: {num_envs: [1, 2], batch_size: [1024, 4096]}\n")
    assert list(space.combinations()) == [
        {"num_envs": 1, "batch_size": 1024, "num_areas": 1, "threaded": False},
        {"num_envs": 2, "batch_size": 1024, "num_areas": 1, "threaded": False},
    ]
    assert space.size == 4


def test_contains() -> None:
    space = space_of(BUILD + "baseline: {num_envs: 3}\nspace: {num_envs: [1, 2]}\n")
    assert space.contains(params_of(2))
    assert not space.contains(space.baseline)


def test_smallest_has_fewest_environments_then_areas() -> None:
    space = space_of(BUILD + "space: {num_envs: [4, 2], num_areas: [8, 1, 4], batch_size: [256, 64]}\n")
    assert space.smallest() == {"num_envs": 2, "num_areas": 1, "batch_size": 64, "threaded": False}


def test_an_empty_space_says_which_rule_forbids_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        space_of(BUILD + "space: {batch_size: [4096]}\n")
    assert str(caught.value).startswith(
        "/somewhere/study.yaml:5: space.batch_size: no combination is legal; for one, batch_size 4096 is above "
    )


def test_an_illegal_baseline_is_refused_where_it_stands() -> None:
    with pytest.raises(InvalidInput) as caught:
        space_of("baseline:\n  num_envs: 4\nspace: {num_areas: [1, 2]}\n")
    assert str(caught.value).startswith(
        "/somewhere/study.yaml:5: baseline.num_envs: the settings you run today cannot be measured: num_envs is 4"
    )


def test_the_baseline_is_what_is_stated_over_the_trainer_config() -> None:
    space = space_of(
        BUILD + "baseline: {batch_size: 64}\nspace: {time_horizon: [32, 64]}\n", PPO + "env_settings: {num_envs: 3}\n"
    )
    assert dict(space.baseline) == {
        "num_envs": 3, "num_areas": 1, "batch_size": 64, "threaded": False, "time_horizon": None,
    }  # fmt: skip
    assert space.baseline_stated
    assert space.notes == ()


def test_a_baseline_from_the_trainer_config_is_said() -> None:
    space = space_of(BUILD + "space: {num_envs: [1, 2]}\n")
    assert not space.baseline_stated
    assert [note.kind for note in space.notes] == [FindingKind.BASELINE_FROM_CONFIG]


def test_in_the_editor_the_configs_environments_do_not_count() -> None:
    space = space_of("space: {num_areas: [1, 2]}\n", PPO + "env_settings: {num_envs: 8}\n")
    assert space.baseline["num_envs"] == 1


def test_a_derived_space() -> None:
    space = space_of(BUILD, cores=8)
    assert dict(space.knobs) == {
        "num_envs": (1, 2, 3, 4, 6, 8, 12, 16),
        "num_areas": (1, 2, 4, 8, 16),
        "batch_size": (64, 128, 256, 512),
        "threaded": (False, True),
    }
    assert [note.kind for note in space.notes] == [FindingKind.SPACE_DERIVED, FindingKind.BASELINE_FROM_CONFIG]
    assert sum(1 for _ in space.combinations()) == space.size == 320


TENFOLD = PPO.replace("2048", "1280")


def test_a_derived_space_goes_without_what_arithmetic_refuses() -> None:
    """Public configs have ten minibatches in a buffer; four times the batch leaves two, and 25 % are asked for."""
    space = space_of(BUILD, TENFOLD)
    assert space.knobs["batch_size"] == (64, 128, 256)
    (note,) = (note for note in space.notes if note.kind is FindingKind.BATCHES_REFUSED)
    assert note.values == {"sizes": (512,), "share_percent": 20.0, "least_percent": 25.0, "left_out": True}


def test_a_named_space_keeps_what_arithmetic_refuses_and_says_so() -> None:
    space = space_of(BUILD + "space: {batch_size: [128, 512, 1024]}\n", TENFOLD)
    assert space.knobs["batch_size"] == (128, 512, 1024)
    (note,) = (note for note in space.notes if note.kind is FindingKind.BATCHES_REFUSED)
    assert (note.values["sizes"], note.values["left_out"]) == ((512, 1024), False)


def test_a_derived_space_respects_memory_cores_editor_and_buffer() -> None:
    cap = LEARNER_MEMORY_BYTES + 3 * MEMORY_PER_ENV_BYTES
    assert space_of(BUILD, cores=8, cap=cap).knobs["num_envs"] == (1, 2, 3)
    assert "num_envs" not in space_of(BUILD, cores=8, cap=1024**2).knobs
    assert space_of(BUILD, cores=1).knobs["num_envs"] == (1, 2)
    assert space_of(BUILD, cores=500, cap=900 * GIB).knobs["num_envs"][-1] == 64
    assert "num_envs" not in space_of("", cores=8).knobs
    assert "num_areas" not in space_of(BUILD, areas=False).knobs
    tight = PPO.replace("2048", "256")
    assert space_of(BUILD, tight).knobs["batch_size"] == (64, 128, 256)


def test_a_derived_space_follows_the_sequence_length() -> None:
    assert space_of(BUILD, MEMORY).knobs["batch_size"] == (64, 128, 256, 512)


def test_a_derived_space_is_in_whole_sequences() -> None:
    text = MEMORY.replace("batch_size: 128", "batch_size: 200")
    assert space_of(BUILD + "min_updates: off\n", text).knobs["batch_size"] == (64, 192, 384, 768)


@pytest.mark.parametrize(
    ("study", "config"),
    [
        (BUILD + "min_updates: off\n", TENFOLD),
        (BUILD + "min_updates: 20%\n", TENFOLD),
        (BUILD + "min_updates: 22%\n", TENFOLD),
        (BUILD, TENFOLD.replace("ppo", "sac")),
    ],
)
def test_a_derived_space_goes_without_no_other_batches(study: str, config: str) -> None:
    space = space_of(study, config)
    assert space.knobs["batch_size"] == (64, 128, 256, 512)
    assert FindingKind.BATCHES_REFUSED not in [note.kind for note in space.notes]


def test_the_behaviour_that_would_learn_least_decides() -> None:
    assert space_of(BUILD, PPO + TENFOLD[TENFOLD.index("  Car") :].replace("Car", "Bus")).knobs["batch_size"][-1] == 256


@pytest.mark.parametrize(
    ("extra", "searched"),
    [("self_play: {window: 10}", False), ("self_play: {}", False), ("self_play: null", True)],
)
def test_a_derived_space_offers_no_threads_with_self_play(extra: str, searched: bool) -> None:
    space = space_of(BUILD, f"{PPO}    {extra}\n")
    assert ("threaded" in space.knobs) is searched
    assert (FindingKind.THREADED_NOT_DERIVED in [note.kind for note in space.notes]) is not searched


def test_who_runs_threads_with_self_play_may_learn_to_do_without() -> None:
    assert space_of(BUILD, f"{PPO}    self_play: {{}}\n    threaded: true\n").knobs["threaded"] == (False, True)


def left_out(space: Space) -> list[dict[str, object]]:
    return [dict(note.values) for note in space.notes if note.kind is FindingKind.COMBINATIONS_LEFT_OUT]


class TestWhatIsLeftOutIsSaid:
    def test_environments_without_a_build(self) -> None:
        (found,) = left_out(space_of("space: {num_envs: [1, 2, 4], num_areas: [1, 4]}\n"))
        example = str(found.pop("example"))
        assert found == {"left_out": 4, "combinations": 6, "knob": "num_envs", "lost": ("2", "4")}
        assert example.startswith("num_envs is 2, but the Editor is one environment")

    def test_in_a_space_too_large_to_list(self) -> None:
        text = "space: {num_envs: [1, 2], batch_size: {low: 1, high: 1000}, time_horizon: {low: 1, high: 10}}\n"
        (found,) = left_out(space_of(text))
        assert (found["left_out"], found["knob"], found["lost"]) == (None, "num_envs", ("2",))

    def test_pairs_that_do_not_go_together(self) -> None:
        text = BUILD + "space: {batch_size: [64, 512], hyperparameters.buffer_size: [256, 1024]}\n"
        (found,) = left_out(space_of(text))
        assert (found["left_out"], found["combinations"], found["knob"]) == (1, 4, None)
        assert "above buffer_size 256" in str(found["example"])

    def test_nothing_where_all_are_legal(self) -> None:
        assert left_out(space_of(BUILD + "space: {num_envs: [1, 2]}\n")) == left_out(space_of("")) == []


def test_environments_of_a_config_that_nobody_can_launch_are_told() -> None:
    space = space_of("space: {num_areas: [1, 2]}\n", PPO + "env_settings: {num_envs: 8}\n")
    note = next(note for note in space.notes if note.kind is FindingKind.ENVS_NEED_A_BUILD)
    assert note.values == {"num_envs": 8}


def test_a_derived_space_leaves_out_a_batch_in_which_behaviours_differ() -> None:
    text = PPO + "  Bus: {trainer_type: ppo, hyperparameters: {batch_size: 64, buffer_size: 2048}}\n"
    space = space_of(BUILD, text)
    assert "batch_size" not in space.knobs
    assert space.baseline["batch_size"] is None


def wide(batch: str, buffer: str) -> str:
    return (
        "env_path: build.x86_64\nbaseline: {num_envs: 1}\n"
        f"space: {{batch_size: {batch}, hyperparameters.buffer_size: {buffer}}}\n"
    )


def test_a_huge_space_without_a_legal_combination_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    problem = Space.problem
    monkeypatch.setattr(Space, "problem", lambda self, params: judged.append(1) or problem(self, params))
    with pytest.raises(InvalidInput, match="no combination is legal"):
        space_of(wide("{low: 5000, high: 5999}", "{low: 1000, high: 1999}"))
    assert len(judged) <= MOST_JUDGED + 10


def test_a_huge_space_whose_legal_combinations_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    problem = Space.problem
    monkeypatch.setattr(Space, "problem", lambda self, params: judged.append(1) or problem(self, params))
    space = space_of(wide("{low: 1000, high: 1999}", "{low: 1, high: 1000}"))
    assert len(judged) <= 4
    assert space.smallest() == {**space.baseline, "batch_size": 1000, "hyperparameters.buffer_size": 1000}


def test_whole_numbers_are_one_value() -> None:
    assert configuration_key({"batch_size": 512.0}) == configuration_key({"batch_size": 512})
    assert configuration_key({"threaded": True}) != configuration_key({"threaded": 1})
    with pytest.raises(ValueError, match="twice"):
        knob_values([512, 512.0])
    space = space_of("env_path: build.x86_64\nspace: {batch_size: [512.0, 1024]}\n")
    assert [type(value) for value in space.knobs["batch_size"]] == [int, int]


@pytest.mark.parametrize(
    ("config", "study", "said", "mend"),
    [
        (
            PPO.replace("128", "4096"),
            BUILD,
            "/somewhere/car.yaml:5: behaviors.Car.hyperparameters.batch_size: ",
            "lower",
        ),
        (PPO.replace("      batch_size: 128\n", "").replace("2048", "512"), BUILD, "/somewhere/car.yaml:5: ", "raise"),
        (
            PPO.replace("128", "4096"),
            BUILD + "baseline: {num_envs: 2}\n",
            "/somewhere/car.yaml:5: behaviors.Car.hyperparameters.batch_size: the settings you run today",
            "lower",
        ),
        (
            PPO,
            BUILD + "baseline:\n  num_envs: 2\n  batch_size: 4096\n",
            "/somewhere/study.yaml:7: baseline.batch_size: the settings you run today cannot be measured: batch_size",
            "lower",
        ),
        (
            "default_settings:\n  trainer_type: ppo\n  hyperparameters:\n    batch_size: 64\n    buffer_size: 32\n",
            BUILD,
            "/somewhere/car.yaml:4: default_settings.hyperparameters.batch_size: the settings",
            "raise",
        ),
    ],
)
def test_settings_of_today_are_refused_where_they_stand(config: str, study: str, said: str, mend: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        space_of(study, config)
    assert str(caught.value).startswith(said)
    assert mend in str(caught.value.hint)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            "  num_envs: [1, 2]\n  hyperparameters.bufer_size: [1, 2]\n",
            "/somewhere/study.yaml:7: space.hyperparameters.bufer_size: no combination is legal; for one, "
            "hyperparameters.bufer_size: unknown hyperparameter (did you mean 'buffer_size'?)",
        ),
        (
            "  batch_size: [-1]\n",
            "/somewhere/study.yaml:6: space.batch_size: no combination is legal; for one, hyperparameters.batch_size: "
            "must be at least 1, not -1",
        ),
    ],
)
def test_what_no_value_is_legal_of_is_named_where_it_stands(space: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        space_of(f"{BUILD}space:\n{space}")
    assert str(caught.value) == said


def test_a_value_that_is_left_out_is_not_said_to_stand_in_the_trainer_config() -> None:
    (note,) = [note for note in space_of(f"{BUILD}space: {{batch_size: [-1, 64]}}\n").notes if note.values.get("lost")]
    assert note.values["example"] == "hyperparameters.batch_size: must be at least 1, not -1"
