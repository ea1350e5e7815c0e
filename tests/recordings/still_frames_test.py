"""What is no walk, though its file looks like one: repeated frames, numbers for none, bodies in turns, who sits."""

import numpy as np
import pytest
from support.bodies import walk, walks
from support.walk_writing import wide_text, write

from agegait.data import WalkFormat
from agegait.recordings import load_walks, read_recordings
from agegait.recordings.body_jumps import jump_remark, turns_fault
from agegait.recordings.posture import posture_remarks
from agegait.skeletons import JOINTS, STANDING


def loaded(path, skeleton, columns=None, **options):
    return load_walks(write(path, wide_text(skeleton, JOINTS, columns=columns)), WalkFormat(**options))


def said(found):
    return "; ".join(dict.fromkeys(remark for one in found for remark in one.remarks))


class TestRepeats:
    def test_a_frozen_body_is_a_hole(self, tmp_path):
        body = walk(60)
        frozen = np.concatenate([body[:30], np.repeat(body[30:31], 90, axis=0), body[31:]])
        found = loaded(tmp_path / "w.csv", frozen, {"frame": range(len(frozen))})
        assert [len(one.skeleton) for one in found] == [31, 29]
        assert "89 frames repeat the one before and were left out" in said(found)
        assert "the body is frozen for up to 89 frames, from frame 31 on" in said(found)

    def test_a_program_that_is_faster_than_its_sensor(self, tmp_path):
        doubled = np.repeat(walk(40), 2, axis=0)
        (found,) = loaded(tmp_path / "w.csv", doubled, {"time": np.arange(80) / 60})
        assert len(found.skeleton) == 40
        assert found.frame_rate == pytest.approx(30, rel=0.01)
        assert "40 frames repeat the one before" in said([found])

    def test_what_never_moves_is_left(self, tmp_path):
        (found,) = loaded(tmp_path / "w.csv", np.repeat(STANDING[None], 20, axis=0))
        assert len(found.skeleton) == 20
        assert "all frames are the same" in said([found])

    def test_frames_of_a_folder(self, tmp_path):
        from support.walk_writing import frame_text

        for frame, skeleton in enumerate(np.concatenate([walk(20), np.zeros((10, 20, 3)), walk(40)[20:]])):
            states = np.zeros(20) if not skeleton.any() else None
            write(tmp_path / f"{frame:03}_skel.txt", frame_text(skeleton, states))
        (found,) = read_recordings(tmp_path)
        assert found.breaks == (20,)  # where the sensor had lost the body


class TestFillers:
    @pytest.mark.parametrize("filler", [-1, -9999, 0.123])
    def test_a_number_for_none(self, tmp_path, filler):
        body = walk(40).astype(float)
        body[10:14, JOINTS.index("HandLeft")] = filler
        with pytest.raises(ValueError, match="joint HandLeft: expected coordinates, found none"):
            loaded(tmp_path / "w.csv", body)
        (found,) = loaded(tmp_path / "w.csv", body, missing="interpolate")
        assert (~found.tracked[:, JOINTS.index("HandLeft")]).nonzero()[0].tolist() == [10, 11, 12, 13]
        assert np.abs(found.skeleton - walk(40)).max() < 0.2
        assert f"4 places of joints are ({filler:g}, {filler:g}, {filler:g}), which was taken for no place" in said(
            [found]
        )


class TestTurns:
    @pytest.mark.parametrize("bodies", [2, 3])
    def test_bodies_in_turns_without_a_number(self, tmp_path, bodies):
        places = walks(bodies, 40) + np.array([0.8, 0, 0]) * np.arange(bodies)[:, None, None, None]
        with pytest.raises(ValueError, match=f"w.csv: {bodies} bodies seem to take turns in its frames"):
            loaded(tmp_path / "w.csv", places.transpose(1, 0, 2, 3).reshape(-1, 20, 3))

    @pytest.mark.parametrize("person", range(4))
    def test_one_body_takes_no_turns(self, person):
        noise = np.random.default_rng(0).normal(0, 0.01, (90, 20, 3))
        for skeleton in (walk(90, person), walk(90, person) + noise, walk(90, person)[::3], STANDING + noise):
            assert turns_fault(skeleton) == ""
            assert jump_remark(skeleton) == ""

    def test_two_walks_one_behind_the_other(self, tmp_path):
        pasted = np.concatenate([walk(40), walk(40, 1) + np.array([1.5, 0, 1])])
        (found,) = loaded(tmp_path / "w.csv", pasted)
        assert "m elsewhere from one frame to the next (frame 40): another person, another recording" in said([found])


class TestPosture:
    def test_somebody_who_sits_has_no_wrong_limbs(self, tmp_path):
        from agegait.skeletons import limbs

        body = np.repeat(STANDING[None], 40, axis=0) + np.random.default_rng(0).normal(0, 0.003, (40, 20, 3))
        for side in ("Left", "Right"):
            body[:, JOINTS.index(f"Knee{side}")] = body[:, JOINTS.index(f"Hip{side}")] + [0, 0, -0.42]
            for joint, away in (("Ankle", [0, -0.4, 0]), ("Foot", [0, -0.45, -0.1])):
                body[:, JOINTS.index(f"{joint}{side}")] = body[:, JOINTS.index(f"Knee{side}")] + away
        (found,) = loaded(tmp_path / "w.csv", body)
        assert "nobody walks: the knees are bent to 90 degrees all along, as of somebody who sits" in said([found])
        assert limbs.faults(limbs.summarize([{"skeleton": found.skeleton}])) == []

    def test_somebody_who_stands(self, tmp_path):
        body = STANDING + np.random.default_rng(0).normal(0, 0.004, (60, 20, 3))
        body[:, JOINTS.index("HandLeft")] += np.sin(np.arange(60) / 3)[:, None] * [0.1, 0, 0]  # and waves
        assert "nobody walks: the feet stay where they are" in said(loaded(tmp_path / "w.csv", body))

    @pytest.mark.parametrize("person", range(3))
    def test_somebody_who_walks(self, person):
        body = walk(60, person)
        assert posture_remarks(body) == []
        assert posture_remarks(body - body[:, :1]) == []  # on a treadmill, or centred

    def test_a_tilted_sensor(self, tmp_path):
        cosine, sine = np.cos(np.radians(38)), np.sin(np.radians(38))
        tilted = walk(40) @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])
        (found,) = loaded(tmp_path / "w.csv", tilted)
        assert "the body leans by 38 degrees: is the sensor tilted, or another axis up?" in said([found]).replace(
            "37 degrees", "38 degrees"
        ).replace("39 degrees", "38 degrees")
