"""What words name as a side, and what a side takes from the other."""

from __future__ import annotations

import pytest
import yaml

from sweeper.app.check.comparable import check_sides, differences
from sweeper.app.check.named import named
from sweeper.app.check.sides import look_at, sides
from sweeper.errors import InvalidInput, NotComparable, NotReady
from sweeper.model.folder import StudyFolder
from sweeper.report.check.words import notes
from tests.helpers.builders import PPO
from tests.unit.app.check.conftest import STUDY, write_results


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
    write_results(StudyFolder(place / "reports" / "racer"), place / "study.yaml")
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
    write_results(folder, place / "study.yaml")
    with sides([], ["New.x86_64"]) as (before, after):
        assert before.params["num_envs"] == 4
        assert after.params == before.params
    write_results(StudyFolder(place / "reports" / "other"), place / "study.yaml")
    with pytest.raises(InvalidInput, match="2 studies are here"), sides([], ["New.x86_64"]):
        pass


def test_a_build_that_is_missing_is_said_before_anything_is_waited_for(place):
    (place / "Car.x86_64").unlink()
    with pytest.raises(NotReady, match="no build at"):
        look_at(["study.yaml"], ["New.x86_64"], needs_both=True)
    assert look_at(["study.yaml", "New.x86_64"], ["car.yaml"], needs_both=True) == "racer"
    assert look_at([], ["study.yaml", "New.x86_64"]) == "racer"


def test_a_name_that_no_file_can_have_names_its_side(place):
    for kind in ("", "build:", "config:", "learner:", "folder:"):
        with pytest.raises(InvalidInput, match=r"--baseline: .*File name too long"):
            named("baseline", [kind + "a" * 300])
