"""`ci/Dockerfile`: linted everywhere, built where docker is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli

from sweeper import __version__

ROOT = Path(__file__).parents[2]
FILE = ROOT / "ci" / "Dockerfile"
KNOWN = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "LABEL", "RUN", "USER", "WORKDIR"}
"""Of Docker's instructions those that this file may need; ADD would fetch addresses, the others are for services."""
PYPROJECT = tomli.loads((ROOT / "pyproject.toml").read_text())
TAG = "sweeper-test-image"


@dataclass(frozen=True)
class Instruction:
    """One of a Dockerfile's; `rest`: its lines as they are, without comments."""

    name: str
    rest: str

    @property
    def words(self) -> list[str] | None:
        """Of the exec form; None of the shell form."""
        return json.loads(self.rest) if self.rest.startswith("[") else None


def instructions(text: str) -> list[Instruction]:
    found, begun = [], ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun += f"{line}\n"
        if not line.endswith("\\"):
            name, rest = begun.split(maxsplit=1)
            found.append(Instruction(name, rest.strip()))
            begun = ""
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[Instruction]:
    return instructions(FILE.read_text())


def of(dockerfile: list[Instruction], name: str) -> list[str]:
    return [one.rest for one in dockerfile if one.name == name]


def copied(dockerfile: list[Instruction]) -> list[str]:
    return [source for rest in of(dockerfile, "COPY") for source in rest.split()[:-1]]


def test_instructions_go_over_lines_and_comments_are_left_out():
    found = instructions('# one\nFROM a:1\n\nRUN b \\\n    # why\n    && c\nCMD ["d"]\n')
    assert [(one.name, one.rest) for one in found] == [("FROM", "a:1"), ("RUN", "b \\\n    && c"), ("CMD", '["d"]')]
    assert found[-1].words == ["d"]


def test_every_instruction_is_known(dockerfile):
    assert {one.name for one in dockerfile} <= KNOWN


def test_the_base_is_the_python_that_the_project_needs(dockerfile):
    assert dockerfile[0].name == "FROM"
    assert [re.match(r"python:(\d+\.\d+)\b", base).group(1) for base in of(dockerfile, "FROM")] == ["3.10"]
    assert PYPROJECT["project"]["requires-python"].startswith(">=3.10.")


def test_what_is_copied_is_in_the_repository(dockerfile):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for source in copied(dockerfile):
        assert (ROOT / source).exists()
        assert not listed or re.search(rf"^{re.escape(source)}(/|$)", listed, re.M), f"{source} is in no clone"


def test_what_make_setup_reads_is_copied(dockerfile):
    """Its prerequisites, and what the project's metadata names: without one of them the build ends in an error."""
    needed = re.search(r"^\$\(READY\): (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    needed += [PYPROJECT["project"]["readme"], *PYPROJECT["project"]["license-files"], "Makefile"]
    needed += PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for path in needed:
        assert {path, path.split("/")[0]} & set(copied(dockerfile)), path
    assert any("make setup" in command for command in of(dockerfile, "RUN"))


def test_commands_are_ones_that_a_shell_reads(dockerfile):
    commands = [one.rest for one in dockerfile if one.name in ("RUN", "CMD", "ENTRYPOINT") and one.words is None]
    assert commands
    for command in commands:
        done = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_nobody_is_root_when_it_runs(dockerfile):
    user = of(dockerfile, "USER")[-1].split(":")[0]
    assert user not in ("root", "0")
    assert user.isdecimal(), "orchestrators that refuse root cannot tell it of a name"
    last = max(at for at, one in enumerate(dockerfile) if one.name == "USER")
    assert "RUN" not in [one.name for one in dockerfile[last:]], "what is built belongs to root, and nobody writes it"


def test_it_starts_a_program_that_is_installed_there(dockerfile):
    entry, arguments = ([one.words for one in dockerfile if one.name == name] for name in ("ENTRYPOINT", "CMD"))
    assert entry[-1][0] in PYPROJECT["project"]["scripts"]
    assert arguments[-1] == ["--help"]
    places = re.search(r"PATH=(\S+)", "\n".join(of(dockerfile, "ENV"))).group(1).split(":")
    assert places[0] == f"{of(dockerfile, 'WORKDIR')[0]}/.venv/bin"


@pytest.mark.alone
@pytest.mark.timeout(1800)
def test_it_builds_and_runs() -> None:
    """Minutes, and gigabytes from the network."""
    if not _serves():
        pytest.skip("no docker here")
    try:
        _docker("build", "--file", str(FILE), "--tag", TAG, str(ROOT), seconds=1700)
        assert _docker("run", "--rm", TAG, "--version").strip() == f"sweeper {__version__}"
        assert _docker("run", "--rm", "--entrypoint", "id", TAG, "-u").strip() != "0"
        assert "A gate for CI" in _docker("run", "--rm", "--user", "54321:54321", TAG, "check", "--help")
    finally:
        subprocess.run(["docker", "image", "rm", "--force", TAG], capture_output=True, check=False)


def _serves() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, timeout=60, check=False).returncode == 0


def _docker(*arguments: str, seconds: float = 120.0) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
