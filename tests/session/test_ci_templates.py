"""The templates of `ci/`, as far as they run here: their steps, with the variables that a runner sets."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sweeper.app.check.folder import NAMES
from tests.conftest import MEASURE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(workshop):
    """A project in git whose main branch has another batch size; its builds do not survive being suspended."""
    workshop.scenario(dies_of_pauses_above=0.1)
    workshop.study(baseline={"num_envs": 2, "num_areas": 1}, measure={**MEASURE, "max_seconds": 0.6})
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "study.yaml", "car.yaml"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "one"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run(["git", *arguments], cwd=workshop.root, check=True, capture_output=True)
    workshop.config(batch_size=32)
    return workshop


GET_BUILDS = "for side in baseline candidate; do mkdir -p Builds/$side; cp build.x86_64 Builds/$side/Game.x86_64; done"


def run(project, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**project.environment(), **variables}
    script = script.replace("python -m pip install", "true ")
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=project.root, env=environment, capture_output=True, text=True, check=False
    )


def test_the_github_template_checks_and_leaves_what_its_steps_upload(project):
    template = yaml.safe_load((ROOT / "ci" / "github-actions.yml").read_text())
    steps = template["jobs"]["self-hosted"]["steps"]
    values = {**template["env"], "SWEEPER": "sweeper.whl", "BASELINE": "origin/main", "GET_BUILDS": GET_BUILDS}
    summary, outputs = project.root / "summary.md", project.root / "outputs"
    surroundings = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    for step in steps:
        if "run" in step:
            done = run(project, step["run"], CI="true", **values, **surroundings)
            assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS" in summary.read_text()
    assert re.search("^verdict=(pass|improved)$", outputs.read_text(), re.M)
    uploaded = project.root / next(step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", ""))
    assert json.loads((uploaded / "check.json").read_text())["candidate"]["named"] == [
        "study.yaml",
        "build:Builds/candidate/Game.x86_64",
    ]
    assert project.leftovers() == []
    listed = subprocess.run(["git", "worktree", "list"], cwd=project.root, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1


def test_the_gitlab_template_names_reports_that_a_check_leaves(project):
    """The command is the one that the other template's test runs; what GitLab collects is what a check writes."""
    template = yaml.safe_load((ROOT / "ci" / "gitlab-ci.yml").read_text())
    github = yaml.safe_load((ROOT / "ci" / "github-actions.yml").read_text())
    line = template["throughput"]["script"][0]
    assert line.split() == github["jobs"]["self-hosted"]["steps"][-2]["run"].split()
    words = line.replace("sweeper check", "echo")
    assert run(project, words, **template["variables"]).returncode == 0
    artifacts = template[".throughput"]["artifacts"]
    for path in artifacts["reports"].values():
        folder, _, name = path.partition("/")
        assert folder in artifacts["paths"]
        assert name in NAMES


def test_the_templates_stop_until_they_are_told_what_to_install_and_where_builds_come_from(workshop):
    """A bare name would be whatever a public registry has under it; without builds a check compares nothing."""
    github = yaml.safe_load((ROOT / "ci" / "github-actions.yml").read_text())
    gitlab = yaml.safe_load((ROOT / "ci" / "gitlab-ci.yml").read_text())
    steps = [step["run"] for step in github["jobs"]["hosted"]["steps"] if "run" in step]
    for values, commands in ((github["env"], steps), (gitlab["variables"], gitlab[".throughput"]["before_script"])):
        assert (values["SWEEPER"], values["GET_BUILDS"]) == ("", "")
        for command in commands[:2]:
            done = run(workshop, command, **values)
            assert done.returncode != 0
            assert "set it to" in done.stderr


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_every_command_of_the_templates_is_one_that_we_accept(name, workshop):
    text = (ROOT / "ci" / name).read_text()
    known = workshop.sweeper("check", "--help", env={**workshop.environment(), "COLUMNS": "200"}).stdout
    commands = re.findall(r"sweeper check ((?:[^\n]|\\\n|\n {10})*)", text)
    assert commands
    for flag in re.findall(r"--[a-z][a-z-]*", " ".join(commands)):
        assert flag in known
