"""What every builder here shares: an example is a walk."""

from collections.abc import Sequence

import numpy as np
import tensorflow_datasets as tfds

from agegait import skeletons


def features(persons: Sequence[str] | None = None) -> tfds.features.FeaturesDict:
    """The features of a walk: T frames of the canonical 20 joints, in metres, in the camera's frame.

    Args:
        persons: The people's names in the source; their order is the order of the class labels. None where the
            source is yet to be seen: whoever builds fills them in.
    """
    joints = len(skeletons.JOINTS)
    return tfds.features.FeaturesDict(
        {
            "skeleton": tfds.features.Tensor(shape=(None, joints, 3), dtype=np.float32),
            "tracked": tfds.features.Tensor(shape=(None, joints), dtype=np.bool_),
            "person": tfds.features.ClassLabel(names=None if persons is None else list(persons)),
            "walk": tfds.features.Text(),
        }
    )
