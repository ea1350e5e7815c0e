"""Maps of joints that users make: which of a file's joints each canonical joint is."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agegait.recordings.files.json_text import json_fault
from agegait.recordings.recording import listed
from agegait.skeletons import JOINTS

_MOST_BYTES = 2**20

_CANONICAL = {re.sub("[^a-z]", "", joint.lower()): joint for joint in JOINTS}


def joint_map_of(given: Any) -> dict[str, Any]:
    """A map in one form: canonical joints, each with a name, a number, or a list of names or of numbers.

    Args:
        given: A mapping, the path of a JSON file that holds one, or its JSON.

    Raises:
        ValueError: Something else.
    """
    if isinstance(given, str | os.PathLike):
        given = _from_json(given)
    if not isinstance(given, Mapping) or not given:
        raise ValueError(
            'joint_map: expected {"HipCenter": "pelvis", ...}, from canonical joints to yours, or a JSON file of that, '
            f"received {given!r:.80}."
        )
    found: dict[str, Any] = {}
    for key, value in given.items():
        joint = _CANONICAL.get(re.sub("[^a-z]", "", str(key).lower()))
        if joint is None or joint in found:
            raise ValueError(
                f"joint_map: expected canonical joints on the left, each once, from {', '.join(JOINTS)}, "
                f"received {str(key)[:80]!r}."
            )
        values = list(value) if isinstance(value, list | tuple) else [value]
        if not values or not (
            all(isinstance(one, str) for one in values)
            or all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in values)
        ):
            raise ValueError(
                f"joint_map: expected a joint's name, its number from 0, or a list of some for {joint}, "
                f"received {value!r:.80}."
            )
        found[joint] = values if len(values) > 1 else values[0]
    kinds = {isinstance(one, str) for value in found.values() for one in _joints(value)}
    if len(kinds) > 1:
        raise ValueError("joint_map: expected names of all joints, or numbers of all, received both.")
    return {joint: found[joint] for joint in JOINTS if joint in found}


def mapped_places(joint_map: Mapping[str, Any], names: tuple[str, ...] | None, joints: int) -> dict[str, list[int]]:
    """Where the mapped joints are in a recording.

    Args:
        joint_map: As of `joint_map_of`.
        names: Of the recording's joints; None where they have none.
        joints: How many it has.

    Raises:
        ValueError: A joint that the recording has not.
    """
    places: dict[str, list[int]] = {}
    for joint, value in joint_map.items():
        places[joint] = []
        for one in _joints(value):
            if isinstance(one, int):
                if one >= joints:
                    raise ValueError(f"joint_map: expected numbers of 0 to {joints - 1}, received {one} for {joint}.")
                places[joint].append(one)
                continue
            if names is None:
                raise ValueError(
                    f"joint_map: expected numbers of joints, which have no names here, received {one!r:.80}."
                )
            if names.count(one) != 1:
                raise ValueError(
                    f"joint_map: expected names of the file's joints, each there once, {listed(names)}, received "
                    f"{one!r:.80} for {joint}."
                )
            places[joint].append(names.index(one))
    return places


def _joints(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _from_json(given: str | os.PathLike) -> Any:
    text = os.fspath(given)
    if not text.lstrip().startswith("{"):
        path = Path(text)
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise ValueError(
                f"joint_map: expected a JSON file, received {text!r:.200}: {error.strerror or error}."
            ) from None
        if len(content) > _MOST_BYTES:
            raise ValueError(f"joint_map: expected at most {_MOST_BYTES:,} bytes, {text!r:.200} has more.")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError(f"joint_map: expected JSON in UTF-8, received {os.fspath(given)!r:.200}.") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"joint_map: expected JSON, received {os.fspath(given)!r:.200}: {json_fault(error)}."
        ) from None
