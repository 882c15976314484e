"""Scripts that are there and cannot start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.session.interpreter import how_to_let_it_start, why_it_cannot_start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="first lines are POSIX's")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\r\nexit 0\r\n", "its lines end as on Windows"),
        ("#!/opt/gone/bin/python3\nprint()\n", "its first line names /opt/gone/bin/python3, which is not there"),
    ],
)
def test_the_system_calls_it_missing_and_we_say_why(tmp_path: Path, text: str, said: str) -> None:
    script = tmp_path / "game.x86_64"
    script.write_bytes(text.encode())
    script.chmod(0o755)
    with pytest.raises(FileNotFoundError):
        subprocess.run([script], check=False)
    found = why_it_cannot_start(script)
    assert found is not None
    assert said in found[0]


@pytest.mark.parametrize(
    "text", ["#!/bin/sh\nexit 0\n", "#!/usr/bin/env python3\n", "#!standin\n{}", "", "\x7fELF", "#!"]
)
def test_nothing_is_said_of_what_may_start(tmp_path: Path, text: str) -> None:
    script = tmp_path / "game.x86_64"
    script.write_text(text)
    assert why_it_cannot_start(script) is None
    assert why_it_cannot_start(tmp_path / "gone") is None


@pytest.mark.parametrize(
    ("content", "is_program"),
    [(b"notes\n", False), (b"\x7fELF\x02\x01", True), (b"#!/bin/sh\n", True), (b"", True)],
)
def test_text_is_not_to_be_made_executable(tmp_path: Path, content: bytes, is_program: bool) -> None:
    file = tmp_path / "my game"
    file.write_bytes(content)
    assert how_to_let_it_start(file).startswith("chmod +x '") == is_program


def test_the_mend_mends_it(tmp_path: Path) -> None:
    script = tmp_path / "my game.x86_64"
    script.write_bytes(b"#!/bin/sh\r\nexit 7\r\n")
    script.chmod(0o755)
    found = why_it_cannot_start(script)
    assert found is not None
    subprocess.run(["sh", "-c", found[1]], check=True)
    assert subprocess.run([script], check=False).returncode == 7
