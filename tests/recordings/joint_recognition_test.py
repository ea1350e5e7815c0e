"""Which schema joints are of: by names, by number, by limbs."""

import numpy as np
import pytest
from support.walk_writing import kinect_v2, long_text, refused, wide_text, write

from agegait import skeletons
from agegait.data import WalkFormat, load_walk, read_walk
from tfds_builders.walkers import generator


@pytest.fixture(scope="module")
def person():
    """A walker's first frames, [40, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:40].astype(float)


def in_schema(person, schema):
    """A walker in the joints of a schema, those that are not canonical near one that is."""
    walk = np.zeros((len(person), len(schema.joints), 3))
    for joint, name in enumerate(schema.joints):
        alone = [index for index, names in enumerate(schema.sources) if names == (name,)]
        among = [index for index, names in enumerate(schema.sources) if name in names]
        walk[:, joint] = person[:, (alone or among or [skeletons.JOINTS.index("Head")])[0]]
    return walk


@pytest.mark.parametrize("name", skeletons.SCHEMAS)
@pytest.mark.parametrize("units", ["m", "mm"])
def test_every_schema_is_told_by_names_or_by_limbs(tmp_path, person, name, units):
    schema, asked = skeletons.SCHEMAS[name], WalkFormat(units=units, missing="interpolate")
    walk = in_schema(person, schema) * (1000 if units == "mm" else 1)
    np.save(tmp_path / "walk.npy", walk)
    write(tmp_path / "wide.csv", wide_text(walk, schema.joints))
    write(tmp_path / "long.csv", long_text(walk, [joint.lower() for joint in schema.joints]))
    write(tmp_path / "numbered.csv", wide_text(walk, range(len(schema.joints)), "kp{joint}_{axis}"))
    expected = schema.to_canonical(in_schema(person, schema), "interpolate")
    for file in ("walk.npy", "wide.csv", "long.csv", "numbered.csv"):
        read = load_walk(tmp_path / file, asked)
        assert read.schema == name
        np.testing.assert_allclose(read.skeleton, expected, atol=1e-6)


def test_joints_of_no_schema(tmp_path):
    np.save(tmp_path / "walk.npy", np.zeros((7, 19, 3)))
    refused(tmp_path / "walk.npy", r"20 \(kinect_v1\), 25 \(kinect_v2\), .* found 19 joints")


def test_joints_that_the_limbs_do_not_tell(tmp_path):
    np.save(tmp_path / "walk.npy", np.random.default_rng(0).standard_normal((7, 25, 3)))
    refused(tmp_path / "walk.npy", "kinect_v2 or openpose_body_25.* Say which with joints=kinect_v2, or")


def test_other_joints_than_asked_for(tmp_path, person):
    write(tmp_path / "walk.csv", wide_text(kinect_v2(person)))
    with pytest.raises(ValueError, match="expected the joints of kinect_v1, found those of kinect_v2 by their names"):
        read_walk(tmp_path / "walk.csv", WalkFormat(joints="Kinect v1"))
    np.save(tmp_path / "walk.npy", person)
    with pytest.raises(ValueError, match="expected the 25 joints of kinect_v2, found 20 joints"):
        read_walk(tmp_path / "walk.npy", WalkFormat(joints="kinect_v2"))
