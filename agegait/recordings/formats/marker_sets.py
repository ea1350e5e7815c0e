"""Sets of markers that laboratories put on bodies, and among which of them each canonical joint lies."""

from collections.abc import Mapping, Sequence

from agegait.skeletons import JOINTS

_SIDED: dict[str, tuple[str, ...]] = {
    "Shoulder": ("*SJC", "*SHO", "*Acromium", "*Acromion", "*ACR", "*ShoulderTop", "*Shoulder", "*.Shoulder"),
    "Elbow": ("*EJC", "*ELB *ELBM", "*ELB", "*LEL *MEL", "*ElbowOut *ElbowIn", "*ElbowOut", "*Elbow", "*ElbowLat"),
    "Wrist": ("*WJC", "*WRA *WRB", "*WristLat *WristMed", "*WristOut *WristIn", "*Wrist", "*WRI", "*HandOut *HandIn"),
    "Hand": ("*FIN", "*HandOut", "*Hand", "*HND"),
    "Hip": (
        *("*HJC", "*ASI *ASI *ASI *PSI *PSI *KNE", "*ASI *ASI *ASI SACR SACR *KNE"),
        *("*ASIS *ASIS *ASIS *PSIS *PSIS *KneeLat", "*ASIS *ASIS *ASIS VSacral VSacral *KneeLat"),
        *("*ASIS *ASIS *ASIS VSacral VSacral *Knee", "*ASIS *ASIS *ASIS Sacral Sacral *Knee"),
        *("Waist*Front Waist*Front Waist*Front Waist*Back Waist*Back *KneeOut", "Waist*Front WaistBack *KneeOut"),
        "W*Front W*Front W*Front W*Back W*Back *KneeOut",
    ),
    "Knee": (
        "*KJC",
        "*KNE *KNM",
        "*KNE *MKNE",
        "*KNE",
        "*KneeLat *KneeMed",
        "*KneeOut *KneeIn",
        "*KneeOut",
        "*KneeLat",
        "*Knee",
    ),
    "Ankle": (
        *("*AJC", "*ANK *MED", "*ANK *MANK", "*ANK", "*AnkleLat *AnkleMed", "*AnkleOut *AnkleIn", "*AnkleOut"),
        *("*AnkleLat", "*Ankle"),
    ),
    "Foot": ("*TOE", "*ToeTip", "*ToeIn *ToeOut", "*Toe", "*Forefoot2", "*ToeMed *ToeLat", "*MidfootSup"),
}
"""For each joint of a side the markers whose middle it is, * for L or R; those that a file has all of, the first."""

_MIDDLE: dict[str, tuple[str, ...]] = {
    "HipCenter": (
        *("LASI RASI LPSI RPSI", "LASI RASI SACR SACR", "LASIS RASIS LPSIS RPSIS", "LASIS RASIS VSacral VSacral"),
        *(
            "LASIS RASIS Sacral Sacral",
            "WaistLFront WaistRFront WaistLBack WaistRBack",
            "WLFront WRFront WLBack WRBack",
        ),
        "WaistLFront WaistRFront WaistBack WaistBack",
    ),
    "Spine": (
        *("LASI RASI LPSI RPSI T10 STRN", "LASI RASI LPSI RPSI STRN", "LASI RASI SACR SACR STRN"),
        *("LASIS RASIS VSacral VSacral Sternum", "WaistLFront WaistRFront WaistLBack WaistRBack Chest"),
        *("WLFront WRFront WLBack WRBack Chest", "WaistLFront WaistRFront WaistBack WaistBack Chest"),
    ),
    "ShoulderCenter": (
        *("C7 CLAV", "C7", "LAcromium RAcromium", "LAcromion RAcromion", "LACR RACR", "BackTop Chest", "BackTop"),
        *("SpineThoracic2 Chest", "LShoulderTop RShoulderTop", "LShoulder RShoulder"),
    ),
    "Head": (
        *("LFHD RFHD LBHD RBHD", "LFHD RFHD", "LBHD RBHD", "TopHead TopHead TopHead LAcromium RAcromium"),
        *("FrontHead RearHead", "HeadTop HeadFront HeadSide", "HeadL HeadR HeadFront", "HeadTop", "TopHead", "HEAD"),
    ),
}

_NEEDED = tuple(joint for joint in JOINTS if joint not in ("Spine", "HandLeft", "HandRight", "FootLeft", "FootRight"))


def placed_among(names: Sequence[str]) -> dict[str, list[int]] | None:
    """Among which markers the canonical joints are.

    Known are Plug-in Gait and what CGM2 adds to it, Helen Hayes, OpenSim's gait2354 and gait2392, OptiTrack's Baseline
    and Qualisys' sports markers.

    Args:
        names: Of the markers.

    Returns:
        For each canonical joint the indices of the markers whose mean it is, one more than once where it counts more;
        None where a set is of none of these, or has no head, pelvis, arms or legs.
    """
    places = {_spelled(name): index for index, name in reversed(list(enumerate(names)))}
    found: dict[str, list[int]] = {}
    for joint, ways in _MIDDLE.items():
        _find(found, joint, ways, places)
    for part, ways in _SIDED.items():
        for side in ("Left", "Right"):
            _find(found, f"{part}{side}", [way.replace("*", side[0]) for way in ways], places)
    return found if all(joint in found for joint in _NEEDED) else None


def _find(found: dict[str, list[int]], joint: str, ways: Sequence[str], places: Mapping[str, int]) -> None:
    for way in ways:
        markers = [_spelled(marker) for marker in way.split()]
        if all(marker in places for marker in markers):
            found[joint] = [places[marker] for marker in markers]
            return


def _spelled(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
