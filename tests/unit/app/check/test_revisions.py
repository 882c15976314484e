"""Git revisions as sides: worktrees come and go, and what is staged stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.app.check.comparable import check_sides, differences
from sweeper.app.check.git import check_revision, forget_lost_worktrees, is_revision, worktree
from sweeper.app.check.sides import look_at, sides
from sweeper.errors import NotComparable, NotReady, SweeperError
from sweeper.model.folder import StudyFolder
from sweeper.report.check.words import notes
from tests.helpers.builders import PPO
from tests.unit.app.check.conftest import STUDY, git, write_results


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


def test_in_a_hook_of_git_the_index_and_the_files_stay_as_they_are(repository, monkeypatch):
    """Git tells its hooks where its index is; a worktree that is made with that would overwrite what is staged."""
    (repository / "new").write_text("staged")
    git(repository, "add", "new")
    (repository / "car.yaml").write_text(PPO.replace("buffer_size: 2048", "buffer_size: 8192"))
    status = ["git", "status", "--porcelain", "--untracked-files=no"]
    before = subprocess.run(status, cwd=repository, capture_output=True, text=True, check=True).stdout
    assert before.splitlines() == [" M car.yaml", "A  new"]
    with monkeypatch.context() as hook:
        hook.setenv("GIT_INDEX_FILE", str(repository / ".git" / "index"))
        with sides(["study.yaml", "rev:before"], ["study.yaml"]) as (one, other):
            sizes = [side.subject.config.behaviors[0].buffer_size for side in (one, other)]
    assert sizes == [2048, 8192]
    assert subprocess.run(status, cwd=repository, capture_output=True, text=True, check=True).stdout == before


@pytest.mark.parametrize(("variable", "where"), [("GIT_DIR", ".git"), ("GIT_WORK_TREE", "env")])
def test_in_a_hook_of_git_the_repository_is_that_of_the_study(repository, monkeypatch, variable, where):
    (repository / "studies").mkdir()
    monkeypatch.setenv(variable, str(repository / where))
    assert check_revision("before", repository / "studies") == repository


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_hooks_of_the_project_are_not_run(repository):
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    with sides(["study.yaml", "rev:before"], ["study.yaml"]) as (before, _):
        assert before.subject.config.behaviors[0].buffer_size == 2048


@pytest.mark.parametrize(
    ("revision", "said", "mend"),
    [
        ("HEAD^{tree}", "is no commit", "name one commit"),
        ("before..HEAD", "is no commit", "name one commit"),
        ("later", "knows no revision", "fetch it first"),
        ("-x", "knows no revision", "fetch it first"),
    ],
)
def test_of_a_revision_that_is_none_the_reason_is_told(repository, revision, said, mend):
    with pytest.raises(NotReady, match=said) as refused:
        check_revision(revision, repository)
    assert mend in str(refused.value.hint)


def test_a_project_without_a_commit_and_a_machine_without_git_are_told(place, monkeypatch):
    git(place, "init", "-q")
    with pytest.raises(NotReady, match="has no commit yet"):
        check_revision("HEAD", place)
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(NotReady, match="git is not on PATH") as refused:
        check_revision("HEAD", place)
    assert "install git" in str(refused.value.hint)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_the_worktree_of_a_check_that_is_killed_goes(repository, tmp_path):
    (tmp_path / "scratch").mkdir()
    lines = [
        "import sys, time", "from pathlib import Path", "from sweeper.app.check.git import worktree",
        "with worktree('before', Path.cwd()) as (place, _):", "    print(place, flush=True)", "    time.sleep(60)",
    ]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(tmp_path / "scratch"), "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)], cwd=repository, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    made = Path(process.stdout.readline().strip())
    assert (made / "study.yaml").is_file()
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 15
    while made.parent.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    forget_lost_worktrees(repository)
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1


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
    write_results(folder, repository / "study.yaml")
    assert look_at([str(folder.root)], ["before"], needs_both=True) == "racer"
    with pytest.raises(NotReady, match="no revision 'later'"):
        look_at([str(repository / "study.yaml"), "rev:later"], ["before"], needs_both=True)


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
