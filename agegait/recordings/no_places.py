"""Numbers that programs write for joints that they have no place of, such as -1 or -9999."""

import dataclasses

import numpy as np

from agegait.recordings.recording import Recording

_USUAL = (-1.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, -32768.0, 32767.0, 65535.0)
_FEW = 10
"""Fewer frames say nothing."""

_SOME = 3
"""Of other numbers, so many places in which x, y and z are one and the same are no chance."""


def without_fillers(recording: Recording) -> Recording:
    """A recording in which joints whose x, y and z are all one number that stands for none have no place.

    (0, 0, 0) is left: it may be where bodies were centred, see `agegait.recordings.gaps.tracked_by_place`.
    """
    places = recording.coordinates
    alike = (places[..., 0] == places[..., 1]) & (places[..., 1] == places[..., 2]) & (places[..., 0] != 0)
    if len(places) < _FEW or not alike.any():
        return recording
    values, counts = np.unique(places[alike][:, 0], return_counts=True)
    fillers = values[np.isin(values, _USUAL) | (counts >= _SOME)]
    found = alike & np.isin(places[..., 0], fillers)
    if not found.any() or 2 * found.sum() > found.size:
        return recording
    coordinates = places.copy()
    coordinates[found] = np.nan
    told = " and ".join(f"({value:g}, {value:g}, {value:g})" for value in fillers[:3])
    return dataclasses.replace(
        recording,
        coordinates=coordinates,
        remarks=(*recording.remarks, f"{int(found.sum())} places of joints are {told}, which was taken for no place"),
    )
