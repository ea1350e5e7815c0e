"""What may be asked for as walks are read."""

import numpy as np
import pytest
from support.bodies import walk

from agegait.data import WalkFormat, load_walk


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"joints": "kinect_v3"}, r"joints: expected one of auto, kinect_v1, .* received 'kinect_v3'"),
        ({"units": "ft"}, "units: expected one of auto, m, cm, mm, in, or how many metres one is, received 'ft'"),
        *(
            ({"units": units}, "units: expected .* or how many metres one is")
            for units in (0, -1, True, None, "nan", "1e9")
        ),
        ({"missing": "drop"}, "missing: expected one of refuse, interpolate, received 'drop'"),
        ({"frame_rate": 0}, "frame_rate: expected more than 0 and at most 1000 Hz, received 0"),
        ({"resample": float("nan")}, "resample: expected more than 0 and at most 1000 Hz, received nan"),
        ({"resample": "30"}, "resample: expected more than 0 .* received '30'"),
    ],
)
def test_formats_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        WalkFormat(**options)


@pytest.mark.parametrize("units", [0.0564, "0.0564", "5.64e-2"])
def test_units_may_be_any_length(tmp_path, units):
    body = walk(20, 1, 1)
    np.save(tmp_path / "walk.npy", body / 0.0564)
    read = load_walk(tmp_path / "walk.npy", WalkFormat(units=units))
    np.testing.assert_allclose(read.skeleton, body, atol=1e-5)
    assert read.units == "0.0564"
