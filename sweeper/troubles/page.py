"""The page of the docs about troubles, made from the table."""

from __future__ import annotations

import re
import textwrap

from sweeper.troubles import BEFOREHAND, BY_PLAYERS, BY_THE_LEARNER, ENDINGS, OF_PLAYERS
from sweeper.troubles.trouble import Trouble

WIDTH = 120
_COMMAND = re.compile(r"pip install \S+|`[^`]+`")
_UNBROKEN = "\N{NO-BREAK SPACE}"
EXAMPLES: dict[str, object] = {
    "num_envs": 4,
    "num_areas": 16,
    "batch_size": 256,
    "base_port": 5005,
    "behaviors": "Car",
    "peak": "7.2 GiB",
    "shm": "64 MiB",
    "shm_free": "0 B",
    "open_files": 256,
    "proxy": "http_proxy",
    "signal": "SIGKILL",
}
"""What stands on the page for what is known of a machine and a session."""
_HEAD = """\
# Troubleshooting

What goes wrong, and what `sweeper` says about it: on the terminal where your own settings are concerned, and in the
report and `results.json` (`diagnosis`) for every trial. `sweeper doctor STUDY` finds some of it before anything runs.
Numbers and names below are examples; `sweeper` says yours, where it knows them.

This page is made from the table that `sweeper` itself reads: `python tools/troubleshooting.py` writes it.
"""
_ROOMS: tuple[tuple[str, tuple[Trouble, ...]], ...] = (
    ("Before it runs, and when it is slow", BEFOREHAND),
    ("How a session ends", ENDINGS),
    ("What the learner's log says", BY_THE_LEARNER),
    ("What is said of players", (*BY_PLAYERS, *OF_PLAYERS)),
)


def page() -> str:
    """In Markdown."""
    parts = [_HEAD]
    for name, troubles in _ROOMS:
        parts.append(f"## {name}\n")
        parts += [_entry(trouble) for trouble in troubles]
    return "\n".join(parts).rstrip("\n") + "\n"


def _entry(trouble: Trouble) -> str:
    lines = [f"### {trouble.title}", ""]
    if trouble.example is not None:
        lines += ["```text", trouble.example, "```", ""]
    said = _COMMAND.sub(lambda match: match.group(0).replace(" ", _UNBROKEN), _sentence(trouble))
    wrapped = textwrap.fill(said, WIDTH, initial_indent="> ", subsequent_indent="> ", break_on_hyphens=False)
    lines += [wrapped.replace(_UNBROKEN, " "), ""]
    return "\n".join(lines)


def _sentence(trouble: Trouble) -> str:
    said = trouble.told(EXAMPLES) if trouble.example is None else trouble.found_in(trouble.example, EXAMPLES)
    assert said is not None, f"the example of {trouble.key} is not recognised"
    if said.split()[0].isalpha():
        said = said[0].upper() + said[1:]
    return said if said.endswith((".", "?")) else f"{said}."
