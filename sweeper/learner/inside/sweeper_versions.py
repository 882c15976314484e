"""Tells which Python a learner runs in, and the versions of packages there, before it reads its command line.

Runs inside `mlagents-learn` as a trainer plug-in without a trainer (entry point group `mlagents.trainer_type`), and
only where the environment asks for it. So it is known behind a script or `conda run`, too.

    SWEEPER_VERSIONS   file to write to: {"python": path, "packages": {name: version or null}}
    SWEEPER_PACKAGES   their names, with commas between them
"""

import importlib.metadata
import json
import os
import sys


def get_trainers():
    """The plug-in's entry point: no trainer, no settings."""
    path = os.environ.get("SWEEPER_VERSIONS")
    if path:
        names = os.environ.get("SWEEPER_PACKAGES", "").split(",")
        try:
            with open(path, "w") as file:
                json.dump({"python": sys.executable, "packages": {name: version(name) for name in names}}, file)
        except OSError:  # then nobody is told
            pass
    return {}, {}


def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
