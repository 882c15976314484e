"""A first study file."""

from __future__ import annotations

import re
from pathlib import Path

from sweeper.app.outputs import write_atomically
from sweeper.errors import InvalidInput

TEMPLATE = """\
# A sweeper study: which settings make this training fastest on this machine?
# Run it with: sweeper run {name}
version: 1
name: "{stem}"

# Your ordinary ML-Agents trainer config; it is read, never modified. Paths are relative to this file.
trainer_config: Car_ppo.yaml

# Your Unity build. `demo:racer` is the bundled demo build. Leave it out to train in the Unity Editor, where
# num_envs is 1 and every trial waits for you to press Play.
env_path: demo:racer

# What you run today, to compare with. Left out: what the trainer config says.
baseline: {{num_envs: 1, num_areas: 1}}

# The most memory that learner and players may use together: an amount, or a share of what is available.
memory_cap: 80%

# The study's total. Longer is better: every trial is a real, short training session.
budget: 20m

# What to try. Left out: derived from this machine and the trainer config. Any other key of the trainer config can be
# searched by its path, such as hyperparameters.buffer_size.
space:
  num_envs: {{low: 1, high: 8}}
  num_areas: [1, 4, 16]           # acts only if the scene has a TrainingAreaReplicator
  batch_size: [128, 256, 512]
  # threaded: [false, true]

# The learning guard: a bigger batch is faster only because it learns less. Configurations with fewer updates per step
# than this share of yours are refused. `off` to allow them.
min_updates: 25%

# Left out: as the trainer config has it. time_scale changes physics, so it is never searched.
engine: {{no_graphics: true}}
"""


def write_study_file(path: Path) -> None:
    """Write a commented study file.

    Raises:
        InvalidInput: the file exists, or its folder does not.
    """
    if path.exists():
        raise InvalidInput(f"{path} exists; nothing was overwritten", "choose another name: sweeper init PATH")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path.parent}: no such folder")
    # A study's name: ASCII letters and digits, '.', '_' and '-', the first a letter or digit.
    stem = re.sub(r"[^A-Za-z0-9._-]", "-", path.stem).lstrip("._-")[:80] or "study"
    write_atomically(path, TEMPLATE.format(name=path.name, stem=stem))
