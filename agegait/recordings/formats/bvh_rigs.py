"""Which joint of a rig is which of the canonical joints."""

import re
from collections.abc import Mapping, Sequence

_SIDED = {
    "Shoulder": ("arm", "uparm", "uarm", "upperarm", "shldr", "humerus", "shoulder"),
    "Elbow": ("forearm", "lowarm", "farm", "lowerarm", "radius", "elbow"),
    "Wrist": ("wrist", "hand"),
    "Hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "Knee": ("leg", "lowleg", "lowerleg", "shin", "calf", "tibia", "knee"),
    "Ankle": ("ankle", "foot"),
    "Foot": ("toebase", "toe", "toes", "toe0", "ball", "bigtoe"),
}
"""Names of the joints at the beginning of arms and legs' bones; of two that a rig has, the first.

A shoulder is where the upper arm begins: where a rig has LeftArm, its LeftShoulder is the collar bone.
"""

_MIDDLE = {
    "HipCenter": ("hips", "hip", "pelvis", "root", "hipcenter", "centerhip", "chip", "midhip", "waist"),
    "Spine": ("spine", "lowerback", "abdomen", "ab", "waist", "torso", "spine1", "l3", "chest"),
    "ShoulderCenter": ("neck", "neck1"),
    "Head": ("head",),
}
_PARTS = frozenset(part for parts in _SIDED.values() for part in parts) | {"ear"}

_NEEDED = ("Head", *(f"{part}{side}" for part in list(_SIDED)[:6] for side in ("Left", "Right")))


def canonical_joints(
    names: Sequence[str], parents: Sequence[int], offsets: Sequence[Sequence[float]]
) -> dict[str, list[int]] | None:
    """Finds the canonical joints in a rig.

    Hands, heads and feet without a joint are where bones end: a hand is in the middle of what begins behind the wrist,
    a head in the middle between where it begins and where it ends.

    Args:
        names: Of the joints; empty for ends of bones.
        parents: The index of what each hangs on; -1 for a root.
        offsets: [3] each, from there. Joints in the very place of what they hang on, which some rigs have, are none
            that a hand or a foot can be at.

    Returns:
        For each canonical joint that the rig has, the indices of those whose mean it is; None if the rig is of no
        usual names.
    """
    spelled: dict[tuple[str, str], int] = {}
    for index, name in enumerate(_without_prefix(names)):
        spelled.setdefault(_spelled(name), index)
    found: dict[str, list[int]] = {}
    for joint, parts in _MIDDLE.items():
        _find(found, joint, "", parts, spelled)
        if joint == "HipCenter" and found.get(joint) == [spelled.get(("", "waist"))]:
            spelled.pop(("", "waist"))  # where a rig has hips, its waist is above them
    for side in ("Left", "Right"):
        for joint, parts in _SIDED.items():
            _find(found, f"{joint}{side}", side, parts, spelled)
        for joint, part, other in (("Hand", "hand", "Wrist"), ("Foot", "foot", "Ankle")):
            if found.get(f"{other}{side}") != (own := [spelled.get((side, part), -1)]) != [-1]:
                found.setdefault(f"{joint}{side}", own)
    if "Head" not in found and all((side, "ear") in spelled for side in ("Left", "Right")):
        found["Head"] = [spelled["Left", "ear"], spelled["Right", "ear"]]
    if any(joint not in found for joint in _NEEDED):
        return None
    behind: dict[int, list[int]] = {index: [] for index in range(len(names))}
    for child in reversed(range(len(names))):  # what hangs on a joint comes behind it
        if parents[child] >= 0:
            ends = [child] if any(offsets[child]) else behind[child] or [child]
            behind[parents[child]] = ends + behind[parents[child]]
    for side in ("Left", "Right"):
        _extend(found, f"Hand{side}", behind[found[f"Wrist{side}"][0]])
        if f"Foot{side}" not in found:
            _extend(found, f"Foot{side}", behind[found[f"Ankle{side}"][0]])
    head = found["Head"][0]
    found["Head"] = [
        *found["Head"],
        *sorted(behind[head], key=lambda child: not re.search("top|end|^$", names[child], re.I))[:1],
    ]
    return found


def _find(
    found: dict[str, list[int]], joint: str, side: str, parts: Sequence[str], spelled: Mapping[tuple[str, str], int]
) -> None:
    index = next((spelled[side, part] for part in parts if (side, part) in spelled), None)
    if index is not None:
        found[joint] = [index]


def _extend(found: dict[str, list[int]], joint: str, behind: list[int]) -> None:
    if behind:
        found[joint] = behind


_ENDS = ("l", "r", "left", "right", *_PARTS)


def _without_prefix(names: Sequence[str]) -> list[str]:
    """Names without what a program puts before all of them, such as `mixamorig:`, or behind them, as `.real`."""
    own = [name.rpartition(":")[2] for name in names]
    prefixes = {match[0] for name in own if (match := re.match(r"[A-Za-z]+[0-9]*[_ ]", name))}
    shared = [prefix for prefix in prefixes if sum(name.startswith(prefix) for name in own) > len(own) / 3]
    common = [prefix for prefix in shared if prefix.strip("_ ").lower() not in ("l", "r", "left", "right")]
    if common:
        own = [name.removeprefix(common[0]) for name in own]
    ends = {match[0] for name in own if (match := re.search(r"[._][A-Za-z]{1,20}$", name))}
    alike = [end for end in ends if end.strip("._").lower() not in _ENDS and all(name.endswith(end) for name in own)]
    return [name.removesuffix(alike[0]) for name in own] if alike else own


def _spelled(name: str) -> tuple[str, str]:
    """A joint's side and its part of the body, in small letters."""
    part = re.sub("[^a-z0-9]", "", name.lower())
    for side in ("Left", "Right"):
        letters, letter = side.lower(), side[0].lower()
        if letters in part:
            return side, part.replace(letters, "", 1)
        if part[:1] == letter and part[1:] in _PARTS:
            return side, part[1:]
        if part[-1:] == letter and part[:-1] in _PARTS:
            return side, part[:-1]
    return "", part
