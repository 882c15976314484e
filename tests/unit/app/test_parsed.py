"""What the learner's parser is asked about a study, and what its refusals become."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from sweeper.app.parsed import check_with_parser
from sweeper.errors import InvalidInput
from sweeper.session.parser import Question, Refusal
from tests.helpers.builders import PPO, prepared_of

STUDY = "env_path: build.x86_64\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2], hyperparameters.beta: [0.1, big]}\n"
RESUMED = PPO + "checkpoint_settings: {resume: true}\n"


class Learner:
    """Refuses what a test says, and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Question] = []
        self.refused: dict[int, Refusal] = {}
        monkeypatch.setattr("sweeper.app.parsed.ask_parser", self)

    def __call__(self, learner: Path, questions: Sequence[Question]) -> list[Refusal | None]:
        self.asked = list(questions)
        return [self.refused.get(number) for number in range(len(questions))]


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    return Learner(monkeypatch)


def check(config: str = PPO, study: str = STUDY) -> None:
    prepared = prepared_of(study, config)
    check_with_parser(prepared.subject, prepared.space, Path("learner"))


def test_the_answers_and_the_trial_are_asked_about(learner: Learner) -> None:
    check(RESUMED)
    own, trial, *values = (yaml.safe_load(question.text) for question in learner.asked)
    assert own["checkpoint_settings"]["resume"] is False
    assert "checkpoint_settings" not in trial
    assert [data["behaviors"]["Car"]["hyperparameters"]["beta"] for data in values] == [0.1, "big"]
    assert learner.asked[0].argv == ("--run-id=racer", "--env=/somewhere/build.x86_64", "--num-envs=1", "--num-areas=1")
    assert "--run-id=trial" in learner.asked[1].argv


def test_a_refusal_of_the_users_own_settings_stands_in_the_config(learner: Learner) -> None:
    learner.refused[0] = Refusal(("behaviors", "Car", "hyperparameters", "buffer_size"), "no good")
    with pytest.raises(InvalidInput) as caught:
        check()
    where = "/somewhere/car.yaml:6: behaviors.Car.hyperparameters.buffer_size: "
    assert str(caught.value) == where + "mlagents-learn refuses this: no good"
    assert "correct this entry" in str(caught.value.hint)


def test_an_unknown_trainer_is_told_of_plug_ins(learner: Learner) -> None:
    learner.refused[0] = Refusal(("behaviors", "Car", "trainer_type"), "Invalid trainer type foo was found")
    with pytest.raises(InvalidInput, match=r"car\.yaml:3: behaviors\.Car\.trainer_type: ") as caught:
        check()
    assert "ppo, poca, sac; a plug-in's is known where its package is installed" in str(caught.value.hint)


def test_what_stands_nowhere_has_a_mend_too(learner: Learner) -> None:
    learner.refused[0] = Refusal((), "no good")
    with pytest.raises(InvalidInput) as caught:
        check()
    assert "look for what it names" in str(caught.value.hint)


def test_a_refusal_of_a_value_stands_in_the_study(learner: Learner) -> None:
    learner.refused[3] = Refusal(("behaviors",), "could not convert")
    with pytest.raises(
        InvalidInput, match=r"study\.yaml:6: space\.hyperparameters\.beta: with .*beta 'big' mlagents-lea"
    ) as caught:
        check()
    assert caught.value.hint == "leave 'big' out of this space"
