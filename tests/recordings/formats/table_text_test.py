"""Tables in text as loggers and spreadsheets write them: encodings, separators, preambles, headers in parts, gaps."""

import random

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.walk_writing import KINECT_V2, long_text, refused, wide_text, write

from agegait import skeletons
from agegait.data import WalkFormat, load_walk
from agegait.recordings import read_recordings
from tfds_builders.walkers import generator

J = len(skeletons.JOINTS)


@pytest.fixture(scope="module")
def person():
    """A walker's first frames, [12, 20, 3] in canonical joints."""
    return generator.walk(0, "a", 0)[0][:12].astype(float)


def read(path, content):
    (recording,) = read_recordings(write(path, content))
    return recording


def spreadsheet(text):
    """As a spreadsheet in Western Europe writes it."""
    return text.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    "content",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: spreadsheet(text).replace("\n", "\r\n").encode("utf-8-sig"),
        lambda text: spreadsheet(text).replace(";", "\t"),
        lambda text: spreadsheet(text).replace(";", " "),
        lambda text: text.replace(",", "|"),
        lambda text: text.replace(",", "   "),
        lambda text: "sep=;\n" + spreadsheet(text),
        lambda text: "\n".join('"' + row.replace(";", '","') + '"' for row in spreadsheet(text).splitlines()),
        lambda text: text.replace("\n", ",\r\n") + "\r\n\r\n",
        lambda text: text.replace("\n", ",,,\n") + ",,,\n" * 2 + "," * 62 + "\n",
        lambda text: "# Kinect, 0.92 m high\n#\n" + text.replace("\n", "\n# a \"pause\n", 4) + "# end\n",
        lambda text: "// one\n% two\n\n" + text,
        lambda text: "# x, y, z\n# " + text,
        lambda text: "Software : Logger,Version : 1.0.4\n\n" + text,
        lambda text: "Recorded\n2024-03-05,10:15\nWalk,12\n" + text,
        lambda text: text.replace("\n", "\n" + ",".join(["m"] * 60) + "\n", 1),
    ],
)  # fmt: skip
def test_ways_in_which_tables_are_written(tmp_path, person, content):
    recording = read(tmp_path / "walk.csv", content(wide_text(person, skeletons.JOINTS)))
    np.testing.assert_array_equal(recording.coordinates, person)
    assert recording.names == skeletons.JOINTS


@pytest.mark.parametrize("separator", [",", "\t", " ", ";"])
def test_tables_may_end_in_txt(tmp_path, person, separator):
    text = wide_text(person, skeletons.JOINTS, separator=separator)
    np.testing.assert_array_equal(read(tmp_path / "walk.txt", text).coordinates, person)
    refused(write(tmp_path / "walk.txt", "a walk of Anna's\n"), "expected ")


def test_windows_1252_is_read_and_said(tmp_path, person):
    columns = {"Gr\u00f6\u00dfe": [1] * 12}
    recording = read(tmp_path / "walk.csv", wide_text(person, skeletons.JOINTS, columns=columns).encode("cp1252"))
    assert recording.remarks == ("read as Windows-1252, as it is not UTF-8", "not read: Gr\u00f6\u00dfe")


@pytest.mark.parametrize(
    "header",
    [
        lambda names: ",".join(f"{name} X, Y, Z " for name in names),
        lambda names: ",".join(f"{name} (x),(y),(z)" for name in names),
        lambda names: ",".join(f"{name},Y,Z" for name in names),
        lambda names: ",".join(f"{name},," for name in names),
        lambda names: ",".join(f"{name},," for name in names) + "\n" + ",".join("XYZ" * len(names)),
        lambda names: ",".join(f"{name},{name},{name}" for name in names) + "\n" + ",".join("xyz" * len(names)),
        lambda names: ",".join(f"{name} {axis} (m)" for name in names for axis in "XYZ"),
        lambda names: ",".join(f"{name}_{axis}_m" for name in names for axis in "xyz"),
        lambda names: ",".join(f"{name}.World.{axis}" for name in names for axis in "XYZ"),
        lambda names: ",".join(f"X({name})|Y({name})|Z({name})".replace("|", ",") for name in names),
    ],
)
def test_headers_of_two_parts_and_with_units(tmp_path, person, header):
    _, body = wide_text(person, skeletons.JOINTS).split("\n", 1)
    spaced = [name.replace("Left", " Left").replace("Right", " Right") for name in skeletons.JOINTS]
    recording = read(tmp_path / "walk.csv", header(spaced) + "\n" + body)
    np.testing.assert_array_equal(recording.coordinates, person)
    assert recording.names == tuple(spaced)


def test_columns_of_two_levels_as_pandas_writes_them(tmp_path, person):
    text = wide_text(person, skeletons.JOINTS, columns={"no": range(0, 24, 2)})
    names, axes = (",".join(name.split("_")[level] for name in text.split("\n")[0].split(",")[1:]) for level in (0, 1))
    text = f"joint,{names}\naxis,{axes}\nframe{',' * 60}\n" + text.split("\n", 1)[1]
    recording = read(tmp_path / "walk.csv", text)
    np.testing.assert_array_equal(recording.coordinates, person)
    assert (recording.names, recording.remarks) == (skeletons.JOINTS, ())


