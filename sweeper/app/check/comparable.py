"""Whether two sides can be compared: something must differ, and what does must not make their steps other steps."""

from __future__ import annotations

from sweeper.errors import InvalidInput, NotComparable
from sweeper.model.gate import SideFacts
from sweeper.outside import short


def check_sides(one: SideFacts, other: SideFacts, same: bool = False) -> None:
    """That a comparison of these two would tell something. `same`: they are meant to be one thing.

    Raises:
        InvalidInput: they are meant to be one thing and are not.
        NotComparable: nothing that is known of them differs, or their steps are of other behaviours.
    """
    counts = [len(side.fingerprint["behaviours"]) for side in (one, other)]
    if counts[0] != counts[1] and all(counts):
        names = [", ".join(side.fingerprint["behaviours"]) for side in (one, other)]
        raise NotComparable(
            f"the baseline's trainer config is of {short(names[0])}, the candidate's of {short(names[1])}: agent steps "
            "of other behaviours are other steps",
            "give both configs the same behaviours",
        )
    differing = differences(one, other)
    if same and differing:
        raise InvalidInput(f"--same: the sides differ in {', '.join(differing)}", "leave it out to compare them")
    if same or differing:
        return
    today = [f"of {' '.join(side.named)}, {' and '.join(side.from_today)}" for side in (one, other) if side.from_today]
    taken = f"; {'; '.join(today)} was taken from today, because git does not hold it" if today else ""
    raise NotComparable(
        f"nothing that is known of the two sides differs (build, trainer config, learner, settings){taken}",
        "name what differs, such as --baseline build:OLD beside the revision; to compare a thing with itself: --same",
    )


def differences(one: SideFacts, other: SideFacts) -> tuple[str, ...]:
    """Names of what differs between two sides."""
    keys = {**one.fingerprint, **other.fingerprint}
    found = [key for key in keys if one.fingerprint.get(key) != other.fingerprint.get(key)]
    if one.params != other.params:
        found.append("settings")
    return tuple(found)
