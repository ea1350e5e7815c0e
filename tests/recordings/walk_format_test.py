"""What may be asked for as walks are read."""

import pytest

from agegait.data import WalkFormat


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"joints": "kinect_v3"}, r"joints: expected one of auto, kinect_v1, .* received 'kinect_v3'"),
        ({"units": "ft"}, "units: expected one of auto, m, cm, mm, in, received 'ft'"),
        ({"missing": "drop"}, "missing: expected one of refuse, interpolate, received 'drop'"),
        ({"frame_rate": 0}, "frame_rate: expected more than 0 and at most 1000 Hz, received 0"),
        ({"resample": float("nan")}, "resample: expected more than 0 and at most 1000 Hz, received nan"),
        ({"resample": "30"}, "resample: expected more than 0 .* received '30'"),
    ],
)
def test_formats_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        WalkFormat(**options)
