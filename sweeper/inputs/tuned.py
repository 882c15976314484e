"""The user's trainer config with tuned values, comments and order kept."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

from sweeper.errors import InvalidInput
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, TrainerConfig, put_params
from sweeper.model.trial import ParamValue
from sweeper.outside import short

_INDENTED_LIST = re.compile(r"^( *)[^\s#-].*:[ \t]*\n\1 +- ", re.MULTILINE)
"""Lists may stand at their key's column or be indented; the file's own way is kept, so that the diff is small."""


def tuned_text(config: TrainerConfig, params: Mapping[str, ParamValue]) -> str:
    """The text of `config` with `params` put in; `mlagents-learn` accepts it as it is.

    Environments and areas belong on the command line; where the file names them, they follow too, so that file and
    command line do not contradict each other.

    Raises:
        InvalidInput: the file cannot be rewritten with its comments kept; says why.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    offset = 2 if _INDENTED_LIST.search(config.text) else 0
    yaml.indent(mapping=2, sequence=2 + offset, offset=offset)
    try:
        data = yaml.load(config.text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidInput(f"{config.path}{line}: not valid YAML 1.2: {short(str(error.problem or error))}") from None
    put_params(data, params)
    env = data.get("env_settings")
    for knob in LAUNCH_KNOBS:
        if isinstance(env, dict) and knob in env and knob in params:
            env[knob] = params[knob]
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
