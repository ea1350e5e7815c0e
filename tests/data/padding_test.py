import numpy as np
import pytest

from agegait.data import padded


def test_zeros_stand_behind_the_end_of_shorter_walks():
    walks = [np.full((2, 4, 3), 1.0), np.full((3, 4, 3), 2.0)]
    found = padded(walks, frames=5)
    assert found["length"].tolist() == [2, 3]
    assert (found["skeleton"].dtype, found["length"].dtype) == ("float32", "int32")
    assert found["skeleton"][:, :, 0, 0].tolist() == [[1, 1, 0, 0, 0], [2, 2, 2, 0, 0]]
    assert padded(walks)["skeleton"].shape == (2, 3, 4, 3)


def test_refusals():
    with pytest.raises(ValueError, match="walks: expected at least one walk, received none"):
        padded([])
    with pytest.raises(ValueError, match="walks: expected at most 2 frames, received 3"):
        padded([np.zeros((3, 4, 3))], frames=2)
    with pytest.raises(ValueError, match=r"walks: expected \[4, 3\] a frame, as the first has, received \[2, 5, 3\]"):
        padded([np.zeros((3, 4, 3)), np.zeros((2, 5, 3))])
