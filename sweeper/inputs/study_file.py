"""The study file: YAML in, a validated StudyFile out; errors as `file:line: path: message`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from sweeper.errors import InvalidInput
from sweeper.inputs import quantities
from sweeper.inputs.knob_values import knob_value, knob_values
from sweeper.inputs.knobs import MAX_CHARACTERS, fault_of_knob
from sweeper.inputs.study_limits import Budget, MemoryCap, parse_budget, parse_memory_cap, session_limits
from sweeper.inputs.yaml_keys import refuse_keys_that_are_no_text
from sweeper.inputs.yaml_text import YamlText, did_you_mean, read_yaml
from sweeper.model.trial import LearnerStart, ParamValue
from sweeper.outside import is_plain, short, shown

DEMO_BUILD = "demo:racer"
MAX_NAME = 80
MAX_LINES = 20
"""Of mistakes that are told at once."""
_MAX_WHOLE = 2**31 - 1
"""Unity's own."""
Sampler = Literal["phase", "tpe", "gp", "random", "grid"]
SAMPLERS: tuple[str, ...] = get_args(Sampler)
"""Names of search strategies."""


def _off_or_share(value: Any) -> float | None:
    # YAML 1.1 reads a bare `off` as false.
    if value in (None, False, "off"):
        return None
    return quantities.share(value)


def _learned_name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(_unquoted("a name", value))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise ValueError(f"expected a name of letters, digits, '.', '_' and '-', not {shown(value)}")
    if len(value) > MAX_NAME:
        raise ValueError(f"expected {MAX_NAME} characters at most, and these are {len(value)}")
    return value


def _unquoted(wanted: str, value: Any) -> str:
    """What to say of a value where text is expected."""
    if isinstance(value, (bool, int, float)):
        return f"expected {wanted}, and YAML reads this as {shown(value)}, which is none; write it in quotes"
    return f"expected {wanted}, not {shown(value)}"


def _text(value: Any) -> str:
    text = str(value) if isinstance(value, (str, int, float)) else ""
    if not text or not is_plain(text):
        raise ValueError(f"expected text without control characters, not {shown(value)}")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"expected {MAX_CHARACTERS:,} characters at most, not {shown(value)}")
    return text


_QUANTITY_SCHEMA = {"type": ["string", "number"], "exclusiveMinimum": 0}
_SHARE_SCHEMA = {**_QUANTITY_SCHEMA, "maximum": 1}
Text = Annotated[str, AfterValidator(_text)]
Seconds = Annotated[float, BeforeValidator(quantities.seconds), WithJsonSchema(_QUANTITY_SCHEMA)]
Share = Annotated[float, BeforeValidator(quantities.share), WithJsonSchema(_SHARE_SCHEMA)]
_RANGE_SCHEMA = {
    "anyOf": [
        {"type": "array", "minItems": 1, "items": {"type": ["number", "boolean", "string"]}},
        {
            "type": "object",
            "properties": {
                "low": {"type": ["number", "string"]},
                "high": {"type": ["number", "string"]},
                "step": {"type": ["number", "string"]},
                "log": {"type": "boolean"},
            },
            "required": ["low", "high"],
            "additionalProperties": False,
        },
        {"type": ["number", "boolean", "string"]},
    ]
}
KnobValues = Annotated[tuple[ParamValue, ...], BeforeValidator(knob_values), WithJsonSchema(_RANGE_SCHEMA)]
KnobValue = Annotated[ParamValue, BeforeValidator(knob_value)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False)


class Engine(_Strict):
    """Engine settings; what is left out stays as the trainer config has it. `time_scale` changes physics."""

    no_graphics: bool | None = None
    time_scale: float | None = Field(default=None, gt=0)
    width: int | None = Field(default=None, gt=0, le=_MAX_WHOLE)
    height: int | None = Field(default=None, gt=0, le=_MAX_WHOLE)
    quality_level: int | None = Field(default=None, ge=-_MAX_WHOLE, le=_MAX_WHOLE)
    target_frame_rate: int | None = Field(default=None, ge=-_MAX_WHOLE, le=_MAX_WHOLE)
    capture_frame_rate: int | None = Field(default=None, ge=-_MAX_WHOLE, le=_MAX_WHOLE)


class Measure(_Strict):
    """How well and how long a trial measures.

    `precision`: relative standard error within a session at which measuring stops. `min_seconds`: of measuring before
    it may stop there. `max_seconds`: at most this long after the first step, if whole cycles allow. Where they are left
    out, they follow the budget. `max_startup_seconds`: from launch to the first steps. `max_play_wait_seconds`: for
    somebody who presses Play in the Unity Editor. `max_stall_seconds`: without a step or an update, at which a trial
    counts as hung. `contention`: what a session is worth during which other programs took too much of the machine:
    nothing, and it is run again (`void`), or its number with a mark (`mark`).
    """

    precision: Share = 0.02
    min_seconds: Seconds | None = None
    max_seconds: Seconds | None = None
    max_startup_seconds: Seconds = 180.0
    max_play_wait_seconds: Seconds = 600.0
    max_stall_seconds: Seconds = 90.0
    contention: Literal["void", "mark"] = "void"

    @model_validator(mode="after")
    def _has_room(self) -> Measure:
        if self.min_seconds is not None and self.max_seconds is not None and self.min_seconds > self.max_seconds:
            raise ValueError(f"min_seconds ({self.min_seconds:g}) is more than max_seconds ({self.max_seconds:g})")
        return self

    def limits(self, budget_seconds: float) -> tuple[float, float]:
        """`min_seconds` and `max_seconds` of a session in a study with this budget."""
        return session_limits(self.min_seconds, self.max_seconds, budget_seconds)


