"""The paths of a study folder, decided once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StudyFolder:
    """Where a study keeps what it makes."""

    root: Path

    @property
    def storage(self) -> Path:
        """Optuna's RDB storage."""
        return self.root / "study.db"

    @property
    def results(self) -> Path:
        """The complete, portable image of the storage."""
        return self.root / "results.json"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.root / "report.html"

    @property
    def best(self) -> Path:
        """The tuned trainer config."""
        return self.root / "best.yaml"

    @property
    def log(self) -> Path:
        """What the tool itself did."""
        return self.root / "run.log"

    @property
    def tensorboard(self) -> Path:
        """Event files, a run a trial."""
        return self.root / "tensorboard"

    @property
    def lock(self) -> Path:
        """Held while a run works in this folder."""
        return self.root / ".lock"

    @property
    def trials(self) -> Path:
        """One folder a trial."""
        return self.root / "trials"

    @property
    def early(self) -> set[Path]:
        """What a run makes before its study is in the storage; it may be killed in between."""
        return {self.storage, self.trials, self.log, self.lock, self.lock.with_suffix(".pid")}

    def trial(self, number: int) -> Path:
        """Folder of one trial."""
        return self.trials / f"{number:04d}"


@dataclass(frozen=True)
class TrialFolder:
    """Where one trial keeps what it makes."""

    root: Path

    @property
    def config(self) -> Path:
        """The trainer config of this trial."""
        return self.root / "config.yaml"

    @property
    def learner_log(self) -> Path:
        """What the learner printed."""
        return self.root / "learner.log"

    @property
    def samples(self) -> Path:
        """What our probe in the learner recorded, a JSON document a line."""
        return self.root / "samples.jsonl"

    @property
    def result(self) -> Path:
        """What came of the trial, until the storage has it."""
        return self.root / "result.json"

    @property
    def results_dir(self) -> Path:
        """The learner's own results folder, fresh for each trial."""
        return self.root / "learner"

    @property
    def player_logs(self) -> Path:
        """Where the learner has its players write their logs."""
        return self.results_dir / "trial" / "run_logs"
