"""Trainer configs of other people: how many sweeper accepts, and where the learner's own parser disagrees.

    python -m tests.public_configs FOLDER [--learner PATH]

Takes every .yaml and .yml below FOLDER. What our reading accepts the learner must accept as it is, as a trial, and as
an answer with another batch size, and that answer must differ in no other line. Prints what is not so, file by file,
and ends with one line of JSON; what the learner alone refuses, `validate` refuses too. The files are not part of this
repository.
"""

from __future__ import annotations

import argparse
import difflib
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import Study, StudyFile
from sweeper.inputs.trainer_config import TrainerConfig, read_trainer_config
from sweeper.inputs.tuned import tuned_text
from sweeper.inputs.yaml_text import parse_yaml
from sweeper.plan.trial_plan import dump_config, trial_config
from sweeper.session.parser import Question, Refusal, ask_parser

OURS = "# sweeper:"
"""Begins the comment of a switch that would keep the answer from training anew."""
BUILD = ("--env=build",)
"""Such as everybody gives who says num_envs 2 in the config."""


@dataclass
class Told:
    """Of one file: why sweeper refuses it, and what the learner refuses, by what it was shown."""

    path: Path
    text: str
    refused: str | None = None
    batch_size: int | None = None
    questions: dict[str, Question] = field(default_factory=dict)
    learner: dict[str, Refusal | None] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    behaviors: int = 0

    @property
    def disagreement(self) -> str | None:
        """In words; None where both say the same."""
        said = {name: refusal.message for name, refusal in self.learner.items() if refusal is not None}
        if self.refused is not None:
            return None if "file" in said else f"the learner accepts what sweeper refuses: {self.refused}"
        return "; ".join(f"the learner refuses the {name}: {message}" for name, message in said.items()) or None


def tell(path: Path) -> Told:
    """What sweeper says of a file, and what to ask the learner about it."""
    told = Told(path, path.read_text(encoding="utf-8", errors="replace"))
    told.questions["file"] = Question(told.text.removeprefix("\ufeff"), BUILD)
    try:
        config = read_trainer_config(path)
        told.behaviors = len(config.behaviors)
        text = config.source.byte_order_mark + config.text
        own = tuned_text(config, {"batch_size": config.value("batch_size")})
        if surplus := [line for line in changed_lines(text, own) if OURS not in line]:
            told.lines = ["(with nothing changed)", *surplus]
        told.questions["trial"] = Question(dump_config(trial_config(study(), config, {})), ("--seed=1", *BUILD))
        ask_about_tuned(told, config)
    except InvalidInput as error:
        told.refused = str(error).removeprefix(str(path))
    return told


def ask_about_tuned(told: Told, config: TrainerConfig) -> None:
    """Half the batch, which every buffer bears."""
    batch = config.value("batch_size")
    if not isinstance(batch, int) or batch < 2 or any(behavior.sequence_length for behavior in config.behaviors):
        return
    tuned = tuned_text(config, {"batch_size": batch // 2}, searched=["batch_size"])
    told.batch_size = batch // 2
    told.questions["answer"] = Question(tuned.removeprefix("\ufeff"), ("--run-id=a", *BUILD))
    changed = changed_lines(config.source.byte_order_mark + config.text, tuned)
    if any("batch_size" not in line and OURS not in line for line in changed):
        told.lines += changed


def changed_lines(before: str, after: str) -> list[str]:
    """Lines of `after` that are not in `before`."""
    found = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line[2:].rstrip() for line in found if line.startswith("+ ")]


def study() -> Study:
    """One that says nothing."""
    source = parse_yaml(
        Path("study.yaml"), "{version: 1, name: public, trainer_config: x, env_path: build}", "study file"
    )
    return Study(StudyFile.model_validate(source.data), source)


def main() -> None:
    """Read, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--learner", default="mlagents-learn")
    given = parser.parse_args()
    learner = shutil.which(given.learner) or Path(sys.executable).with_name(given.learner)
    files = sorted(path for path in given.folder.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file())
    told = [tell(path) for path in files]
    asked = [(one, name) for one in told for name in one.questions]
    answers = ask_parser(Path(learner), [one.questions[name] for one, name in asked])
    for (one, name), answer in zip(asked, answers):
        one.learner[name] = answer
    for one in told:
        name = one.path.relative_to(given.folder)
        print(f"{name}: {'accepted' if one.refused is None else 'refused' + one.refused}")
        if one.disagreement:
            print(f"    DISAGREE: {one.disagreement}")
        for line in one.lines:
            print(f"    CHANGED: {line}")
    print(json.dumps(figures(told)))


def figures(told: list[Told]) -> dict[str, int]:
    """Counts of files."""
    return {
        "files": len(told),
        "accepted": sum(one.refused is None for one in told),
        "refused": sum(one.refused is not None for one in told),
        "accepted_but_not_by_learner": sum(one.refused is None and one.disagreement is not None for one in told),
        "refused_but_not_by_learner": sum(one.refused is not None and one.disagreement is not None for one in told),
        "other_lines_changed": sum(bool(one.lines) for one in told),
    }


if __name__ == "__main__":
    main()
