"""What tells a rebuilt build from the old one: the content of the files that decide what runs.

A build may write beside itself (saved games, logs, settings), and a copy has other times: neither makes it another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.model.identity import content

_BESIDE = re.compile(r"(UnityPlayer|GameAssembly|baselib)\.(so|dll|dylib)")
_GAME_FILE = re.compile(
    r"(globalgamemanagers|mainData|level\d+|boot\.config|unity default resources|unity_builtin_extra"
    r"|ScriptingAssemblies\.json|RuntimeInitializeOnLoads\.json"
    r"|.+\.(assets|resS|resource|unity3d|bundle|dll|so|dylib))(\.split\d+)?"
)
"""What Unity writes for a player; a file of another name is the game's own."""
_GAME_FOLDERS = ("Managed", "il2cpp_data", "MacOS")
"""In which every file is Unity's."""
_BLOCK_BYTES = 1024**2


def identity(build: Path | None) -> dict[str, str] | None:
    """Digests of the files that a build consists of, by their paths from its folder; None for the Editor.

    Raises:
        NotReady: one of them cannot be read.
    """
    if build is None:
        return None
    files = sorted({path for path in (build, *_game_files(build)) if path.is_file()})
    return {path.relative_to(build.parent).as_posix(): content(_digest(path)) for path in files}


def _game_files(build: Path) -> Iterator[Path]:
    if build.is_dir():
        yield from _inside(build)
        return
    yield from (path for path in build.parent.glob("*") if _BESIDE.fullmatch(path.name))
    yield from _inside(build.with_name(f"{build.stem}_Data"))


def _inside(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        folders = path.relative_to(folder).parts[:-1]
        if _GAME_FILE.fullmatch(path.name) or any(name in _GAME_FOLDERS for name in folders):
            yield path


def _digest(path: Path) -> str:
    found = hashlib.blake2b(digest_size=8)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                found.update(block)
    except OSError as error:
        raise NotReady(f"cannot read {path}, a part of the build: {error.strerror or error}") from None
    return found.hexdigest()
