"""The text of a new study file, commented for who reads it first; and where it may be written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import DEMO_BUILD

MOST_LISTED = 5
USUAL = {"num_envs": 1, "num_areas": 1}
"""What the learner runs where nobody says otherwise."""
TEMPLATE = """\
# A sweeper study: which settings make this training fastest on this machine?
# Run it with: sweeper run {name}
version: 1
name: "{stem}"

# Your ordinary ML-Agents trainer config; it is read, never modified. Paths are relative to this file.
trainer_config: {config}
{other_configs}
# Your Unity build. `demo:racer` is the bundled demo build. Left out: the one that the trainer config names; else you
# train in the Unity Editor, where num_envs is 1 and every trial waits for you to press Play.
{build}
{other_builds}{learner}
# What you run today, to compare with. Left out: what the trainer config says.
{baseline}

# The most memory that learner and players may use together: an amount, or a share of what is available.
memory_cap: 80%

# The study's total. Longer is better: every trial is a real, short training session.
budget: 20m   # or {{time: 8h, trials: 60}}, or {{trials: 60}} alone

# What to try. Left out: derived from this machine and the trainer config; `sweeper validate` lists it. num_areas acts
# only if the scene has a TrainingAreaReplicator. Any other key of the trainer config can be searched by its path.
# space:
#   num_envs: {{low: 1, high: 8}}
#   num_areas: [1, 4, 16]
#   batch_size: [128, 256, 512]
#   hyperparameters.buffer_size: [2048, 10240]

# The learning guard: a bigger batch is faster only because it learns less. Configurations with fewer updates per step
# than this share of yours are refused. `off` to allow them.
min_updates: 25%

# Left out: as the trainer config has it. time_scale changes physics, so it is never searched.
engine: {engine}
{more}"""


@dataclass(frozen=True)
class Written:
    """What was written, and a sentence for each choice that was made."""

    study: Path
    files: tuple[Path, ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """What a new study file says. Paths are relative to its folder; where one is None, a comment shows how to say it.

    `other_configs`, `other_builds`: in comments, MOST_LISTED of each. `learner`: None for the one on PATH.
    """

    config: str
    build: str | None = None
    other_configs: Sequence[str] = ()
    other_builds: Sequence[str] = ()
    learner: str | None = None
    baseline: Mapping[str, object] | None = None
    engine: Mapping[str, object] | None = None
    env_args: Sequence[str] = ()
    initialize_from: str | None = None

    def text(self, path: Path) -> str:
        """The whole file, for `path`, after which the study is named."""
        return TEMPLATE.format(
            name=path.name,
            stem=_stem(path),
            config=_quoted(self.config),
            build="# env_path: Builds/MyGame" if self.build is None else f"env_path: {_quoted(self.build)}",
            other_configs="".join(
                f"# trainer_config: {_quoted(other)}\n" for other in self.other_configs[:MOST_LISTED]
            ),
            other_builds="".join(f"# env_path: {_quoted(other)}\n" for other in self.other_builds[:MOST_LISTED]),
            learner="" if self.learner is None else f"learner: {_quoted(self.learner)}\n",
            baseline=f"# baseline: {flow(USUAL)}" if self.baseline is None else f"baseline: {flow(self.baseline)}",
            engine=flow({"no_graphics": True} if self.engine is None else self.engine),
            more="".join(self._more()),
        )

    def _more(self) -> Iterator[str]:
        if self.env_args:
            yield f"\n# Passed to the player.\nenv_args: {json.dumps(list(self.env_args), ensure_ascii=False)}\n"
        if self.initialize_from is not None:
            yield f"\n# Trials start from this trained run.\ninitialize_from: {_quoted(self.initialize_from)}\n"


def free_place(path: Path) -> Path:
    """Where a study file may be written: `study.yaml` where `path` is a folder.

    Raises:
        InvalidInput: a file is in the way, the folder does not exist, or this is no name of a study file.
    """
    path = path / "study.yaml" if path.is_dir() else path
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise InvalidInput(
            f"{path} is no folder, and no name of a study file", f"name it {path}.yaml, or make the folder"
        )
    if path.exists():
        raise InvalidInput(f"{path} exists; nothing was overwritten", "choose another name: sweeper init PATH")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path.parent}: no such folder")
    return path


def relative(path: Path, folder: Path) -> str:
    """`path` as a study file in `folder` has it."""
    return Path(os.path.relpath(path, folder)).as_posix()


def flow(values: Mapping[str, object]) -> str:
    """A mapping on one line of YAML."""
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in values.items()) + "}"


def _stem(path: Path) -> str:
    """A study's name: ASCII letters and digits, '.', '_' and '-', the first a letter or digit."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", path.stem).lstrip("._-")[:80] or "study"


def _quoted(text: str) -> str:
    """As YAML reads it back, whatever is in it: JSON's strings are YAML's."""
    looks_plain = text == DEMO_BUILD or re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]*", text)
    is_plain = looks_plain and yaml.safe_load(text) == text  # `no` and `null` are none
    return text if is_plain else json.dumps(text, ensure_ascii=False)
