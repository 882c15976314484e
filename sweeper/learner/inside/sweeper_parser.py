"""Asks the learner's own parser about trainer configs; runs in the learner's Python, and trains nothing.

    python sweeper_parser.py < REQUESTS

Requests are JSON: a list of {"text": the config, "argv": what follows it on the command line}. The last line of the
output is JSON: for each of them null, or {"path": [keys to what is refused], "message": why}.
"""

import contextlib
import copy
import json
import sys
import warnings

MOST_KEYS = 200
"""Of one section, that are tried for being the one that is refused."""


class Parser:
    """mlagents' own, from 0.20 to 1.1.0, given data for a file."""

    def __init__(self):
        from mlagents.trainers import cli_utils, learn, settings

        getattr(learn, "register_trainer_plugins", lambda: None)()
        self._cli, self._settings = cli_utils, settings

    def refusal(self, data, argv):
        """Why it refuses `data`; None where it does not."""
        self._cli.DetectDefault.non_default_args.clear()
        self._settings.TrainerSettings.default_override = None
        self._settings.load_config = lambda path: copy.deepcopy(data)
        arguments = self._cli.parser.parse_args(["config.yaml", *argv])
        try:
            self._settings.RunOptions.from_argparse(arguments)
        except Exception as error:
            name = type(error).__name__
            text = str(error) if name == "TrainerConfigError" else "%s: %s" % (name, error)
            return " ".join(text.split())
        return None


def main():
    requests = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = Parser()
        answers = [answer(parser, request["text"], request["argv"]) for request in requests]
    sys.stdout.write(json.dumps(answers, default=str) + "\n")


def answer(parser, text, argv):
    import yaml

    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        return {"path": [], "message": " ".join(str(error).split())}
    message = parser.refusal(data, argv)
    if message is None:
        return None
    return {"path": refused_path(data, message, lambda changed: parser.refusal(changed, argv)), "message": message}


def refused_path(data, message, refusal):
    """Where it stands: the deepest entry without which `data` is accepted, or else refused for something else.

    Of a mistake that is made in several places, the first.
    """
    path = []
    while True:
        section = at(data, path)
        if isinstance(section, dict):
            keys = list(section)[:MOST_KEYS]
        elif isinstance(section, list):
            keys = list(range(len(section)))[:MOST_KEYS]
        else:
            return path
        found = {key: refusal(without(data, path + [key])) for key in keys}
        accepted = [key for key in keys if found[key] is None]
        changed = [key for key in keys if found[key] != message]
        # What is of another type takes no notice of its settings, which says nothing of them.
        settings = [key for key in changed if not is_type(section, key, message)]
        if not changed:
            key, data = first_of_several(data, path, keys, message, refusal)
            if key is None:
                return path
        else:
            key = ([key for key in accepted if key in settings] or settings or changed)[0]
        path.append(key)


def is_type(section, key, message):
    """Whether it says what the other entries of its section are settings of, and is not refused by name."""
    return isinstance(section, dict) and str(key).endswith("_type") and "'%s'" % (section[key],) not in message


def first_of_several(data, path, keys, message, refusal):
    """The first of `keys` that make one mistake together, and `data` without the others; None where there is none."""
    rest = data
    for key in reversed(keys):
        fewer = without(rest, path + [key])
        told = refusal(fewer)
        if told is None or (told != message and at(fewer, path)):
            return key, rest
        if told != message:
            break
        rest = fewer
    return None, data


def at(data, path):
    for key in path:
        data = data[key]
    return data


def without(data, path):
    changed = copy.deepcopy(data)
    del at(changed, path[:-1])[path[-1]]
    return changed


if __name__ == "__main__":
    main()