def test_units_in_headers_are_believed(tmp_path, person):
    text = wide_text(person * 1000, skeletons.JOINTS, "{joint} {axis} [mm]")
    np.testing.assert_allclose(load_walk(write(tmp_path / "walk.csv", text)).skeleton, person, atol=1e-6)
    refused(write(tmp_path / "walk.csv", text.replace("Head x [mm]", "Head x [cm]")), "in one unit, found cm and mm")
    text = "# units: mm, frame rate: 25 Hz\n" + text.replace(" [mm]", "")
    recording = read(tmp_path / "walk.csv", text)
    assert (recording.units, recording.frame_rate) == ("mm", 25)
    assert "the file says 25 frames/s" in recording.remarks


def test_what_is_the_place_of_no_joint_is_left_out(tmp_path, person):
    more = ["Head_Orientation", "FloorClipPlane", "Gravity", "Head_velocity"]
    names = [*skeletons.JOINTS, *more]
    text = wide_text(np.concatenate([person, np.zeros((12, 4, 3))], axis=1), names)
    recording = read(tmp_path / "walk.csv", text)
    assert recording.names == skeletons.JOINTS
    assert recording.remarks[0].startswith("not read: Head_Orientation_x, Head_Orientation_y")


def test_without_a_header_states_are_known_by_their_values(tmp_path, person):
    walk, states = person.repeat(2, axis=1)[:, :25], np.random.default_rng(0).integers(0, 3, (12, 25, 1))
    rows = np.concatenate([walk, states], axis=2).reshape(12, 100)
    text = "".join(",".join(map(repr, map(float, row))) + ",\n" for row in rows)  # as KIMORE's files end
    recording = read(tmp_path / "walk.csv", text)
    np.testing.assert_array_equal(recording.coordinates, walk)
    np.testing.assert_array_equal(recording.tracked, states[..., 0] > 0)


@pytest.mark.parametrize("nothing", ["", "NaN", "nan", "-", "null", "#N/A", "-1.#IND", "1.#QNAN0", "?"])
def test_fields_without_a_number(tmp_path, person, nothing):
    text = wide_text(person, skeletons.JOINTS)
    rows = [row.split(",") for row in text.splitlines()]
    rows[4][3 * 11 : 3 * 12] = [nothing] * 3
    path = write(tmp_path / "walk.csv", "\n".join(map(",".join, rows)))
    refused(path, r"walk\.csv, line 5, frame 3, joint HandRight: .*interpolate")
    filled = load_walk(path, WalkFormat(missing="interpolate"))
    np.testing.assert_allclose(filled.skeleton[3, 11], person[[2, 4], 11].mean(axis=0), atol=1e-6)


def test_a_header_that_is_there_again(tmp_path, person):
    text = wide_text(person, skeletons.JOINTS)
    header = text.split("\n")[0] + "\n"
    np.testing.assert_array_equal(read(tmp_path / "walk.csv", header + text).coordinates, person)
    refused(write(tmp_path / "walk.csv", text + text), "line 14, .* the header is there again")


def test_damaged_text(tmp_path, person):
    text = wide_text(person, skeletons.JOINTS)
    path = tmp_path / "walk.csv"
    refused(write(path, ""), r"walk\.csv, line 1: expected .*, found an empty file")
    refused(write(path, "\n\n"), "found an empty file")
    refused(write(path, "# a\n"), "found an empty file")
    refused(write(path, text[:-100]), r"line 13: expected 60 fields .*, found \d+; the file breaks off")
    refused(write(path, text + '"1,2'), "line 14: expected fields of a table: unexpected end of data")
    refused(
        write(path, "TimeSpan,Marker Message\n2024-03-05 10:15:30.4,Start : Start\n"), "found TimeSpan, Marker Message"
    )


STATES = [f"{name}_{{}}" for name in KINECT_V2]


@pytest.mark.parametrize(
    ("columns", "unread"),
    [
        ({"HandLeftState": ["Open", "Closed", "Lasso", "Unknown"] * 3}, "HandLeftState"),
        (
            {"HandRightState": [0, 1, 2, 3] * 3, "HandRightConfidence": [0, 1] * 6},
            "HandRightState, HandRightConfidence",
        ),
        ({"HandLeftStateConfidence": ["High", "Low"] * 6}, "HandLeftStateConfidence"),
    ],
)
def test_what_hands_do_is_no_tracking(tmp_path, person, columns, unread):
    walk = person.repeat(2, axis=1)[:, :25]
    recording = read(tmp_path / "walk.csv", wide_text(walk, columns=columns))
    assert (recording.tracked, recording.remarks) == (None, (f"not read: {unread}",))
    more = {name.format("TrackingState"): ["Tracked", "NotTracked"] * 6 for name in STATES}
    recording = read(tmp_path / "walk.csv", wide_text(walk, columns=columns | more))
    np.testing.assert_array_equal(recording.tracked, np.tile([[True], [False]], (6, 25)))


