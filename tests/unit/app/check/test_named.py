"""What words name as a side, and what a side takes from the other."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.app.check import sides as sides_module
from sweeper.app.check.comparable import check_sides, differences
from sweeper.app.check.git import is_revision, worktree
from sweeper.app.check.named import named
from sweeper.app.check.sides import look_at, sides
from sweeper.errors import InvalidInput, NotComparable, NotReady, SweeperError
from sweeper.model.folder import StudyFolder
from sweeper.report.check.words import notes
from sweeper.session.learner import Learner
from tests.helpers.builders import ALL_FLAGS, PPO
from tests.helpers.results import full_result

STUDY = {
    "version": 1,
    "name": "racer",
    "trainer_config": "car.yaml",
    "env_path": "Car.x86_64",
    "baseline": {"num_envs": 2},
    "space": {"num_envs": [1, 2]},
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "car.yaml").write_text(PPO)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    for name in ("Car.x86_64", "New.x86_64", "mlagents-learn"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    environment = tmp_path / "env" / "bin"
    environment.mkdir(parents=True)
    (environment / "mlagents-learn").write_text("#!/bin/sh\n")
    (environment / "mlagents-learn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sides_module, "probe_learner", lambda path: Learner(path, ALL_FLAGS, {"mlagents": "1.1.0"}))
    return tmp_path


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("study.yaml", "study"), ("car.yaml", "config"), ("New.x86_64", "build"), ("New", "build"),
        ("demo:racer", "build"),
        ("mlagents-learn", "learner"), ("env", "learner"), ("build:New", "build"), ("rev:main~3", "rev"),
    ],
)  # fmt: skip
def test_a_word_is_known_by_what_it_is(place, word, kind):
    found = named("candidate", [word])
    assert [key for key in ("study", "folder", "build", "config", "learner", "rev") if getattr(found, key)] == [kind]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nothing that can be measured"),
        (["config:gone.yaml"], "there is no trainer config gone.yaml"),
        (["gone.yaml"], "there is no file"),
        (["builds/gone"], "there is no file"),
        (["build:gone.x86_64"], "there is no build"),
        ([""], "names nothing"),
        (["rev:"], "names nothing"),
        (["New.x86_64", "Car.x86_64"], "a second build"),
        (["learner:car.d"], "there is no learner car.d"),
        (["folder:nope"], "there is no study folder nope"),
        (["build:env"], "is a folder"),
        (["build:car.yaml"], "cannot be executed"),
        (["learner:car.yaml"], "cannot be executed"),
        (["-rf"], "nothing that can be measured"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_its_side(place, words, said):
    with pytest.raises(InvalidInput, match=said) as error:
        named("candidate", words)
    assert "--candidate" in str(error.value)
    assert error.value.hint


def test_text_that_is_named_as_a_program_is_not_to_be_made_executable(place):
    with pytest.raises(InvalidInput) as error:
        named("candidate", ["build:car.yaml"])
    assert error.value.hint == "it is text: name the program itself"
    (place / "New.x86_64").chmod(0o644)
    with pytest.raises(InvalidInput) as error:
        named("candidate", ["New.x86_64"])
    assert error.value.hint == f"chmod +x {place / 'New.x86_64'}"


def test_what_a_side_does_not_name_is_as_the_others(place):
    with sides(["study.yaml"], ["New.x86_64"]) as (before, after):
        assert before.subject.launch.build == place / "Car.x86_64"
        assert after.subject.launch.build == place / "New.x86_64"
        assert before.params == after.params
        assert before.params["num_envs"] == 2
        assert differences(before.facts, after.facts) == ("build",)


def test_the_build_that_a_trainer_config_names_is_taken_unless_a_side_names_one(place):
    (place / "study.yaml").write_text(
        yaml.safe_dump({key: STUDY[key] for key in ("version", "name", "trainer_config")})
    )
    (place / "car.yaml").write_text(PPO + "env_settings: {env_path: Car, num_envs: 2}\n")
    with sides(["study.yaml"], ["New.x86_64"]) as (before, after):
        assert before.subject.launch.build == place / "Car.x86_64"
        assert after.subject.launch.build == place / "New.x86_64"
        assert before.params["num_envs"] == after.params["num_envs"] == 2


def test_a_demonstration_that_is_missing_is_said_before_anything_is_measured(place):
    (place / "car.yaml").write_text(PPO + "    behavioral_cloning: {demo_path: Gone.demo}\n")
    with pytest.raises(InvalidInput, match=r"no \.demo file"), sides(["study.yaml"], ["New.x86_64"]):
        pass


def test_a_learner_is_found_in_its_environment(place):
    with sides(["study.yaml"], ["env"]) as (_, after):
        assert after.subject.launch.learner == str(place / "env" / "bin" / "mlagents-learn")


def test_trainer_configs_are_compared_as_they_are_even_where_a_study_chose_their_knobs(place):
    (place / "bigger.yaml").write_text(PPO.replace("batch_size: 128", "batch_size: 512"))
    study = {**STUDY, "baseline": {"num_envs": 2, "batch_size": 64}}
    (place / "study.yaml").write_text(yaml.safe_dump(study))
    with sides(["study.yaml"], ["bigger.yaml"]) as (before, after):
        assert (before.params["batch_size"], after.params["batch_size"]) == (128, 512)
        assert before.params["num_envs"] == after.params["num_envs"] == 2


def test_a_candidate_takes_what_it_does_not_name_from_the_baseline_unless_it_names_a_study(place):
    with sides(["study.yaml", "env"], ["New.x86_64"]) as (before, after):
        assert before.subject.launch.learner == after.subject.launch.learner == str(place / "env/bin/mlagents-learn")
        assert before.subject.launch.build == place / "Car.x86_64"
    with sides(["study.yaml", "New.x86_64"], ["env"]) as (before, after):
        assert before.subject.launch.build == after.subject.launch.build == place / "New.x86_64"
    with sides(["study.yaml", "env"], ["study.yaml", "New.x86_64"]) as (before, after):
        assert after.subject.launch.learner == str(place / "mlagents-learn")


@pytest.mark.parametrize(
    "words", [["study.yaml"], ["study.yaml", "Car.x86_64"], ["study.yaml", "learner:mlagents-learn"]]
)
def test_what_does_not_differ_is_not_compared_unless_that_is_meant(place, words):
    with sides(["study.yaml"], words) as (before, after):
        with pytest.raises(NotComparable, match="nothing that is known of the two sides differs") as caught:
            check_sides(before.facts, after.facts)
        assert "--same" in str(caught.value.hint)
        check_sides(before.facts, after.facts, same=True)
    with sides(["study.yaml"], [*words[:1], "env"]) as (before, after):
        assert differences(before.facts, after.facts) == ("learner program",)
        with pytest.raises(InvalidInput, match="--same: the sides differ in learner program"):
            check_sides(before.facts, after.facts, same=True)


def test_configs_of_other_behaviours_are_not_compared_and_other_names_are_told(place):
    (place / "two.yaml").write_text(PPO + PPO.removeprefix("behaviors:\n").replace("Car", "Truck"))
    with sides(["study.yaml"], ["two.yaml"]) as (before, after), pytest.raises(NotComparable, match="Car, Truck"):
        check_sides(before.facts, after.facts)
    (place / "two.yaml").write_text(PPO.replace("Car", "Truck"))
    with sides(["study.yaml"], ["two.yaml"]) as (before, after):
        check_sides(before.facts, after.facts)
        assert "the candidate Truck" in notes(before.facts, after.facts)[0]


def test_a_learner_that_cannot_be_executed_is_the_sides_own_mistake(place):
    (place / "env" / "bin" / "mlagents-learn").chmod(0o644)
    with pytest.raises(InvalidInput, match=r"--candidate: the learner .* cannot be executed"):
        named("candidate", ["env"])


def test_a_baseline_without_a_candidate_passes_nothing(place):
    with pytest.raises(NotComparable, match="there is no candidate"):
        look_at(["study.yaml"], [], needs_both=True)
    with pytest.raises(NotComparable, match="there is no candidate"):
        look_at(["study.yaml", "New.x86_64"], [], needs_both=True)


@pytest.mark.parametrize(("candidate", "said"), [(["study.yaml"], "no baseline"), ([], "no candidate")])
def test_a_study_alone_has_nobody_to_be_compared_with(place, monkeypatch, candidate, said):
    _write_results(StudyFolder(place / "reports" / "racer"), place / "study.yaml")
    with pytest.raises(NotComparable, match=said):
        look_at([], candidate, needs_both=True)
    assert look_at([], candidate) == "racer"
    assert look_at(["study.yaml"], candidate or ["New.x86_64"], needs_both=True) == "racer"


def test_without_a_study_nothing_can_be_measured(place):
    with pytest.raises(InvalidInput, match="no study is named"), sides([], ["New.x86_64"]):
        pass
    with pytest.raises(InvalidInput, match="revisions are named, but no study") as refused:
        look_at(["rev:HEAD~1"], ["rev:HEAD"], needs_both=True)
    assert "--baseline study.yaml" in str(refused.value.hint)


def test_a_study_is_asked_for_with_the_option_that_can_name_it(place):
    with pytest.raises(InvalidInput) as refused:
        look_at([], ["New.x86_64"], option="candidate")
    assert "--candidate study.yaml" in str(refused.value.hint)


def test_a_finished_study_in_reach_is_the_ground_with_its_best_settings(place):
    folder = StudyFolder(place / "reports" / "racer")
    folder.root.mkdir(parents=True)
    _write_results(folder, place / "study.yaml")
    with sides([], ["New.x86_64"]) as (before, after):
        assert before.params["num_envs"] == 4
        assert after.params == before.params
    _write_results(StudyFolder(place / "reports" / "other"), place / "study.yaml")
    with pytest.raises(InvalidInput, match="2 studies are here"), sides([], ["New.x86_64"]):
        pass


def _write_results(folder: StudyFolder, study: Path) -> None:
    from dataclasses import replace

    from sweeper.report.data import as_json

    folder.root.mkdir(parents=True, exist_ok=True)
    result = full_result()
    assert result.best is not None
    best = replace(result.best, params={"num_envs": 4, "num_areas": 1, "batch_size": 128, "threaded": False})
    info = replace(result.study, file=str(study))
    folder.results.write_text(as_json(replace(result, best=best, study=info)))
    json.loads(folder.results.read_text())


def git(place: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True)


@pytest.fixture
def repository(place: Path) -> Path:
    git(place, "init", "-q")
    git(place, "add", "study.yaml", "car.yaml")
    git(place, "commit", "-qm", "one")
    git(place, "tag", "before")
    (place / "car.yaml").write_text(PPO.replace("buffer_size: 2048", "buffer_size: 4096"))
    git(place, "commit", "-qam", "two")
    return place


def test_a_revision_is_the_project_as_it_was_and_its_worktree_goes(repository):
    with sides(["study.yaml", "rev:before"], ["study.yaml"]) as (before, after):
        assert before.subject.config.behaviors[0].buffer_size == 2048
        assert after.subject.config.behaviors[0].buffer_size == 4096
        # Git does not hold the build: it is the one that lies here.
        assert before.subject.launch.build == after.subject.launch.build == repository / "Car.x86_64"
        assert before.subject.config.path.exists()
        assert before.facts.from_today == ("the build Car.x86_64",)
        assert after.facts.from_today == ()
        assert "the build Car.x86_64 of the baseline" in notes(before.facts, after.facts)[0]
        assert before.facts.study == after.facts.study == "study.yaml"
        check_sides(before.facts, after.facts)
    assert not before.subject.config.path.exists()
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1


def test_a_revision_that_is_not_there_is_said(repository):
    assert is_revision("before")
    assert not is_revision("--help")
    with pytest.raises(SweeperError, match="no revision 'later'"), sides(["study.yaml"], ["rev:later"]):
        pass


def test_a_revision_that_is_as_today_because_of_what_git_does_not_hold_is_no_comparison(repository):
    study = {**STUDY, "env_path": str(repository / "Car.x86_64"), "initialize_from": "run"}
    (repository / "study.yaml").write_text(yaml.safe_dump(study))
    (repository / "run").mkdir()
    git(repository, "commit", "-qam", "three")
    with sides(["study.yaml", "rev:HEAD"], ["study.yaml"]) as (before, after):
        assert before.facts.from_today == ("the build Car.x86_64", "the trained run run")
        assert differences(before.facts, after.facts) == ()
        with pytest.raises(NotComparable, match=r"of study\.yaml rev:HEAD, the build Car\.x86_64 and"):
            check_sides(before.facts, after.facts)
    with sides(["study.yaml", "rev:HEAD", "Car.x86_64"], ["New.x86_64"]) as (before, after):
        assert before.facts.from_today == ("the trained run run",)
        assert after.revision.tree is not None
        check_sides(before.facts, after.facts)


def test_a_learner_that_git_holds_is_the_same_in_every_worktree(repository):
    (repository / "study.yaml").write_text(yaml.safe_dump({**STUDY, "learner": "./mlagents-learn"}))
    git(repository, "add", "mlagents-learn", "Car.x86_64")
    git(repository, "commit", "-qam", "three")
    with sides(["study.yaml", "rev:HEAD"], ["study.yaml"]) as (before, after):
        assert before.facts.from_today == ()
        assert differences(before.facts, after.facts) == ()
    (repository / "mlagents-learn").write_text("#!/bin/bash\n")
    with sides(["study.yaml", "rev:HEAD"], ["study.yaml"]) as (before, after):
        assert differences(before.facts, after.facts) == ("learner program",)


def test_a_revision_without_the_trainer_config_says_so_in_its_own_words(repository):
    (repository / ".gitignore").write_text("car.yaml\n")
    git(repository, "rm", "-q", "--cached", "car.yaml")
    git(repository, "commit", "-qm", "three")
    with (
        pytest.raises(NotComparable, match=r"^HEAD has no car\.yaml"),
        sides(["study.yaml", "rev:HEAD"], ["study.yaml"]),
    ):
        pass
    with sides(["study.yaml", "rev:HEAD", "car.yaml"], ["New.x86_64"]):
        pass


def test_a_bare_revision_is_the_studys_project_and_is_looked_up_before_anything_is_started(
    repository, tmp_path_factory, monkeypatch
):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert look_at([str(repository / "study.yaml")], ["before"], needs_both=True) == "racer"
    folder = StudyFolder(repository / "reports" / "racer")
    _write_results(folder, repository / "study.yaml")
    assert look_at([str(folder.root)], ["before"], needs_both=True) == "racer"
    with pytest.raises(NotReady, match="no revision 'later'"):
        look_at([str(repository / "study.yaml"), "rev:later"], ["before"])


def test_a_repository_that_git_refuses_is_told_as_git_tells_it(repository, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(NotReady, match="dubious ownership") as caught, worktree("before", repository):
        pass
    assert "safe.directory" in str(caught.value.hint)


def test_the_worktree_of_a_check_that_was_killed_is_forgotten_by_the_next_one(repository, tmp_path_factory):
    lost, kept = tmp_path_factory.mktemp("sweeper-x") / "worktree", tmp_path_factory.mktemp("mine") / "worktree"
    for place in (lost, kept):
        git(repository, "worktree", "add", "--detach", str(place), "before")
        shutil.rmtree(place)
    with sides(["study.yaml"], ["New.x86_64"]):
        pass
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert str(lost) not in listed.stdout
    assert str(kept) in listed.stdout


def test_outside_a_repository_there_are_no_revisions(place):
    with pytest.raises(NotReady, match="not in a git repository"), worktree("main", place):
        pass


def test_a_worktree_goes_when_the_check_fails(repository):
    def fail() -> Any:
        with worktree("before", repository) as (tree, _):
            kept.append(tree)
            raise RuntimeError("stop")

    kept: list[Path] = []
    with pytest.raises(RuntimeError):
        fail()
    assert not kept[0].exists()


def test_the_build_that_a_revisions_trainer_config_names_is_the_one_that_lies_here(repository, tmp_path, monkeypatch):
    study = {key: STUDY[key] for key in ("version", "name", "trainer_config")}
    (repository / "study.yaml").write_text(yaml.safe_dump(study))
    (repository / "car.yaml").write_text(PPO + "env_settings: {env_path: Car}\n")
    git(repository, "commit", "-qam", "three")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with sides([str(repository / "study.yaml"), "rev:HEAD"], [str(repository / "New.x86_64")]) as (before, _):
        assert before.subject.launch.build == repository / "Car.x86_64"
