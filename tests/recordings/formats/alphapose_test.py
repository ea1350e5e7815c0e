"""AlphaPose's results have no depth."""

import json

import pytest

from agegait.recordings import read_recordings


def test_scores_are_no_depth(tmp_path):
    result = {"image_id": "0.jpg", "category_id": 1, "keypoints": [9.5, 8.5, 0.9] * 17, "score": 2.9, "idx": [1.0]}
    (tmp_path / "w.json").write_text(json.dumps([result] * 5))
    with pytest.raises(
        ValueError, match=r"found 2D keypoints \(x, y and a score; the score is no z\); walks in 3D are"
    ):
        read_recordings(tmp_path / "w.json")
