"""Layouts of loggers and data sets: tables without a header, a row for each joint, headers of Motive, NTU's text."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from support.bodies import walk
from support.walk_writing import KINECT_V2, kinect_v2, refused, wide_text, write

from agegait.data import WalkFormat
from agegait.recordings import load_walks, read_recordings
from agegait.skeletons import JOINTS

T = 30
BODY = walk(T).astype(float)
V2 = kinect_v2(BODY)
SECONDS = np.arange(T) / 30


def same(path, content, body=BODY, rate=None, **options):
    (found,) = load_walks(write(path, content), WalkFormat(**options))
    np.testing.assert_allclose(found.skeleton, body, atol=1e-4)
    assert (found.frame_rate is None) if rate is None else (found.frame_rate == pytest.approx(rate, rel=0.01))
    return "; ".join(found.remarks)


class TestWithoutHeader:
    @pytest.mark.parametrize(
        ("before", "rate"),
        [
            (lambda t: f"{t + 100}  ", None),
            (lambda t: f"{SECONDS[t]:.3f} ", 30),
            (lambda t: f"{t} {1000 * SECONDS[t]:.1f} ", 30),
            (lambda t: f"{SECONDS[t]:.3f} {t} ", 30),
        ],
    )
    @pytest.mark.parametrize("state", ["", " 2"])
    def test_numbers_and_times_of_frames_before_the_joints(self, tmp_path, before, rate, state):
        rows = [before(t) + " ".join(f"{x:.5f} {y:.5f} {z:.5f}{state}" for x, y, z in BODY[t]) for t in range(T)]
        same(tmp_path / "w.txt", "\n".join(rows), rate=rate)

    @pytest.mark.parametrize(
        ("line", "rate"),
        [
            ("{j} {x:.5f} {y:.5f} {z:.5f}", None),
            ("{name},{x:.5f},{y:.5f},{z:.5f}", None),
            ("{t};{j};{x:.5f};{y:.5f};{z:.5f};2", None),
            ("{s:.3f} {name} {x:.5f} {y:.5f} {z:.5f} Tracked", 30),
        ],
    )
    def test_a_row_for_each_joint(self, tmp_path, line, rate):
        rows = [
            line.format(j=j, t=t, s=SECONDS[t], name=KINECT_V2[j], x=x, y=y, z=z)
            for t in range(T)
            for j, (x, y, z) in enumerate(V2[t])
        ]
        same(tmp_path / "w.csv", "\n".join(rows), rate=rate)

    def test_a_row_for_each_joint_below_a_header_without_frames(self, tmp_path):
        rows = [f"{KINECT_V2[j]};{x:.5f};{y:.5f};{z:.5f}" for t in range(T) for j, (x, y, z) in enumerate(V2[t])]
        same(tmp_path / "w.csv", "\n".join(["Joint;X;Y;Z", *rows]))
        write(tmp_path / "cut.csv", "\n".join(["Joint;X;Y;Z", *rows[:40], *rows[41:]]))
        refused(tmp_path / "cut.csv", "expected a column that numbers the frames, as each joint has a row")

    def test_rows_that_do_not_say_their_joint(self, tmp_path):
        rows = [f"{x:.5f} {y:.5f} {z:.5f} 1" for frame in BODY for x, y, z in frame]
        write(tmp_path / "w.txt", "\n".join(rows))
        refused(tmp_path / "w.txt", "found rows of 4 numbers without a header: as of one joint each")

    def test_cad_60(self, tmp_path):
        trunk = ("Head", "ShoulderCenter", "Spine", "ShoulderLeft", "ElbowLeft", "ShoulderRight", "ElbowRight")
        legs = ("HipLeft", "KneeLeft", "HipRight", "KneeRight")
        ends = ("WristLeft", "WristRight", "AnkleLeft", "AnkleRight")
        rows = []
        for t in range(T):
            row = [str(t + 1)]
            for joint in (*trunk, *legs):
                row += [*"1000100011", *(f"{1000 * x:.2f}" for x in BODY[t, JOINTS.index(joint)]), "1"]
            for joint in ends:
                row += [*(f"{1000 * x:.2f}" for x in BODY[t, JOINTS.index(joint)]), "1"]
            rows.append(",".join(row) + ",")
        write(tmp_path / "w.txt", "\n".join([*rows, "END", ""]))
        (found,) = load_walks(tmp_path / "w.txt", WalkFormat(missing="interpolate"))
        there = [JOINTS.index(joint) for joint in (*trunk, *legs, *ends)]
        np.testing.assert_allclose(found.skeleton[:, there], BODY[:, there], atol=1e-4)
        assert (found.units, len(found.skeleton)) == ("mm", T)


class TestHeaders:
    def test_a_comma_at_the_end_of_two_header_lines(self, tmp_path):
        names = ",".join(f"{name},," for name in KINECT_V2)
        rows = [",".join(f"{x:.5f}" for x in frame.ravel()) + "," for frame in V2]
        assert same(tmp_path / "w.csv", "\n".join([f"{names},", "X,Y,Z," * 25, *rows])) == ""

    def test_world_coordinates_beside_those_of_the_picture(self, tmp_path):
        columns = {f"{name}_{axis}": np.full(T, 0.5) for name in JOINTS for axis in "xyz"}
        said = same(tmp_path / "w.csv", wide_text(BODY, JOINTS, "{joint}_world_{axis}", columns=columns))
        assert "not read: HipCenter_x" in said
        numbers = [str(number) for number in range(25)]
        same(tmp_path / "n.csv", wide_text(V2, numbers, "w{axis}{joint}"), joints="kinect_v2")

    def test_a_date_in_digits_alone(self, tmp_path):
        begin = datetime(2024, 3, 5, 10, 15, 59, 500_000)  # half a second later the minute is full
        times = [f"{begin + timedelta(seconds=t / 30):%Y%m%d%H%M%S%f}"[:17] for t in range(T)]
        same(tmp_path / "w.csv", wide_text(BODY, JOINTS, columns={"timestamp": times}), rate=30)

    @pytest.mark.parametrize(("units", "scale"), [("Meters", 1), ("Millimeters", 1000)])
    def test_motive(self, tmp_path, units, scale):
        names = ["Hip", "Ab", "Neck", "Head"]
        joints = ["HipCenter", "Spine", "ShoulderCenter", "Head"]
        bones = {"UArm": "Shoulder", "FArm": "Elbow", "Hand": "Wrist", "Thigh": "Hip", "Shin": "Knee", "Foot": "Ankle"}
        for side in ("Left", "Right"):
            names += [side[0] + bone for bone in (*bones, "Toe")]
            joints += [f"{part}{side}" for part in (*bones.values(), "Foot")]
        own = scale * BODY[:, [JOINTS.index(joint) for joint in joints]]
        columns = [f"Skeleton 001:{name}" for name in names for _ in range(7)]
        header = [
            f"Format Version,1.23,Take Name,t,Capture Frame Rate,120.000000,Export Frame Rate,120.000000,"
            f"Rotation Type,Quaternion,Length Units,{units},Coordinate Space,Global",
            "",
            ",".join(["", "Type", *["Bone"] * len(columns)]),
            ",".join(["", "Name", *columns]),
            ",".join(["", "ID", *(f'"{number:X}"' for number in range(len(columns)))]),
            ",".join(
                ["", "", *["Rotation"] * 4, *["Position"] * 3][:2] + (["Rotation"] * 4 + ["Position"] * 3) * len(names)
            ),
            ",".join(["Frame", "Time (Seconds)", *"XYZWXYZ" * len(names)]),
        ]
        rows = [
            f"{t},{t / 120:.6f}," + ",".join("0,0,0,1," + ",".join(f"{x:.5f}" for x in place) for place in own[t])
            for t in range(T)
        ]
        write(tmp_path / "w.csv", "\n".join([*header, *rows]))
        (found,) = load_walks(tmp_path / "w.csv", WalkFormat(missing="interpolate"))
        there = [JOINTS.index(joint) for joint in joints]
        np.testing.assert_allclose(found.skeleton[:, there], BODY[:, there], atol=1e-4)
        assert found.frame_rate == pytest.approx(120, rel=0.01)
        write(tmp_path / "word.csv", "\n".join([*header, *rows[:3], rows[3].replace(",", ",a", 60)]))
        refused(tmp_path / "word.csv", "line 11: expected a number, found 'a")
        write(tmp_path / "no.csv", "\n".join([*header[:3], "nothing"]))
        refused(tmp_path / "no.csv", "expected a line of Motive that begins with Frame")


def test_ntu_as_text(tmp_path):
    lines = [str(T)]
    for frame in V2:
        lines += ["1", "72057594037944738 0 1 1 1 1 0 0.02 0.05 2", "25"]
        lines += [
            " ".join(f"{x:.6f}" for x in place) + " 277.4 191.8 1036.2 519.1 -0.2 0.05 0.9 -0.1 2" for place in frame
        ]
    same(tmp_path / "S001C001P001R001A001.skeleton.txt", "\n".join(lines), rate=30)


def test_arrays_of_one_person_and_with_a_rate(tmp_path):
    np.save(tmp_path / "w.npy", BODY[None])
    np.testing.assert_array_equal(read_recordings(tmp_path / "w.npy")[0].coordinates, BODY)
    np.savez(tmp_path / "w.npz", poses=BODY[:, None], fps=25)
    (found,) = read_recordings(tmp_path / "w.npz")
    assert (found.coordinates.shape, found.frame_rate) == ((T, 20, 3), 25)


@pytest.mark.parametrize(
    ("ending", "advice"),
    [
        *((".csv.gz", "unpack it first"), (".xlsx", "save its sheet as CSV"), (".mvnx", "export BVH or C3D")),
        *((".fbx", "export BVH or C3D"), (".pkl", "it may run code; save its arrays")),
    ],
)
def test_what_to_do_about_other_files(tmp_path, ending, advice):
    from agegait.data import WalkFolder

    for person in ("anna", "ben"):
        (tmp_path / person).mkdir()
        (tmp_path / person / f"1{ending}").write_bytes(b"\0")
    refused(tmp_path / "anna" / f"1{ending}", advice)
    with pytest.raises(ValueError, match=advice):
        WalkFolder(tmp_path)


def test_json_errors_say_where_in_plain_words(tmp_path):
    write(tmp_path / "w.json", '{"people": [\n{"pose_keypoints_3d": [1, 2,}]}')
    refused(tmp_path / "w.json", r"expected JSON, found something else in line 2, column 2[0-9]\.")
    with pytest.raises(
        ValueError, match=r"joint_map: expected JSON, received .*: something else in line 1, column 2\."
    ):
        WalkFormat(joint_map="{]")
