"""Every layout of a walk's file, read back, and what is no walk refused by its place."""

import os
import pickle
import subprocess
import sys
import warnings
import zipfile

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from walk_writing import KINECT_V2, frame_text, kinect_v2, long_text, wide_text

from agegait import data, skeletons
from agegait.data import WalkFormat, load_walk, read_walk
from tfds_builders.walkers import generator

J = len(skeletons.JOINTS)
V2 = skeletons.SCHEMAS["kinect_v2"]


@pytest.fixture(scope="module")
def person():
    """A walker's first frames, [40, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:40].astype(float)


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((7, J, 3))


def write(path, content):
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return path


class TestNumPy:
    @pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int16", "uint8"])
    def test_numbers_of_any_type(self, tmp_path, walk, dtype):
        walk = np.abs(10 * walk).astype(dtype)
        np.save(tmp_path / "walk.npy", walk)
        read = read_walk(tmp_path / "walk.npy")
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, walk.astype("float32"))

    def test_the_ending_may_be_in_capitals_and_the_path_a_string(self, tmp_path, walk):
        np.save(tmp_path / "walk.npy", walk)
        (tmp_path / "walk.npy").rename(tmp_path / "WALK.NPY")
        assert read_walk(str(tmp_path / "WALK.NPY")).shape == walk.shape

    def test_rows_of_all_coordinates(self, tmp_path, walk):
        np.save(tmp_path / "walk.npy", walk.reshape(7, -1))
        np.testing.assert_array_equal(read_walk(tmp_path / "walk.npy"), walk.astype("float32"))

    def test_an_archive_says_what_it_holds(self, tmp_path, person):
        shuffled = np.random.default_rng(1).permutation(25)
        tracked = np.random.default_rng(2).random((40, 25)) < 0.9
        np.savez(
            tmp_path / "walk.npz",
            skeleton=100 * kinect_v2(person)[:, shuffled],
            joints=[KINECT_V2[joint] for joint in shuffled],
            tracked=tracked[:, shuffled],
            units="cm",
            frame_rate=30,
            note="on Monday",
        )
        read = load_walk(tmp_path / "walk.npz")
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        np.testing.assert_array_equal(read.tracked, V2.to_canonical_tracked(tracked))
        assert (read.schema, read.frame_rate, read.remarks) == ("kinect_v2", 30, ("not read: note",))

    def test_an_archive_with_one_array_that_can_be_a_walk(self, tmp_path, walk):
        np.savez_compressed(tmp_path / "walk.npz", poses=walk, person=3, mask=np.zeros((7, J, 3), bool))
        read = load_walk(tmp_path / "walk.npz")
        np.testing.assert_array_equal(read.skeleton, walk.astype("float32"))
        assert read.remarks == ("not read: person, mask",)

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"a": np.zeros((7, J, 3)), "b": np.zeros((7, J, 3))}, r"'skeleton', or just one .* found a float64 \[7"),
            ({"a": np.zeros(3)}, r"'skeleton', or just one of numbers \[T, J, 3\], found a float64 \[3\]"),
            ({"skeleton": np.zeros((7, J, 2))}, r"walk\.npz, 'skeleton': expected numbers \[T, J, 3\] or \[T, 3 J\]"),
            (
                {"tracked": np.ones((7, 19))},
                r"'tracked': expected booleans or numbers \[7, 20\].* found float64 \[7, 19",
            ),
            ({"tracked": -np.ones((7, J))}, r"'tracked': expected states of 0 and more.* found -1 to -1"),
            ({"joints": np.array(["Head"] * 19)}, r"'joints': expected names \[20\], one a joint, found <U4 \[19\]"),
            ({"joints": np.arange(J)}, r"'joints': expected names \[20\]"),
            ({"joints": np.array(["Head"] * J)}, "names: expected the joints of one of"),
            ({"units": "feet"}, "'units': expected one of m, cm, mm, in, found 'feet'"),
            ({"units": np.array(["m", "m"])}, r"'units': expected one value, found \[2\]"),
            ({"frame_rate": 0}, "'frame_rate': expected a rate in Hz, found 0"),
            ({"frame_rate": "30"}, "'frame_rate': expected a rate in Hz, found '30'"),
        ],
    )
    def test_archives_that_are_refused(self, tmp_path, arrays, message):
        if "a" not in arrays:
            arrays = {"skeleton": np.ones((7, J, 3)), **arrays}
        np.savez(tmp_path / "walk.npz", **arrays)
        with pytest.raises(ValueError, match=message):
            read_walk(tmp_path / "walk.npz")

    def test_units_that_are_asked_for_but_not_the_files(self, tmp_path, walk):
        np.savez(tmp_path / "walk.npz", skeleton=walk, units="mm")
        with pytest.raises(ValueError, match="expected lengths in cm, as asked for, found that they are in mm"):
            read_walk(tmp_path / "walk.npz", WalkFormat(units="cm"))


STYLES = [
    *("{joint}_{axis}", "{joint}.{axis}", "{joint}{axis}", "{axis}_{joint}", "{axis}{joint}", "{joint} ({axis})"),
    *("{joint}[{axis}]", "{joint}:{axis}", "{joint}_pos_{axis}", "{joint}.Position.{axis}", "{joint}-{axis}"),
]


class TestTables:
    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize("capital", [False, True])
    def test_columns_by_any_usual_name_in_any_order(self, tmp_path, person, style, capital):
        order = np.random.default_rng(0).permutation(25)
        names = [KINECT_V2[joint] for joint in order]
        style = style.replace("{axis}", "{axis!s}")
        text = wide_text(kinect_v2(person)[:, order], names, style)
        if capital:
            text = text.replace("_x", "_X").replace("_y", "_Y").replace("_z", "_Z")
        read = load_walk(write(tmp_path / "walk.csv", text))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        assert (read.schema, read.remarks) == ("kinect_v2", ())

    @pytest.mark.parametrize("style", ["joint_{joint}_{axis}", "{axis}{joint}", "{joint}_{axis}", "kp{joint}.{axis}"])
    @pytest.mark.parametrize("first", [0, 1])
    def test_joints_by_number(self, tmp_path, person, style, first):
        text = wide_text(kinect_v2(person)[:, ::-1], range(24 + first, first - 1, -1), style)
        read = load_walk(write(tmp_path / "walk.csv", text))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        assert read.schema == "kinect_v2"  # OpenPose has 25 joints as well

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("text_of", [wide_text, long_text])
    def test_separators(self, tmp_path, person, separator, text_of):
        for name in ("walk.csv", "walk.tsv"):
            text = text_of(kinect_v2(person), separator=separator)
            np.testing.assert_allclose(read_walk(write(tmp_path / name, text)), person, atol=1e-6)

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.replace("\n", "\r"),
            lambda text: "\ufeff" + text,
            lambda text: "# " + text,
            lambda text: text.rstrip("\n"),
            lambda text: text + "\n\n",
            lambda text: text.replace("\n", ",\n"),
            lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1),
            lambda text: text.replace(",", " , "),
            lambda text: "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in text.split("\n")),
        ],
    )
    def test_ways_of_writing(self, tmp_path, person, change):
        text = change(wide_text(kinect_v2(person)))
        np.testing.assert_allclose(read_walk(write(tmp_path / "walk.csv", text.encode())), person, atol=1e-6)

    @pytest.mark.parametrize("header", [0, 1, 2])
    def test_numbers_alone_and_as_pandas_numbers_columns(self, tmp_path, person, header):
        lines = wide_text(kinect_v2(person)).split("\n")[1:-1]
        if header:
            lines.insert(0, ",".join(map(str, range(75))))
        if header == 2:  # with the rows' numbers
            lines = ["," + lines[0], *(f"{row},{line}" for row, line in enumerate(lines[1:]))]
        read = load_walk(write(tmp_path / "walk.csv", "\n".join(lines)))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)

    def test_a_long_table_in_any_order_of_rows(self, tmp_path, person):
        head, *rows = long_text(kinect_v2(person)).splitlines(keepends=True)
        rows = [rows[row] for row in np.random.default_rng(0).permutation(len(rows))]
        read = load_walk(write(tmp_path / "walk.csv", "".join([head, *rows])))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)

    def test_a_long_table_with_numbered_joints_and_times_alone(self, tmp_path, person):
        text = long_text(kinect_v2(person), range(1, 26)).replace("frame", "time_ms", 1)
        read = load_walk(write(tmp_path / "walk.csv", text))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        assert read.frame_rate == pytest.approx(1000)

    def test_what_columns_mean_beside_the_joints(self, tmp_path, person):
        states = np.random.default_rng(0).integers(0, 3, (40, 25))
        columns = {
            "frame": range(5, 45),
            "time_s": np.arange(40) / 25,
            "Head_velocity_x": [0.1] * 40,
            "mood": ["good"] * 40,
        }
        columns |= {f"{name}_state": states[:, joint] for joint, name in enumerate(KINECT_V2)}
        read = load_walk(write(tmp_path / "walk.csv", wide_text(kinect_v2(person), columns=columns)))
        np.testing.assert_array_equal(read.tracked, V2.to_canonical_tracked(states > 0))
        assert read.frame_rate == pytest.approx(25)
        assert read.remarks == ("not read: Head_velocity_x, mood",)

    @pytest.mark.parametrize(
        ("column", "values", "expected"),
        [
            ("{}_tracked", ["True", "False"], [True, False]),
            ("{}.TrackingState", ["Tracked", "Inferred", "NotTracked"], [True, True, False]),
            ("{}_confidence", ["0.9", "0.5", "0.49"], [True, True, False]),
            ("confidence_{}", ["3", "1", "0", ""], [True, True, False, False]),
        ],
    )
    def test_what_says_that_a_joint_was_tracked(self, tmp_path, person, column, values, expected):
        columns = {column.format(name): (values * 40)[:40] for name in KINECT_V2}
        read = load_walk(write(tmp_path / "walk.csv", wide_text(kinect_v2(person), columns=columns)))
        np.testing.assert_array_equal(read.tracked[: len(values)], np.array(expected)[:, None].repeat(J, axis=1))
        long = write(tmp_path / "long.csv", long_text(kinect_v2(person), columns={"confidence": ["0.2", "0.8"] * 20}))
        np.testing.assert_array_equal(load_walk(long).tracked, np.tile([[False], [True]], (20, J)))

    def test_more_than_positions_of_each_joint(self, tmp_path, person):
        names = [f"{name}{what}" for what in ("", "_velocity", "_q") for name in KINECT_V2]
        walk = np.concatenate([kinect_v2(person), np.zeros((40, 50, 3))], axis=1)
        read = load_walk(write(tmp_path / "walk.csv", wide_text(walk, names)))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        assert "Head_velocity_x" in read.remarks[0]

    @pytest.mark.parametrize("text_of", [wide_text, long_text])
    def test_parquet(self, tmp_path, person, text_of):
        head, *rows = [line.split(",") for line in text_of(kinect_v2(1000 * person)).splitlines()]
        columns = {
            name: [field if name == "joint" else float(field) for field in column]
            for name, column in zip(head, zip(*rows, strict=True), strict=True)
        }
        columns["timestamp"] = pa.array(np.arange(len(rows)) * 40_000, pa.timestamp("us"))
        columns["pictures"] = [[1, 2]] * len(rows)
        table = pa.table(columns)
        if "joint" in head:
            table = table.set_column(head.index("joint"), "joint", table["joint"].dictionary_encode())
        pq.write_table(table, tmp_path / "walk.parquet")
        read = load_walk(tmp_path / "walk.parquet", WalkFormat(units="mm"))
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        assert read.remarks == ("not read: pictures",)
        assert read.frame_rate == pytest.approx(25 if text_of is wide_text else 1)

    def test_the_folder_of_parquet_adds_no_columns(self, tmp_path, person):
        path = tmp_path / "person=1" / "walk.parquet"
        path.parent.mkdir()
        pq.write_table(pa.table({str(i): column for i, column in enumerate(kinect_v2(person).reshape(40, -1).T)}), path)
        assert load_walk(path).remarks == ()


class TestPublishedFiles:
    def test_a_text_file_of_kgbd(self, tmp_path):
        names = list(skeletons.KGBD)
        lines = [f"{name};{frame};{number};{frame + number}" for frame in range(3) for number, name in enumerate(names)]
        (tmp_path / "walk.txt").write_text("\r\n".join(lines) + "\r\n")
        read = load_walk(tmp_path / "walk.txt")
        assert read.skeleton.shape == (3, J, 3)
        for joint, canonical in enumerate(skeletons.JOINTS):
            number = list(skeletons.KGBD.values()).index(canonical)
            np.testing.assert_array_equal(read.skeleton[:, joint], [[f, number, f + number] for f in range(3)])
        assert read.tracked.sum() == 3 * J - 1  # the first joint of the first frame is at (0, 0, 0)

    def test_a_folder_of_frames(self, tmp_path, person):
        states = np.random.default_rng(0).integers(0, 3, (40, J))
        for frame in range(40):
            name = f"001_{frame:06}-d_{frame}_skel.txt"
            write(tmp_path / name, frame_text(person[frame], states[frame]))
            write(tmp_path / name.replace("skel.txt", "rgb.jpg"), b"\xff")
        write(tmp_path / ".001_000000-d_0_skel.txt", b"hidden")
        read = load_walk(tmp_path)
        np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
        np.testing.assert_array_equal(read.tracked, states > 0)
        write(tmp_path / "001_000007-d_7_skel.txt", "1,2,3\n")
        with pytest.raises(ValueError, match=r"000007-d_7_skel\.txt, line 1: expected 14 numbers"):
            read_walk(tmp_path)


class TestGaps:
    def test_nan_and_empty_fields_are_refused_by_their_place(self, tmp_path, person):
        full = kinect_v2(person)
        full[3, KINECT_V2.index("KneeLeft"), 1] = np.nan
        np.save(tmp_path / "walk.npy", full)
        with pytest.raises(
            ValueError, match=r"walk\.npy, frame 3, joint 13: expected coordinates, found none \(NaN or"
        ):
            read_walk(tmp_path / "walk.npy")
        for text in (wide_text(full), wide_text(full).replace("nan", ""), wide_text(full).replace("nan", "#N/A")):
            write(tmp_path / "walk.csv", "\n" + text)
            with pytest.raises(ValueError, match=r"walk\.csv, line 6, frame 3, joint KneeLeft: expected coordinates"):
                read_walk(tmp_path / "walk.csv")
        lines = long_text(full).splitlines(keepends=True)
        write(tmp_path / "walk.csv", "".join(line for line in lines if "nan" not in line))
        with pytest.raises(ValueError, match=r"frame 3, joint KneeLeft: expected coordinates, found none"):
            read_walk(tmp_path / "walk.csv")

    def test_gaps_are_filled_along_a_straight_line_in_time_and_held_at_the_ends(self, tmp_path):
        walk = np.random.default_rng(0).standard_normal((6, J, 3))
        seconds = np.array([0, 0.1, 0.2, 0.5, 0.6, 0.7])
        walk[[0, 2, 3, 5], 4, :2] = np.nan  # a joint is missing as a whole if one coordinate is
        text = wide_text(walk, skeletons.JOINTS, columns={"time_s": seconds})
        read = load_walk(write(tmp_path / "walk.csv", text), WalkFormat(missing="interpolate"))
        one, four = walk[1, 4], walk[4, 4]
        expected = walk.copy()
        expected[:, 4] = [one, one, one + 0.2 * (four - one), one + 0.8 * (four - one), four, four]
        np.testing.assert_allclose(read.skeleton, expected, atol=1e-6)
        assert not read.tracked[[0, 2, 3, 5], 4].any()
        assert read.tracked.sum() == 6 * J - 4

    def test_a_joint_that_is_never_there(self, tmp_path, person):
        full = kinect_v2(person)
        full[:, KINECT_V2.index("HandTipLeft")] = np.nan  # not needed
        np.save(tmp_path / "walk.npy", full)
        np.testing.assert_allclose(read_walk(tmp_path / "walk.npy"), person, atol=1e-6)
        full[:, KINECT_V2.index("HandLeft")] = np.nan
        write(tmp_path / "walk.csv", wide_text(full))
        with pytest.raises(ValueError, match="expected coordinates of joint HandLeft, found none in any frame"):
            read_walk(tmp_path / "walk.csv", WalkFormat(missing="interpolate"))

    @pytest.mark.parametrize("wrong", [np.inf, -np.inf, 1e300])
    @pytest.mark.parametrize("missing", ["refuse", "interpolate"])
    def test_infinity_is_always_refused(self, tmp_path, walk, wrong, missing):
        walk[4, 3, 1] = walk[6, 0, 0] = wrong
        np.save(tmp_path / "walk.npy", walk)
        with pytest.raises(ValueError, match=r"frame 4, joint 3: expected a finite coordinate, found infinity"):
            read_walk(tmp_path / "walk.npy", WalkFormat(missing=missing))

    def test_joints_that_a_schema_has_not(self, tmp_path, person):
        coco = skeletons.SCHEMAS["coco_17"].joints
        write(tmp_path / "walk.csv", wide_text(np.ones((4, 17, 3)), coco))
        with pytest.raises(ValueError, match=r"walk\.csv: .*COCO-17 has no HipCenter"):
            read_walk(tmp_path / "walk.csv")
        assert read_walk(tmp_path / "walk.csv", WalkFormat(missing="interpolate")).shape == (4, J, 3)

    def test_zeros_are_joints_that_the_sensor_did_not_see_unless_the_walk_is_centred_there(self, tmp_path, person):
        centred = person - person[:, :1]
        centred[2, 5] = 0
        centred[7] = 0
        np.save(tmp_path / "walk.npy", centred)
        tracked = np.ones((40, J), bool)
        tracked[2, 5] = tracked[7] = False
        np.testing.assert_array_equal(load_walk(tmp_path / "walk.npy").tracked, tracked)


class TestTime:
    def test_resampled_from_a_rate_and_from_times(self, tmp_path, walk):
        seconds = np.array([0.0, 0.1, 0.25, 0.3, 0.4, 0.5, 0.62])
        np.save(tmp_path / "walk.npy", walk)
        read = load_walk(tmp_path / "walk.npy", WalkFormat(frame_rate=10, resample=20))
        assert read.frame_rate == 20
        np.testing.assert_allclose(read.skeleton[::2], walk, atol=1e-6)
        np.testing.assert_allclose(read.skeleton[1::2], (walk[1:] + walk[:-1]) / 2, atol=1e-6)
        text = wide_text(walk, skeletons.JOINTS, columns={"t": seconds})
        read = load_walk(write(tmp_path / "walk.csv", text), WalkFormat(resample=20))
        assert len(read.skeleton) == 13
        np.testing.assert_allclose(read.skeleton[4], walk[1] + (walk[2] - walk[1]) * 2 / 3, atol=1e-6)
        assert read.remarks == ("column 't' taken as s: 10 frames/s",)

    @pytest.mark.parametrize(
        ("name", "step", "rate", "remark"),
        [
            ("time_ms", 40, 25, ()),
            ("timestamp [us]", 40_000, 25, ()),
            ("Time (s)", 0.04, 25, ()),
            ("t_ns", 40_000_000, 25, ()),
            ("seconds", 2, 0.5, ()),
            ("timestamp", 40, 25, ("column 'timestamp' taken as ms: 25 frames/s",)),
            ("time", 0.04, 25, ("column 'time' taken as s: 25 frames/s",)),
            ("time", 400_000, 25, ("column 'time' taken as 100 ns: 25 frames/s",)),
            ("time", 2, None, ("column 'time' not understood: 2 from frame to frame, in an unknown unit",)),
            ("time", 100_000, None, ("column 'time' not understood: 100000 from frame to frame, in µs or 100 ns",)),
        ],
    )
    def test_units_of_time(self, tmp_path, walk, name, step, rate, remark):
        text = wide_text(walk, skeletons.JOINTS, columns={name: 1000 + np.arange(7) * step})
        read = load_walk(write(tmp_path / "walk.csv", text))
        assert read.frame_rate == (None if rate is None else pytest.approx(rate))
        assert read.remarks == remark
        if rate is None:
            with pytest.raises(ValueError, match=r"resampling takes a known frame rate, found none .* give frame_rate"):
                load_walk(tmp_path / "walk.csv", WalkFormat(resample=10))
            assert len(load_walk(tmp_path / "walk.csv", WalkFormat(frame_rate=30, resample=10)).skeleton) == 3

    def test_times_that_are_text(self, tmp_path, walk):
        text = wide_text(walk, skeletons.JOINTS, columns={"timestamp": [f"00:00:0{frame}.0" for frame in range(7)]})
        read = load_walk(write(tmp_path / "walk.csv", text))
        assert read.remarks == ("column 'timestamp' not understood: '00:00:00.0'",)

    def test_frames_that_are_missing_are_told(self, tmp_path, walk):
        text = wide_text(walk, skeletons.JOINTS, columns={"frame": [0, 1, 2, 5, 6, 7, 8]})
        assert load_walk(write(tmp_path / "walk.csv", text)).remarks == ("frames are missing: 5 follows 2",)

    def test_several_walks_in_one_file(self, tmp_path, walk):
        for name, values in (("frame", [0, 1, 2, 0, 1, 2, 3]), ("time", [0, 0.1, 0.2, 0, 0.1, 0.2, 0.3])):
            write(tmp_path / "walk.csv", wide_text(walk, skeletons.JOINTS, columns={name: values}))
            with pytest.raises(ValueError, match=rf"walk\.csv, line 5, column '{name}': expected .* one walk a file"):
                read_walk(tmp_path / "walk.csv")
        write(tmp_path / "walk.csv", long_text(walk, skeletons.JOINTS) + "0,Head,1,2,3\n")
        with pytest.raises(ValueError, match=r"line 142: .* one walk a file, found Head of frame 0 again"):
            read_walk(tmp_path / "walk.csv")


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


class TestRefusals:
    def refused(self, path, message):
        with pytest.raises(ValueError, match=message) as refusal:
            read_walk(path)
        assert str(path) in str(refusal.value)

    @pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".tsv", ".parquet", ".txt"])
    def test_no_such_file(self, tmp_path, ending):
        self.refused(tmp_path / f"walk{ending}", "expected a walk's file: No such file")

    @pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet", ".txt"])
    def test_an_empty_file(self, tmp_path, ending):
        (tmp_path / f"walk{ending}").touch()
        self.refused(tmp_path / f"walk{ending}", "expected ")

    def test_a_folder_without_frames(self, tmp_path):
        (tmp_path / "walk.npy").mkdir()
        self.refused(tmp_path / "walk.npy", r"expected a walk's file, or a folder of frames \*_skel\.txt")

    @pytest.mark.parametrize("name", ["walk.xlsx", "walk", "walk.mat"])
    def test_an_unknown_ending(self, tmp_path, name):
        self.refused(tmp_path / name, r"expected a file that ends in \.npy, .* or \.txt")

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((7, J, 2)),
            np.zeros((J, 4)),
            np.zeros((7, 0)),
            np.zeros((7, 0, 3)),
            np.zeros(60),
            np.zeros((7, J, 3), bool),
            np.zeros((7, J, 3), complex),
            np.full((7, J, 3), "a"),
        ],
    )
    def test_what_is_no_walk(self, tmp_path, array):
        np.save(tmp_path / "walk.npy", array)
        self.refused(tmp_path / "walk.npy", r"expected numbers \[T, J, 3\] or \[T, 3 J\], found ")

    def test_no_frames(self, tmp_path):
        np.save(tmp_path / "walk.npy", np.zeros((0, J, 3)))
        self.refused(tmp_path / "walk.npy", "expected at least one frame, found none")
        write(tmp_path / "walk.csv", wide_text(np.zeros((0, J, 3)), skeletons.JOINTS))
        self.refused(tmp_path / "walk.csv", "expected at least one frame, found none")

    def test_joints_of_no_schema(self, tmp_path):
        np.save(tmp_path / "walk.npy", np.zeros((7, 19, 3)))
        self.refused(tmp_path / "walk.npy", r"20 \(kinect_v1\), 25 \(kinect_v2\), .* found 19 joints")

    def test_joints_that_the_limbs_do_not_tell(self, tmp_path):
        np.save(tmp_path / "walk.npy", np.random.default_rng(0).standard_normal((7, 25, 3)))
        self.refused(tmp_path / "walk.npy", "kinect_v2 or openpose_body_25.* Say which with joints")

    def test_other_joints_than_asked_for(self, tmp_path, person):
        write(tmp_path / "walk.csv", wide_text(kinect_v2(person)))
        with pytest.raises(
            ValueError, match="expected the joints of kinect_v1, found those of kinect_v2 by their names"
        ):
            read_walk(tmp_path / "walk.csv", WalkFormat(joints="Kinect v1"))
        np.save(tmp_path / "walk.npy", person)
        with pytest.raises(ValueError, match="expected the 25 joints of kinect_v2, found 20 joints"):
            read_walk(tmp_path / "walk.npy", WalkFormat(joints="kinect_v2"))

    def test_pickled_objects_are_not_run(self, tmp_path):
        trace = tmp_path / "trace"
        array = np.array([Bomb(trace)], dtype=object)
        np.save(tmp_path / "walk.npy", array, allow_pickle=True)
        np.savez(tmp_path / "walk.npz", skeleton=array)
        np.savez(tmp_path / "other.npz", skeleton=np.ones((7, J, 3)), joints=array)
        self.refused(tmp_path / "walk.npy", "it holds pickled objects, which can run code; refused")
        self.refused(tmp_path / "walk.npz", "'skeleton': .* pickled objects, which can run code; refused")
        self.refused(tmp_path / "other.npz", "'joints': .* pickled objects, which can run code; refused")
        write(tmp_path / "bare.npy", pickle.dumps(Bomb(trace)))
        write(tmp_path / "bare.npz", pickle.dumps(Bomb(trace)))
        self.refused(tmp_path / "bare.npy", "expected an array of numbers")
        self.refused(tmp_path / "bare.npz", "expected an archive of arrays")
        assert not trace.exists()
        np.load(tmp_path / "walk.npy", allow_pickle=True)
        assert trace.exists()  # the bomb is one

    @pytest.mark.parametrize("kept", [0, 3, 50, -1])
    @pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet"])
    def test_a_truncated_file(self, tmp_path, walk, ending, kept):
        path = tmp_path / f"walk{ending}"
        if ending == ".parquet":
            pq.write_table(pa.table({str(i): column for i, column in enumerate(walk.reshape(7, -1).T)}), path)
        else:
            (np.save if ending == ".npy" else np.savez)(path, walk)
        path.write_bytes(path.read_bytes()[:kept])
        self.refused(path, "expected an array of numbers: |expected an archive of arrays: |expected Parquet: ")

    def test_members_of_an_archive_are_read_by_name_alone(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "walk.npz", "w") as archive:
            archive.writestr("../../escaped.npy", b"\x93NUMPY")
        self.refused(tmp_path / "walk.npz", "expected an array 'skeleton'.* found no array")

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (
                lambda text: text.replace("\n", ",1\n", 3).replace(",1\n", "\n", 2),
                "line 3: expected 60 fields .* found 61",
            ),
            (
                lambda text: text[: len(text) // 2].rpartition(",")[0],
                r"line 5: expected 60 fields as in .*, found \d+\.$",
            ),
            (lambda text: text.replace(text.split(",")[70], "abc"), "line 2, column 'Head_z': .* number, found 'abc'"),
            (lambda text: text.replace(text.split(",")[70], "1_0"), "expected a number, found '1_0'"),
            (lambda text: text.replace(text.split(",")[70], "\u0661"), "expected a number, found '\u0661'"),
            (lambda text: text.replace(",", ";").replace(".", ","), "line 2, .* decimal commas are not read"),
            (lambda text: text.replace(",", "\t").replace(".", ","), "line 2, .* decimal commas are not read"),
            (lambda text: text.replace("_", "").replace(".", ","), "found 120; decimal commas are not read"),
            (lambda text: text.replace(",", ";").replace(".", ",").partition("\n")[2], "line 1, .* decimal commas"),
            (lambda text: text.replace("Head_x", "Head_y"), "another name for each column, found 'Head_y' 2 times"),
            (
                lambda text: text.replace("Head_x", "Head.y"),
                "one column for each axis of a joint, found 'Head.y' and 'Head_y",
            ),
            (lambda text: text.replace("Head_", "Brow_"), "names: expected the joints .* Brow"),
            (
                lambda text: text.replace("_z", "_w"),
                "expected columns of x, y and z of each joint, .* found HipCenter_x",
            ),
            (lambda text: text.partition("\n")[0], "expected at least one frame, found none"),
            (
                lambda text: text.partition("\n")[2].replace(",", ",1,", 1).partition("\n")[0],
                "found 61 columns without",
            ),
            (lambda text: text.replace("0", '"', 1), "line 8: expected fields of a table: "),
            (lambda text: "x,y,z\n1,2,3\n", "expected columns of x, y and z of each joint"),
            (lambda text: "joint,x,y,z\nHead,1,2,3\n", "expected a column that numbers the frames"),
            (
                lambda text: "frame,joint,x,y,z\n0,0,1,2,3\n0,2,1,2,3\n",
                "numbered from 0 or 1 without a gap, found 0, 2",
            ),
            (lambda text: "frame,joint,x,y,z\n,Head,1,2,3\n", "line 2, column 'frame': expected a number, found none"),
            (lambda text: text.replace("Head", "joint_3"), "names: expected"),
            (lambda text: b"PK\x03\x04\x00\x00", "line 1: expected text, found a zero byte"),
            (lambda text: b"a,b\n1,\xe9\n", "line 2: expected text in UTF-8, found the byte 0xe9"),
            (lambda text: text.encode("utf-16"), "line 1: expected text in UTF-8, found the byte 0xff"),
        ],
    )
    def test_damaged_tables(self, tmp_path, walk, damage, message):
        self.refused(write(tmp_path / "walk.csv", damage(wide_text(walk, skeletons.JOINTS))), message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"joints": "kinect_v3"}, r"joints: expected one of auto, kinect_v1, .* received 'kinect_v3'"),
        ({"units": "ft"}, "units: expected one of m, cm, mm, in, received 'ft'"),
        ({"missing": "drop"}, "missing: expected one of refuse, interpolate, received 'drop'"),
        ({"frame_rate": 0}, "frame_rate: expected more than 0 and at most 1000 Hz, received 0"),
        ({"resample": float("nan")}, "resample: expected more than 0 and at most 1000 Hz, received nan"),
        ({"resample": "30"}, "resample: expected more than 0 .* received '30'"),
    ],
)
def test_formats_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        WalkFormat(**options)


COORDINATES = st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, -0.0, 1e-300])
WALKS = hnp.arrays(np.float64, st.tuples(st.integers(1, 3), st.just(J), st.just(3)), elements=COORDINATES)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("walks")


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(WALKS, st.randoms(use_true_random=False), st.data())
def test_every_layout_is_read_back(scratch, walk, random, draw):
    order = random.sample(range(J), J)
    names, mixed = [skeletons.JOINTS[joint] for joint in order], walk[:, order]
    units = draw.draw(st.sampled_from(["m", "cm", "mm"]))
    scale = {"m": 1, "cm": 100, "mm": 1000}[units]
    layout = draw.draw(st.sampled_from(["wide", "long", "npy", "npz", "parquet", "rows"]))
    separator = draw.draw(st.sampled_from([",", ";", "\t"]))
    path = scratch / f"walk.{layout if layout in ('npy', 'npz', 'parquet') else 'csv'}"
    if layout == "wide":
        style = draw.draw(st.sampled_from(STYLES))
        write(path, wide_text(mixed * scale, names, style, separator))
    elif layout == "long":
        write(path, long_text(mixed * scale, names, separator))
    elif layout == "npy":
        np.save(path, walk * scale)
    elif layout == "npz":
        np.savez(path, skeleton=mixed * scale, joints=names, units=units)
    elif layout == "rows":
        np.savetxt(path, (walk * scale).reshape(len(walk), -1), delimiter=separator)
    else:
        columns = {
            f"{name}_{axis}": mixed[:, j, a] * scale for j, name in enumerate(names) for a, axis in enumerate("xyz")
        }
        pq.write_table(pa.table(columns), path)
    read = load_walk(path, WalkFormat(joints="kinect_v1", units=units))
    np.testing.assert_allclose(read.skeleton, walk, rtol=1e-6, atol=1e-12)


FRAGMENTS = st.sampled_from(
    [b",", b";", b"\t", b"\n", b"\r", b'"', b"_", b"nan", b"inf", b"1e999", b"\x00", b"\xff", b"x", b"0,5", b" ", b"-"]
) | st.binary(max_size=4)


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.data())
def test_damaged_files_are_walks_or_refused(scratch, draw):
    ending = draw.draw(st.sampled_from(["csv", "long.csv", "npy", "npz", "parquet", "txt"]))
    walk, path = np.arange(180, dtype=float).reshape(3, J, 3), scratch / f"damaged.{ending}"
    if ending == "csv":
        write(path, wide_text(walk, skeletons.JOINTS, columns={"time": [1, 2, 3], "Head_state": [1, 2, 0]}))
    elif ending == "long.csv":
        write(path, long_text(walk, skeletons.JOINTS))
    elif ending == "npy":
        np.save(path, walk)
    elif ending == "npz":
        np.savez_compressed(path, skeleton=walk, joints=skeletons.JOINTS, units="m", frame_rate=30.0)
    elif ending == "parquet":
        pq.write_table(pa.table({str(i): column for i, column in enumerate(walk.reshape(3, -1).T)}), path)
    else:
        write(path, "".join(f"{name};1;2;3\n" for name in skeletons.KGBD))
    content = path.read_bytes()
    if ending == "parquet" or draw.draw(st.booleans()):  # of Parquet's inside its own library takes care
        content = content[: draw.draw(st.integers(0, len(content)))]
    else:
        start = draw.draw(st.integers(0, len(content)))
        content = content[:start] + draw.draw(FRAGMENTS) + content[start + draw.draw(st.integers(0, 20)) :]
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy on headers that Python 2 wrote
        try:
            read = load_walk(path, WalkFormat(missing=draw.draw(st.sampled_from(["refuse", "interpolate"]))))
        except ValueError as error:
            hypothesis.note(error)
            return
    assert read.skeleton.dtype == np.float32
    assert read.skeleton.shape[1:] == (J, 3)
    assert np.isfinite(read.skeleton).all()
    assert read.tracked.shape == read.skeleton.shape[:2]


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(st.binary(max_size=300), st.sampled_from([".npy", ".npz", ".csv", ".parquet", ".txt"]))
def test_arbitrary_bytes_are_refused(scratch, content, ending):
    path = scratch / f"noise{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected "):
        read_walk(path)


def test_reading_takes_no_tensorflow():
    code = (
        "import sys, agegait.data; agegait.data.read_walk; agegait.data.WalkFormat; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_public_names():
    assert {"WalkFormat", "load_walk", "read_walk", "resample", "hold_out"} <= set(data.__all__)
