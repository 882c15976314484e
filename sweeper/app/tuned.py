"""The user's trainer config with tuned values, comments and order kept."""

from __future__ import annotations

import io
from collections.abc import Mapping

from sweeper.model.trial import ParamValue
from sweeper.trainer_config import LAUNCH_KNOBS, TrainerConfig, put_params


def tuned_text(config: TrainerConfig, params: Mapping[str, ParamValue]) -> str:
    """The text of `config` with `params` put in; `mlagents-learn` accepts it as it is.

    Environments and areas belong on the command line; where the file names them, they follow too, so that file and
    command line do not contradict each other.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    data = yaml.load(config.text)
    put_params(data, params)
    env = data.get("env_settings")
    for knob in LAUNCH_KNOBS:
        if isinstance(env, dict) and knob in env:
            env[knob] = params[knob]
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
