"""One side to be measured: a study's settings on one build, with one learner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeper.inputs.flat import flat
from sweeper.inputs.study_file import Study
from sweeper.inputs.trainer_config import TrainerConfig
from sweeper.model.folder import TrialFolder
from sweeper.model.trial import Params
from sweeper.plan.trial_plan import Launch, TrialPlan, launch_command, plan_trial, trial_config

IDENTIFYING_PACKAGES = ("mlagents", "torch")


@dataclass(frozen=True)
class Subject:
    """Study, trainer config, learner and build.

    `build_identity`: digests of the build's files. `packages`: versions in the learner's environment.
    """

    study: Study
    config: TrainerConfig
    launch: Launch
    build_identity: Mapping[str, str] | None = None
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_in_editor(self) -> bool:
        """Whether the player is the Unity Editor, which the learner did not start."""
        return self.launch.build is None

    def plan(
        self,
        params: Params,
        *,
        number: int,
        seed: int,
        base_port: int,
        folder: TrialFolder,
        stands_still_seconds: float = 0.0,
    ) -> TrialPlan:
        """A trial of `params` on paper; see `plan_trial`."""
        return plan_trial(
            self.study,
            self.config,
            self.launch,
            params,
            number=number,
            seed=seed,
            base_port=base_port,
            folder=folder,
            stands_still_seconds=stands_still_seconds,
        )

    def command(self, params: Params, config_path: str) -> tuple[str, ...]:
        """The command that trains with `params`, for people to copy; `config_path` holds the tuned trainer config."""
        return launch_command(self.study, self.launch, params, config_path)

    def command_before(self, params: Params) -> tuple[str, ...]:
        """The command that trains with the trainer config as it is, and writes beside what the tuned one writes."""
        name = f"{self.study.spec.name}_before"
        return launch_command(self.study, self.launch, params, str(self.config.path), name)

    def fingerprint(self) -> dict[str, Any]:
        """What makes its numbers comparable; JSON types. Another value of any of these is another subject."""
        spec = self.study.spec
        return {
            "trainer config": flat(trial_config(self.study, self.config, {})),
            "build": self.build_identity and dict(self.build_identity),
            "engine": spec.engine.model_dump(exclude_none=True),
            "env_args": list(spec.env_args),
            "initialize_from": spec.initialize_from,
            "learner": {name: self.packages.get(name) for name in IDENTIFYING_PACKAGES},
        }
