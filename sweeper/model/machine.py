"""The machine and software that numbers belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Hardware and software fingerprint. Memory in bytes.

    `key` is equal for machines whose numbers may be compared. `usable_cores` respects affinity and container
    quotas, `memory_bytes` container limits.
    """

    key: str
    cpu_model: str
    physical_cores: int | None
    usable_cores: int
    memory_bytes: int
    available_memory_bytes: int
    gpus: tuple[str, ...]
    os: str
    python: str
    mlagents: str | None
    torch: str | None
    packages: Mapping[str, str]