_Cap = Annotated[
    MemoryCap,
    BeforeValidator(parse_memory_cap),
    PlainSerializer(lambda cap: f"{cap.bytes}B" if cap.bytes is not None else f"{100 * cap.share:g}%"),
    WithJsonSchema({"type": "string", "examples": ["8GiB", "80%"]}),
]


class StudyFile(_Strict):
    """A study file, validated. Paths are as written: relative to the study file."""

    version: Literal[1]
    name: Annotated[str, BeforeValidator(_learned_name)]
    trainer_config: Text
    env_path: Text | None = None
    learner: Text = "mlagents-learn"
    baseline: dict[str, KnobValue] | None = None
    memory_cap: _Cap = MemoryCap(share=0.8)
    gpu_memory_cap: _Cap = MemoryCap(share=0.9)
    budget: Annotated[
        Budget,
        BeforeValidator(parse_budget),
        PlainSerializer(lambda budget: {"time": budget.told_seconds, "trials": budget.trials}),
        WithJsonSchema(
            {
                "anyOf": [
                    {**_QUANTITY_SCHEMA, "examples": ["20m"]},
                    {
                        "type": "object",
                        "properties": {"time": _QUANTITY_SCHEMA, "trials": {"type": "integer", "minimum": 1}},
                        "minProperties": 1,
                        "additionalProperties": False,
                    },
                ]
            }
        ),
    ] = Budget(1200.0)
    space: dict[str, KnobValues] | None = None
    min_updates: Annotated[
        float | None,
        BeforeValidator(_off_or_share),
        WithJsonSchema({"anyOf": [_SHARE_SCHEMA, {"const": "off"}, {"const": False}]}),
    ] = 0.25
    engine: Engine = Engine()
    env_args: list[Annotated[str, BeforeValidator(_text)]] = []
    initialize_from: Text | None = None
    measure: Measure = Measure()
    sampler: Sampler = "phase"
    learner_start: LearnerStart = LearnerStart.WARM


@dataclass(frozen=True)
class Study:
    """A study file with where it came from; what the rest of the program works with."""

    spec: StudyFile
    source: YamlText

    @property
    def path(self) -> Path:
        """The study file."""
        return self.source.path

    def resolve(self, written: str) -> Path:
        """A path of the study file, relative to it, made absolute.

        Raises:
            InvalidInput: no path that can be looked at, whether or not something is there.
        """
        try:
            path = (self.path.parent / Path(written).expanduser()).absolute()
            path.exists()
        except OSError as error:
            raise InvalidInput(f"{self.path}: cannot look at {short(written)}: {error.strerror or error}") from None
        except RuntimeError:
            raise InvalidInput(f"{self.path}: {short(written)}: there is no such user here", "write it out") from None
        return path

    @property
    def uses_demo_build(self) -> bool:
        """True where the bundled racer stands in for a build."""
        return self.spec.env_path == DEMO_BUILD

    @property
    def has_build(self) -> bool:
        """False: training runs in the Editor, which is one environment and needs a person to press Play."""
        return self.spec.env_path is not None


def read_study(path: Path) -> Study:
    """Read and validate a study file.

    Raises:
        InvalidInput: one line a mistake, each with its line number and the nearest known key.
    """
    source = read_yaml(path, "study file")
    refuse_keys_that_are_no_text(path, source.node)
    try:
        spec = StudyFile.model_validate(source.data)
    except ValidationError as error:
        found = error.errors()
        lines = [_line(source, item) for item in found[:MAX_LINES]]
        if len(found) > MAX_LINES:
            lines.append(f"{path}: and {len(found) - MAX_LINES:,} more mistakes")
        raise InvalidInput("\n".join(lines), "`sweeper schema` prints every key that a study file may have") from None
    for section in ("space", "baseline"):
        for knob in getattr(spec, section) or {}:
            if fault := fault_of_knob(knob):
                raise source.error((section, knob), *fault)
    if spec.space is not None and not spec.space:
        raise source.error(("space",), "this space is empty; name a knob, or leave `space` out to have one derived")
    return Study(spec, source)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a study file."""
    schema = StudyFile.model_json_schema()
    # Pydantic would show these defaults as the objects they are parsed to.
    schema["properties"]["memory_cap"]["default"] = "80%"
    schema["properties"]["gpu_memory_cap"]["default"] = "90%"
    schema["properties"]["budget"]["default"] = "20m"
    return schema


def _line(source: YamlText, item: Any) -> str:
    location: Sequence[str | int] = item["loc"]
    if item["type"] == "extra_forbidden":
        sections: dict[str, type[BaseModel]] = {"engine": Engine, "measure": Measure}
        model: type[BaseModel] = sections.get(str(location[0]), StudyFile) if len(location) > 1 else StudyFile
        message = f"unknown key{did_you_mean(str(location[-1]), model.model_fields)}"
    elif item["type"] == "missing":
        message = "this key is required"
    elif item["type"] in ("model_type", "dict_type"):
        message = f"expected keys with values, not {shown(item['input'])}"
    elif item["type"] == "string_type":
        message = _unquoted("text", item["input"])
    else:
        message = str(item["msg"]).removeprefix("Value error, ")
    return str(source.error([part for part in location if part != "[key]"], message))
