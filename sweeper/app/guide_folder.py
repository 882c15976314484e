"""The folder of a guide's table: an earlier table is gone on with, or moved aside; never somebody else's files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.app.outputs import remove_half_written, write_atomically
from sweeper.app.study_folder import ELSEWHERE, aside
from sweeper.errors import InvalidInput, NotReady
from sweeper.model.folder import StudyFolder
from sweeper.model.guide import FORMAT, VERSION, GuideResult
from sweeper.model.identity import differences
from sweeper.model.study import from_json, to_json
from sweeper.outside import read_bounded

MAX_BYTES = 64 * 1024**2
_SESSION = re.compile(r"(\d+)-\d+x\d+")
"""A session's folder: its number and its row."""


@dataclass(frozen=True)
class GuideFolder:
    """Where a guide's table and its sessions are left."""

    root: Path

    @property
    def file(self) -> Path:
        """The table, as of the last session."""
        return self.root / "guide.json"

    @property
    def trials(self) -> Path:
        """One folder a session."""
        return self.root / "trials"

    @property
    def next_number(self) -> int:
        """Of the next session: above all that have a folder, those that were cut off included."""
        found = [_SESSION.fullmatch(path.name) for path in self.trials.iterdir()]
        return 1 + max((int(match[1]) for match in found if match), default=-1)

    def open(self, asked: Mapping[str, Any], say: Callable[[str], None]) -> GuideResult | None:
        """Make it ready; returns the table to go on with, None where all is measured anew.

        Raises:
            InvalidInput: it holds files of these names that this command did not write.
            NotReady: it cannot be read or written.
        """
        try:
            earlier = self._opened(asked, say)
            self.trials.mkdir(parents=True, exist_ok=True)
            remove_half_written(StudyFolder(self.root))
        except OSError as error:
            raise NotReady(f"cannot write to {self.root}: {error.strerror or error}", ELSEWHERE) from None
        return earlier

    def write(self, result: GuideResult) -> None:
        """Replace the table.

        Raises:
            NotReady: it cannot be written.
        """
        write_atomically(self.file, json.dumps(to_json(result), indent=1) + "\n")

    def _opened(self, asked: Mapping[str, Any], say: Callable[[str], None]) -> GuideResult | None:
        if not self.file.exists():
            if self._holds_sessions():
                say(f"What an earlier run left without a table is now in {self._move_aside()}.")
            return None
        try:
            earlier = self._read()
        except ValueError as error:
            say(f"The earlier table cannot be read ({error}): it is now in {self._move_aside()}.")
            return None
        if earlier.is_complete or earlier.asked is None:
            say(f"The earlier table is now in {self._move_aside()}.")
            return None
        if not earlier.trials:
            return None
        if changed := differences(earlier.asked, asked):
            moved = self._move_aside()
            say(f"Measured anew, because {'; '.join(changed)}. What was measured before is now in {moved}.")
            return None
        many = "" if len(earlier.trials) == 1 else "s"
        say(f"Going on where it was stopped, with {len(earlier.trials)} session{many} measured before.")
        return earlier

    def _holds_sessions(self) -> bool:
        names = [path.name for path in self.trials.iterdir()] if self.trials.is_dir() else []
        if any(_SESSION.fullmatch(name) is None for name in names):
            raise InvalidInput(f"{self.trials} holds files that this command did not write", ELSEWHERE)
        return bool(names)

    def _read(self) -> GuideResult:
        """The table; raises ValueError where it is one and is not understood."""
        text = read_bounded(self.file, MAX_BYTES)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InvalidInput(f"{self.file} is not a table that this command wrote", ELSEWHERE)
        result: GuideResult = from_json(GuideResult, text)
        if result.version > VERSION:
            raise ValueError(f"format version {result.version}; this sweeper reads up to {VERSION}")
        return result

    def _move_aside(self) -> Path:
        """What is ours goes into a folder beside; what users put there stays."""
        moved = aside(self.root)
        moved.mkdir()
        for path in (self.trials, self.file):
            if path.exists():
                path.rename(moved / path.name)
        return moved
