"""Walks in tables: columns by any usual name, times, and damage refused by its place."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.walk_writing import KINECT_V2, STYLES, kinect_v2, long_text, refused, wide_text, write

from agegait import skeletons
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


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("capital", [False, True])
def test_columns_by_any_usual_name_in_any_order(tmp_path, person, style, capital):
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
def test_joints_by_number(tmp_path, person, style, first):
    text = wide_text(kinect_v2(person)[:, ::-1], range(24 + first, first - 1, -1), style)
    read = load_walk(write(tmp_path / "walk.csv", text))
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
    assert read.schema == "kinect_v2"  # OpenPose has 25 joints as well


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text_of", [wide_text, long_text])
def test_separators(tmp_path, person, separator, text_of):
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
def test_ways_of_writing(tmp_path, person, change):
    text = change(wide_text(kinect_v2(person)))
    np.testing.assert_allclose(read_walk(write(tmp_path / "walk.csv", text.encode())), person, atol=1e-6)


@pytest.mark.parametrize("header", [0, 1, 2])
def test_numbers_alone_and_as_pandas_numbers_columns(tmp_path, person, header):
    lines = wide_text(kinect_v2(person)).split("\n")[1:-1]
    if header:
        lines.insert(0, ",".join(map(str, range(75))))
    if header == 2:  # with the rows' numbers
        lines = ["," + lines[0], *(f"{row},{line}" for row, line in enumerate(lines[1:]))]
    read = load_walk(write(tmp_path / "walk.csv", "\n".join(lines)))
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)


def test_a_long_table_in_any_order_of_rows(tmp_path, person):
    head, *rows = long_text(kinect_v2(person)).splitlines(keepends=True)
    rows = [rows[row] for row in np.random.default_rng(0).permutation(len(rows))]
    read = load_walk(write(tmp_path / "walk.csv", "".join([head, *rows])))
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)


def test_a_long_table_with_numbered_joints_and_times_alone(tmp_path, person):
    text = long_text(kinect_v2(person), range(1, 26)).replace("frame", "time_ms", 1)
    read = load_walk(write(tmp_path / "walk.csv", text))
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
    assert read.frame_rate == pytest.approx(1000)


def test_what_columns_mean_beside_the_joints(tmp_path, person):
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
def test_what_says_that_a_joint_was_tracked(tmp_path, person, column, values, expected):
    columns = {column.format(name): (values * 40)[:40] for name in KINECT_V2}
    read = load_walk(write(tmp_path / "walk.csv", wide_text(kinect_v2(person), columns=columns)))
    np.testing.assert_array_equal(read.tracked[: len(values)], np.array(expected)[:, None].repeat(J, axis=1))
    long = write(tmp_path / "long.csv", long_text(kinect_v2(person), columns={"confidence": ["0.2", "0.8"] * 20}))
    np.testing.assert_array_equal(load_walk(long).tracked, np.tile([[False], [True]], (20, J)))


def test_more_than_positions_of_each_joint(tmp_path, person):
    names = [f"{name}{what}" for what in ("", "_velocity", "_q") for name in KINECT_V2]
    walk = np.concatenate([kinect_v2(person), np.zeros((40, 50, 3))], axis=1)
    read = load_walk(write(tmp_path / "walk.csv", wide_text(walk, names)))
    np.testing.assert_allclose(read.skeleton, person, atol=1e-6)
    assert read.remarks[0].startswith("not read: SpineBase_velocity_x, SpineBase_velocity_y")
    assert read.remarks[0].endswith("and 145 more")


def test_parquet_without_columns(tmp_path):
    pq.write_table(pa.table({}), tmp_path / "walk.parquet")
    refused(tmp_path / "walk.parquet", "expected columns of x, y and z of each joint")


@pytest.mark.parametrize("text_of", [wide_text, long_text])
def test_parquet(tmp_path, person, text_of):
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


def test_the_folder_of_parquet_adds_no_columns(tmp_path, person):
    path = tmp_path / "person=1" / "walk.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({str(i): column for i, column in enumerate(kinect_v2(person).reshape(40, -1).T)}), path)
    assert load_walk(path).remarks == ()


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
        assert "column 't' taken as s: 10 frames/s" in read.remarks

    @pytest.mark.parametrize(
        ("name", "step", "rate", "remark"),
        [
            ("time_ms", 40, 25, ()),
            ("timestamp [us]", 40_000, 25, ()),
            ("time [µs]", 40_000, 25, ()),
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
            with pytest.raises(ValueError, match=r"expected a known frame rate to resample, .* frame_rate=30"):
                load_walk(tmp_path / "walk.csv", WalkFormat(resample=10))
            assert len(load_walk(tmp_path / "walk.csv", WalkFormat(frame_rate=30, resample=10)).skeleton) == 3

    def test_times_that_are_text(self, tmp_path, walk):
        text = wide_text(walk, skeletons.JOINTS, columns={"timestamp": [f"00:00:0{frame}.0" for frame in range(7)]})
        read = load_walk(write(tmp_path / "walk.csv", text))
        assert (read.frame_rate, read.remarks) == (pytest.approx(1), ())
        text = text.replace("00:00:03.0", "soon")
        read = load_walk(write(tmp_path / "walk.csv", text))
        assert (read.frame_rate, read.remarks) == (None, ("column 'timestamp' not understood: 'soon'",))

    def test_frames_that_are_missing_are_told(self, tmp_path, walk):
        text = wide_text(walk, skeletons.JOINTS, columns={"frame": [0, 1, 2, 5, 6, 7, 8]})
        assert load_walk(write(tmp_path / "walk.csv", text)).remarks == ("2 frames are missing between 2 and 5",)

    def test_several_walks_in_one_file(self, tmp_path, walk):
        for name, values in (("frame", [0, 1, 2, 0, 1, 2, 3]), ("time", [0, 0.1, 0.2, 0, 0.1, 0.2, 0.3])):
            write(tmp_path / "walk.csv", wide_text(walk, skeletons.JOINTS, columns={name: values}))
            with pytest.raises(ValueError, match=rf"walk\.csv, line 5, column '{name}': expected .* one walk a file"):
                read_walk(tmp_path / "walk.csv")
        write(tmp_path / "walk.csv", long_text(walk, skeletons.JOINTS) + "0,Head,1,2,3\n")
        with pytest.raises(ValueError, match=r"line 142: .* one walk a file, found Head of frame 0 again"):
            read_walk(tmp_path / "walk.csv")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda text: text.replace("\n", ",1\n", 3).replace(",1\n", "\n", 2),
            "line 3: expected 60 fields .* found 61",
        ),
        (
            lambda text: text[: len(text) // 2].rpartition(",")[0],
            r"line 5: expected 60 fields as in .*, found \d+; the file breaks off\.$",
        ),
        (lambda text: text.replace(text.split(",")[70], "abc"), "line 2, column 'Head_z': .* number, found 'abc'"),
        (lambda text: text.replace(text.split(",")[70], "1_0"), "expected a number, found '1_0'"),
        (lambda text: text.replace(text.split(",")[70], "\u0661"), "expected a number, found '\u0661'"),
        (lambda text: text.replace("_", "").replace(".", ","), "found 120; fields with decimal commas need"),
        (
            lambda text: text.replace(",", ";").replace(".", ",", 5),
            r"one kind of decimal mark, found points in .*'HipCenter_x' and commas in column 'HipCenter_x'",
        ),
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
        (lambda text: "joint,x,y,z\nHead,1,2,3\n", "expected the joints of one of .* received 1 names"),
        (
            lambda text: "frame,joint,x,y,z\n0,0,1,2,3\n0,2,1,2,3\n",
            "numbered from 0 or 1 without a gap, found 0, 2",
        ),
        (lambda text: "frame,joint,x,y,z\n,Head,1,2,3\n", "line 2, column 'frame': expected a number, found none"),
        (lambda text: text.replace("Head", "joint_3"), "names: expected"),
        (lambda text: b"PK\x03\x04\x00\x00", "line 1: expected text, found a zero byte"),
        (lambda text: b"a,b\n1,\x81\n", "line 2: expected text in UTF-8, found the byte 0x81"),
        (lambda text: text.encode("utf-16")[:-1], "expected text in UTF-16, found a character that is cut off"),
    ],
)
def test_damaged_tables(tmp_path, walk, damage, message):
    refused(write(tmp_path / "walk.csv", damage(wide_text(walk, skeletons.JOINTS))), message)