@pytest.mark.parametrize(
    ("word", "values", "expected"),
    [
        ("inferred", [0, 1], [True, True]),
        ("inferred", ["False", ""], [True, False]),
        ("Conf", ["0.5", "0"], [True, False]),
        ("confidence_level", ["Low", "None"], [True, False]),
    ],
)
def test_words_for_tracking(tmp_path, person, word, values, expected):
    walk = person.repeat(2, axis=1)[:, :25]
    columns = {name.format(word): values * 6 for name in STATES}
    recording = read(tmp_path / "walk.csv", wide_text(walk, columns=columns))
    np.testing.assert_array_equal(recording.tracked, np.tile(np.array(expected)[:, None], (6, 25)))


def test_numbered_landmarks_with_visibility(tmp_path):
    walk = np.random.default_rng(0).standard_normal((12, 33, 3))
    columns = {f"v{joint}": ["0.9", "0.2"] * 6 for joint in range(33)}
    recording = read(tmp_path / "walk.csv", wide_text(walk, range(33), "{axis}{joint}", columns=columns))
    np.testing.assert_array_equal(recording.coordinates, walk)
    np.testing.assert_array_equal(recording.tracked, np.tile([[True], [False]], (6, 33)))
    assert (recording.names, recording.remarks) == (None, ())


@hypothesis.settings(max_examples=examples(300))
@hypothesis.given(st.data())
def test_tables_come_back_as_they_were_written(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("tables") / "walk.csv"
    walk = np.random.default_rng(data.draw(st.integers(0, 99))).standard_normal((data.draw(st.integers(1, 4)), J, 3))
    separator = data.draw(st.sampled_from([",", ";", "\t", "|", " "]))
    comma = separator != "," and data.draw(st.booleans())
    order = data.draw(st.permutations(range(3 * J)))
    header = [f"{name}_{axis}" for name in skeletons.JOINTS for axis in "xyz"]
    rows = [header, *([repr(float(number)) for number in frame.ravel()] for frame in walk)]
    lines = [separator.join(row[column].replace(".", "," if comma else ".") for column in order) for row in rows]
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]))
    recording = read(path, (end.join(lines) + data.draw(st.sampled_from(["", end]))).encode(encoding))
    places = [recording.names.index(name) for name in skeletons.JOINTS]
    np.testing.assert_array_equal(recording.coordinates[:, places], walk)


@hypothesis.settings(max_examples=examples(1000))
@hypothesis.given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    '"',
                    ",",
                    ";",
                    "\t",
                    "\n",
                    "#",
                    "nan",
                    "-",
                    "1",
                    "0.5",
                    "1,5",
                    "1e999",
                    "x",
                    "y",
                    "z",
                    "Head_x",
                    "frame",
                ]
                + [
                    "person",
                    "id",
                    "label",
                    "time",
                    "12:00:00",
                    "joint",
                    " ",
                    "\ufeff",
                    "0",
                    "Head X, Y, Z",
                    "inf",
                    "-1",
                ]
            ),
            max_size=60,
        ).map(lambda parts: "".join(parts).encode()),
    )
)
def test_any_bytes_are_read_or_refused_by_name(tmp_path_factory, content):
    path = write(tmp_path_factory.mktemp("tables") / "walk.csv", content)
    try:
        read_recordings(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017 - most are refused, some are read


@pytest.mark.slow
def test_ten_thousand_damaged_tables(tmp_path, person):
    draw = random.Random(0)
    columns = {"time": np.arange(12) / 30, "BodyID": [0, 3] * 6, "Head_state": [0, 1, 2] * 4}
    bases = [
        *(wide_text(person, skeletons.JOINTS, columns=columns), long_text(person, skeletons.JOINTS, columns=columns)),
        spreadsheet(wide_text(person[:3], skeletons.JOINTS)),
    ]
    parts = ['"', ",", ";", "\t", "\n", "nan", "inf", "-", "1e999", "-1e308", "5e-324", "#", "0", "x", "9" * 30]
    parts += ["99:99:99", "12:00:00", "label,", "frame", "", "\0", "\xff", "1,5"]
    for _ in range(10_000):
        rows = [row.split(",") for row in draw.choice(bases).splitlines()[: draw.randrange(1, 14)]]
        for _ in range(draw.randrange(1, 6)):
            row = draw.choice(rows)
            place = draw.randrange(len(row))
            change = draw.randrange(4)
            if change < 2:
                row[place] = draw.choice(parts)
            elif change == 2:
                rows.insert(draw.randrange(len(rows)), list(draw.choice(rows)))
            elif len(row) > 1:
                del row[place : place + draw.choice([1, 1, 30])]
                row.append("")
        content = "\n".join(map(",".join, rows)).encode(draw.choice(["utf-8", "utf-8", "latin-1", "utf-16"]))
        path = write(tmp_path / "walk.csv", content[: draw.choice([None, None, draw.randrange(len(content) + 1)])])
        try:
            read_recordings(path)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017 - most are refused, some are read
