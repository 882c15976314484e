"""The study file: every default, every refusal."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.errors import ExitCode, InvalidInput
from sweeper.inputs.study_file import Engine, Measure, StudyFile, json_schema, read_study
from sweeper.inputs.study_limits import Budget, MemoryCap, parse_budget, parse_memory_cap
from sweeper.model.trial import LearnerStart
from tests.helpers.builders import STUDY_HEAD, study_of

Refused = Callable[..., str]
Write = Callable[[str, str], Path]

EXAMPLE = """\
version: 1
name: racer
trainer_config: Car_ppo.yaml        # an ordinary ML-Agents config, read, never modified
env_path: ../Builds/AutonomousRacer # a Unity build
learner: mlagents-learn             # or the path of one in another environment
baseline: {num_envs: 1}             # what you run today
memory_cap: 8GiB                    # or a share of what is available
budget: 20m                         # or {time: 8h, trials: 60}
space:
  num_envs: {low: 1, high: 8}
  num_areas: [1, 4, 16]
  batch_size: [128, 256, 512, 1024]
  threaded: [false, true]
  # hyperparameters.buffer_size: [2048, 10240]
min_updates: 25%                    # learning guard
engine: {no_graphics: true, time_scale: 20}
env_args: []                        # passed to the player
initialize_from: null               # a trained run to measure with
measure: {precision: 2.5%, max_seconds: 120}
"""


def test_the_example_of_the_interface(write: Write) -> None:
    study = read_study(write("study.yaml", EXAMPLE))
    spec = study.spec
    assert (spec.version, spec.name, spec.trainer_config) == (1, "racer", "Car_ppo.yaml")
    assert spec.baseline == {"num_envs": 1}
    assert spec.memory_cap == MemoryCap(bytes=8 * 1024**3)
    assert spec.budget == Budget(1200.0)
    assert spec.space == {
        "num_envs": (1, 2, 3, 4, 5, 6, 7, 8),
        "num_areas": (1, 4, 16),
        "batch_size": (128, 256, 512, 1024),
        "threaded": (False, True),
    }
    assert spec.min_updates == 0.25
    assert spec.engine == Engine(no_graphics=True, time_scale=20)
    assert (spec.env_args, spec.initialize_from) == ([], None)
    assert spec.measure == Measure(precision=0.025, max_seconds=120.0)
    assert study.has_build
    assert not study.uses_demo_build
    assert study.resolve(spec.trainer_config) == study.path.parent / "Car_ppo.yaml"


def test_every_default(write: Write) -> None:
    study = read_study(write("study.yaml", STUDY_HEAD))
    spec = study.spec
    assert spec.model_dump(
        exclude={"version", "name", "trainer_config", "memory_cap", "gpu_memory_cap", "budget", "engine", "measure"}
    ) == {
        "env_path": None,
        "learner": "mlagents-learn",
        "baseline": None,
        "space": None,
        "min_updates": 0.25,
        "env_args": [],
        "initialize_from": None,
        "sampler": "phase",
        "learner_start": LearnerStart.WARM,
    }
    assert spec.memory_cap == MemoryCap(share=0.8)
    assert spec.gpu_memory_cap == MemoryCap(share=0.9)
    assert spec.budget == Budget(seconds=1200.0, trials=None)
    assert set(spec.engine.model_dump().values()) == {None}
    assert spec.measure.model_dump() == {
        "precision": 0.02,
        "min_seconds": None,
        "max_seconds": None,
        "max_startup_seconds": 180.0,
        "max_play_wait_seconds": 600.0,
        "max_stall_seconds": 90.0,
        "contention": "void",
    }
    assert not study.has_build


@pytest.mark.parametrize(
    ("measure", "budget_seconds", "limits"),
    [
        ("{}", 8 * 3600, (45, 120)),
        ("{}", 1200, (45, 60)),
        ("{}", 600, (22.5, 30)),
        ("{}", 60, (15, 20)),  # what else could be measured in such a study?
        ("{min_seconds: 90}", 1200, (90, 120)),
        ("{min_seconds: 3m}", 1200, (180, 240)),
        ("{max_seconds: 100}", 1200, (45, 100)),
        ("{max_seconds: 30}", 1200, (22.5, 30)),
        ("{min_seconds: 10, max_seconds: 15}", 8 * 3600, (10, 15)),
    ],
)
def test_what_is_left_out_follows_the_budget(
    write: Write, measure: str, budget_seconds: float, limits: tuple[float, float]
) -> None:
    spec = read_study(write("study.yaml", STUDY_HEAD + f"measure: {measure}\n")).spec
    assert spec.measure.limits(budget_seconds) == limits


def test_paths_are_relative_to_the_study_file(write: Write, tmp_path: Path) -> None:
    study = read_study(write("study.yaml", STUDY_HEAD))
    assert study.resolve("../x.yaml") == tmp_path / "../x.yaml"
    assert study.resolve("/abs/x.yaml") == Path("/abs/x.yaml")
    assert study.resolve("~/x.yaml") == Path("~/x.yaml").expanduser()


def test_the_demo_build() -> None:
    assert study_of("env_path: demo:racer\n").uses_demo_build


@pytest.mark.parametrize(
    ("written", "share"),
    [("off", None), ("'off'", None), ("false", None), ("null", None), ("40%", 0.4), ("0.4", 0.4), ("1", 1.0)],
)
def test_min_updates(written: str, share: float | None) -> None:
    assert study_of(f"min_updates: {written}\n").spec.min_updates == share


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("[5e2, 1e3]", (500, 1000)),
        ("{low: 1, high: 4}", (1, 2, 3, 4)),
        ("{low: 1, high: 10, step: 4}", (1, 5, 9)),
        ("{low: 1, high: 9, log: true}", (1, 2, 4, 8)),
        ("{low: 64, high: 5e2, log: true}", (64, 128, 256)),
        ("{low: 3, high: 3}", (3,)),
        ("{low: 0.5, high: 1.5, step: 0.5}", (0.5, 1.0, 1.5)),
        ("8", (8,)),
        ("[linear, constant]", ("linear", "constant")),
        ("[false, true]", (False, True)),
    ],
)
def test_values_of_a_knob(written: str, values: tuple[Any, ...]) -> None:
    spec = study_of(f"space:\n  hyperparameters.x: {written}\n").spec
    assert spec.space == {"hyperparameters.x": values}
    assert [type(value) for value in spec.space["hyperparameters.x"]] == [type(value) for value in values]


@given(st.integers(-50, 50), st.integers(0, 300), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_a_range_is_what_python_says(low: int, width: int, step: int) -> None:
    text = f"space: {{time_horizon: {{low: {low}, high: {low + width}, step: {step}}}}}\n"
    assert study_of(text).spec.space == {"time_horizon": tuple(range(low, low + width + 1, step))}


def test_a_range_of_fractions_holds_what_a_person_would_write() -> None:
    written = "{low: 0.1, high: 0.5, step: 0.1}"
    values = study_of(f"space:\n  hyperparameters.x: {written}\n").spec.space["hyperparameters.x"]
    assert values == pytest.approx((0.1, 0.2, 0.3, 0.4, 0.5))


def test_a_range_of_fractions_is_rounded() -> None:
    values = study_of("space:\n  hyperparameters.x: {low: 0.1, high: 0.5, step: 0.1}\n").spec.space["hyperparameters.x"]
    assert values == (0.1, 0.2, 0.3, 0.4, 0.5)


@pytest.mark.parametrize(
    ("written", "cap"),
    [("8GiB", MemoryCap(bytes=8 * 1024**3)), ("500MB", MemoryCap(bytes=500_000_000)), ("50%", MemoryCap(share=0.5))],
)
def test_memory_cap(written: str, cap: MemoryCap) -> None:
    assert study_of(f"memory_cap: {written}\n").spec.memory_cap == cap
    assert parse_memory_cap(cap) is cap


@pytest.mark.parametrize("key", ["memory_cap", "gpu_memory_cap"])
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("8", "expected a unit, as in 8GiB, 500MB or 80%, not 8"),
        ("'8'", "expected a unit, as in 8GiB, 500MB or 80%, not '8'"),
        ("8589934592", "expected a unit, as in 8GiB, 500MB or 80%, not 8589934592"),
        ("8e9", "expected a unit, as in 8GiB, 500MB or 80%, not '8e9'"),
        ("8kB", "expected 64MiB or more, not '8kB': no trial runs in that"),
        ("63MiB", "expected 64MiB or more, not '63MiB': no trial runs in that"),
        ("0.5%", "expected 1% or more, not '0.5%': no trial runs in that"),
    ],
)
def test_a_memory_cap_that_is_a_slip_of_the_pen(refused: Refused, key: str, written: str, said: str) -> None:
    assert refused(f"{key}: {written}\n") == f"study.yaml:4: {key}: {said}"


@pytest.mark.parametrize("written", ["64MiB", "8GiB", "12.5%", "1%"])
def test_a_memory_cap_is_written_as_it_is_read(written: str) -> None:
    spec = study_of(f"memory_cap: {written}\n").spec
    assert parse_memory_cap(spec.model_dump()["memory_cap"]) == spec.memory_cap


def test_memory_cap_resolves() -> None:
    assert MemoryCap(share=0.8).resolve(1000) == 800
    assert MemoryCap(bytes=77).resolve(1000) == 77


def test_budget() -> None:
    assert study_of("budget: {time: 8h, trials: 60}\n").spec.budget == Budget(28800.0, 60)
    assert study_of("budget: 90\n").spec.budget == Budget(90.0)
    assert parse_budget(Budget(5.0)) == Budget(5.0)


def test_a_number_of_trials_alone_is_a_budget() -> None:
    spec = study_of("budget: {trials: 60}\n").spec
    assert spec.budget == Budget(math.inf, 60)
    assert spec.budget.told_seconds is None
    assert spec.measure.limits(spec.budget.seconds) == (45.0, 120.0)
    assert spec.model_dump(mode="json")["budget"] == {"time": None, "trials": 60}


def test_env_args_become_text() -> None:
    assert study_of("env_args: [--laps, 3]\n").spec.env_args == ["--laps", "3"]


# The head of a refused study holds lines 1 to 3, so the text starts at line 4.
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memory_kap: 8GiB\n", "study.yaml:4: memory_kap: unknown key (did you mean 'memory_cap'?)"),
        ("zzz: 1\n", "study.yaml:4: zzz: unknown key"),
        ("engine:\n  no_grafics: true\n", "study.yaml:5: engine.no_grafics: unknown key (did you mean 'no_graphics'?)"),
        ("measure:\n  precison: 1%\n", "study.yaml:5: measure.precison: unknown key (did you mean 'precision'?)"),
        (
            "space:\n  num_envs: [1]\n  batchsize: [1]\n",
            "study.yaml:6: space.batchsize: unknown knob (did you mean 'batch_size'?)",
        ),
        (
            "space:\n  hyperparameters: [1]\n",
            "study.yaml:5: space.hyperparameters: a section, not a setting; name one that is in it, such as "
            "hyperparameters.buffer_size",
        ),
        (
            "baseline: {self_play: 1}\n",
            "study.yaml:4: baseline.self_play: a section, not a setting; "
            "name one that is in it, such as self_play.team_change",
        ),
        ("baseline: {num_env: 1}\n", "study.yaml:4: baseline.num_env: unknown knob (did you mean 'num_envs'?)"),
        (
            "space:\n  hyperparameters.batch_size: [1]\n",
            "study.yaml:5: space.hyperparameters.batch_size: write the short name 'batch_size'",
        ),
        (
            "space:\n  max_steps: [1]\n",
            "study.yaml:5: space.max_steps: this setting is out of a trial's hands: "
            "sweeper sets it so that it does not disturb",
        ),
        (
            "space: {}\n",
            "study.yaml:4: space: this space is empty; name a knob, or leave `space` out to have one derived",
        ),
        ("space:\n  num_envs: []\n", "study.yaml:5: space.num_envs: this knob has no values"),
        ("space:\n  num_envs: [1, 1]\n", "study.yaml:5: space.num_envs: a value is given twice"),
        ("space:\n  num_envs: [1, '1e0']\n", "study.yaml:5: space.num_envs: a value is given twice"),
        ("space:\n  num_envs: {low: 8, high: 1}\n", "study.yaml:5: space.num_envs: low (8) is above high (1)"),
        (
            "space:\n  num_envs: {low: 1, hihg: 8}\n",
            "study.yaml:5: space.num_envs: expected a list of values, or {low: 1, high: 8} with an optional step, "
            "or log: true",
        ),
        (
            "space:\n  num_envs: {low: 1, high: 1e9}\n",
            "study.yaml:5: space.num_envs: 1,000,000,000 values are more than the 1000 that a knob may have; "
            "give a step",
        ),
        (
            "space:\n  num_envs: {low: 0, high: 8, log: true}\n",
            "study.yaml:5: space.num_envs: a log range starts above 0",
        ),
        (
            "space:\n  num_envs: {low: 1, high: 8, step: 2, log: true}\n",
            "study.yaml:5: space.num_envs: a log range doubles from value to value and has no step; "
            "leave step or log out",
        ),
        (
            "space:\n  num_envs: {low: 1, high: 8, step: 0}\n",
            "study.yaml:5: space.num_envs: step must be above 0, not 0",
        ),
        (
            "space:\n  time_horizon: {low: 0.5, high: 8}\n",
            "study.yaml:5: space.time_horizon: a range of fractions needs a step",
        ),
        ("space:\n  num_envs:\n", "study.yaml:5: space.num_envs: expected a number, true, false or a word, not None"),
        (
            "space:\n  num_envs: [[1]]\n",
            "study.yaml:5: space.num_envs: expected a number, true, false or a word, not [1]",
        ),
        (
            "baseline:\n  num_envs: [1]\n",
            "study.yaml:5: baseline.num_envs: expected a number, true, false or a word, not [1]",
        ),
        ("budget: soon\n", "study.yaml:4: budget: expected a duration such as 90s, 20m or 8h, not 'soon'"),
        ("budget: 0\n", "study.yaml:4: budget: expected a duration above zero, not 0"),
        (
            "budget: {}\n",
            "study.yaml:4: budget: expected a duration such as 20m, {time: 8h, trials: 60}, or {trials: 60} alone",
        ),
        ("budget: {time: }\n", "study.yaml:4: budget: expected a duration or a number of trials at the least"),
        ("budget: {time: 1h, trials: 0}\n", "study.yaml:4: budget: trials: expected a whole number from 1, not 0"),
        (
            "budget: {time: 1h, trials: true}\n",
            "study.yaml:4: budget: trials: expected a whole number from 1, not True",
        ),
        (
            "memory_cap: lots\n",
            "study.yaml:4: memory_cap: expected an amount of memory such as 8GiB or 500MB, not 'lots'",
        ),
        ("memory_cap: 120%\n", "study.yaml:4: memory_cap: expected a share above 0% and up to 100%, not '120%'"),
        ("min_updates: 120%\n", "study.yaml:4: min_updates: expected a share above 0% and up to 100%, not '120%'"),
        ("min_updates: true\n", "study.yaml:4: min_updates: expected a share such as 25% or 0.25, not True"),
        (
            "measure:\n  precision: fine\n",
            "study.yaml:5: measure.precision: expected a share such as 25% or 0.25, not 'fine'",
        ),
        (
            "measure:\n  max_seconds: -1\n",
            "study.yaml:5: measure.max_seconds: expected a duration above zero, not -1",
        ),
        (
            "measure: {min_seconds: 60, max_seconds: 30}\n",
            "study.yaml:4: measure: min_seconds (60) is more than max_seconds (30)",
        ),
        ("engine:\n  time_scale: 0\n", "study.yaml:5: engine.time_scale: Input should be greater than 0"),
        (
            "engine:\n  width: 1.5\n",
            "study.yaml:5: engine.width: Input should be a valid integer, got a number with a fractional part",
        ),
        ("env_args: --fast\n", "study.yaml:4: env_args: Input should be a valid list"),
        (
            "env_path: 5\n",
            "study.yaml:4: env_path: expected text, and YAML reads this as 5, which is none; write it in quotes",
        ),
        ("space: [num_envs]\n", "study.yaml:4: space: expected keys with values, not ['num_envs']"),
        ("measure: [1, 2]\n", "study.yaml:4: measure: expected keys with values, not [1, 2]"),
    ],
)
def test_bad_values_are_refused_where_they_stand(refused: Refused, text: str, message: str) -> None:
    assert refused(text) == message


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("name: x\ntrainer_config: c\n", "study.yaml:1: version: this key is required"),
        ("version: 1\ntrainer_config: c\n", "study.yaml:1: name: this key is required"),
        ("version: 1\nname: x\n", "study.yaml:1: trainer_config: this key is required"),
        ("name: x\ntrainer_config: c\nversion: 2\n", "study.yaml:3: version: Input should be 1"),
        (
            "version: 1\nname: a/b\ntrainer_config: c\n",
            "study.yaml:2: name: expected a name of letters, digits, '.', '_' and '-', not 'a/b'",
        ),
        (
            "version: 1\nname: 5\ntrainer_config: c\n",
            "study.yaml:2: name: expected a name, and YAML reads this as 5, which is none; write it in quotes",
        ),
    ],
)
def test_bad_heads(refused: Refused, head: str, message: str) -> None:
    assert refused("", head) == message


@pytest.mark.parametrize("name", ["..", ".hidden", "-x", "a b", "é", "a\\b"])
def test_names_that_are_no_folder_names(refused: Refused, name: str) -> None:
    assert "expected a name" in refused("", f"version: 1\nname: '{name}'\ntrainer_config: c\n")


def test_every_mistake_has_its_line(refused: Refused) -> None:
    lines = refused("budget: soon\nmemory_cap: lots\nzzz: 1\n").splitlines()
    assert [line.split(":")[1] for line in lines] == ["5", "4", "6"]


def test_the_exit_code_and_the_hint(write: Write) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_study(write("study.yaml", STUDY_HEAD + "zzz: 1\n"))
    assert caught.value.exit_code is ExitCode.INVALID_INPUT
    assert "sweeper schema" in str(caught.value.hint)


def test_a_key_that_is_not_text(refused: Refused) -> None:
    assert refused("space:\n  1: [2]\n") == "study.yaml:5: 1: YAML reads this key as a number, and keys are words"


@pytest.mark.parametrize(
    ("key", "kind"), [("yes", "true or false"), ("3", "a number"), ("~", "nothing"), ("2020-01-01", "a date")]
)
def test_a_key_that_is_no_word_is_named_where_it_stands(refused: Refused, key: str, kind: str) -> None:
    assert refused(f"{key}: x\n") == f"study.yaml:4: {key}: YAML reads this key as {kind}, and keys are words"
    assert refused(f"engine:\n  {key}: x\n").startswith(f"study.yaml:5: {key}: ")


def test_a_name_that_is_too_long(write: Write) -> None:
    path = write("study.yaml", f"version: 1\nname: {'a' * 300}\ntrainer_config: car.yaml\n")
    with pytest.raises(InvalidInput, match="name: expected 80 characters at most, and these are 300"):
        read_study(path)


@pytest.mark.parametrize("knob", ["summary_freq", "checkpoint_interval", "keep_checkpoints", "init_path"])
def test_settings_that_are_not_searched(refused: Refused, knob: str) -> None:
    assert "out of a trial's hands" in refused(f"space: {{{knob}: [1, 2]}}\n")


def test_even_checkpoints_is_not_searched(refused: Refused) -> None:
    assert "out of a trial's hands" in refused("space: {even_checkpoints: [false, true]}\n")


@pytest.mark.parametrize("knob", ["hyperparameters", "network_settings", "reward_signals", "hyperparameters."])
def test_a_section_is_no_knob(refused: Refused, knob: str) -> None:
    assert "a section, not a setting" in refused(f"space: {{{knob}: [1, 2]}}\n")


def test_a_setting_without_its_section_is_no_knob(refused: Refused) -> None:
    assert "unknown knob" in refused("space: {buffer_size: [1, 2]}\n")


def test_a_log_that_is_neither_true_nor_false(refused: Refused) -> None:
    assert "log" in refused("space: {num_envs: {low: 1, high: 8, log: 2}}\n")


def test_an_endless_range(refused: Refused) -> None:
    assert "more than the 1000" in refused("space: {num_envs: {low: 1, high: 1e18, step: 1e-5}}\n")


def test_the_schema_names_every_key() -> None:
    schema = json_schema()
    assert schema["type"] == "object"
    assert set(schema["properties"]) == set(StudyFile.model_fields)
    assert schema["required"] == ["version", "name", "trainer_config"]
    assert schema["additionalProperties"] is False
    assert set(schema["$defs"]["Engine"]["properties"]) == set(Engine.model_fields)
    assert set(schema["$defs"]["Measure"]["properties"]) == set(Measure.model_fields)
    assert schema["properties"]["space"]["anyOf"][0]["additionalProperties"]["anyOf"][1]["required"] == ["low", "high"]
    assert json.loads(json.dumps(schema)) == schema


def test_the_schema_knows_the_bounds() -> None:
    schema = json_schema()
    measure, own = schema["$defs"]["Measure"]["properties"], schema["properties"]
    quantity = {"type": ["string", "number"], "exclusiveMinimum": 0}
    assert quantity.items() <= measure["max_startup_seconds"].items()
    assert {**quantity, "maximum": 1}.items() <= measure["precision"].items()
    assert {**quantity, "maximum": 1} in own["min_updates"]["anyOf"]
    assert own["budget"]["anyOf"][1]["minProperties"] == 1
    assert own["budget"]["anyOf"][1]["properties"] == {"time": quantity, "trials": {"type": "integer", "minimum": 1}}


def test_the_defaults_in_the_schema_can_be_written() -> None:
    properties = json_schema()["properties"]
    assert parse_memory_cap(properties["memory_cap"]["default"]) == MemoryCap(share=0.8)
    assert parse_budget(properties["budget"]["default"]) == Budget(1200.0)


@given(
    st.dictionaries(
        st.sampled_from([*StudyFile.model_fields, "zzz"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=8),
            st.lists(st.integers(), max_size=3),
            st.dictionaries(st.sampled_from(["low", "high", "time", "num_envs"]), st.integers(0, 99), max_size=2),
        ),
    )
)
@settings(deadline=None, max_examples=80)
def test_no_value_brings_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(data) or "{}")
    try:
        read_study(path)
    except InvalidInput as error:
        assert all(line.startswith(f"{path}:") for line in str(error).splitlines())
