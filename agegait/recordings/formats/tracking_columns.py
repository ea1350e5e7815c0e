"""Which columns of a table say whether a joint was tracked."""

from collections.abc import Sequence

from agegait.recordings.formats.column_names import compact
from agegait.recordings.formats.column_words import TRACKED


def find_tracking(columns: Sequence[str], joints: Sequence[str]) -> tuple[tuple[int | None, ...], str]:
    """Finds the way of writing in which most joints have a column for their tracking.

    Where hands alone have one, such as `HandLeftState`, it is what a hand does, no state of tracking. Single letters
    count where more than half of the joints have one.

    Args:
        columns: The columns' names.
        joints: As the names of their coordinates have them.

    Returns:
        The column of each joint, or None; and the word that they have in their names.
    """
    places: dict[str, list[int]] = {}
    for index, name in enumerate(columns):
        places.setdefault(compact(name), []).append(index)
    for word in TRACKED:
        ways: dict[str, dict[int, int]] = {}
        for number, joint in enumerate(joints):
            own = compact(joint)
            for index in [*places.get(own + word, ()), *places.get(word + own, ())]:
                way = columns[index].lower().strip().replace(joint.lower(), "{}", 1)
                ways.setdefault(way, {}).setdefault(number, index)
        found = max(ways.values(), key=len, default={})
        hands = all("hand" in joints[number].lower() for number in found)
        if 2 * len(found) > len(joints) or not (hands or len(word) == 1):
            return tuple(found.get(number) for number in range(len(joints))), word
    return (None,) * len(joints), ""
