"""TRC of OpenSim and of motion capture systems."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.refusals import read_or_refused

from agegait.recordings import read_recordings

NAMES = ("RHip", "LHip", "Neck", "Head")


def text_of(walk, names=NAMES, units="mm", rate=50.0, first=1, times=None, separator="\t", between=3):
    header = ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigNumFrames"]
    values = [f"{rate:.2f}", f"{rate:.2f}", str(len(walk)), str(len(names)), units, f"{rate:.2f}", str(len(walk))]
    over = [field for name in names for field in (name, *[""] * (between - 1))]
    axes = [f"{axis}{index}" for index in range(1, len(names) + 1) for axis in "XYZ"]
    times = np.arange(len(walk)) / rate if times is None else times
    rows = [
        [
            str(first + frame),
            f"{times[frame]:.5f}",
            *("" if np.isnan(n) else repr(float(n)) for n in walk[frame].ravel()),
        ]
        for frame in range(len(walk))
    ]
    lines = [["PathFileType", "4", "(X/Y/Z)", "walk.trc"], header, values, ["Frame#", "Time", *over], ["", "", *axes]]
    return "\r\n".join(separator.join(line) for line in [*lines, [], *rows]) + "\r\n"


def walk_of(frames=6, joints=4):
    return np.random.default_rng(0).normal(size=(frames, joints, 3)).round(3)


def read(tmp_path, text):
    (tmp_path / "w.trc").write_bytes(text.encode())
    return read_recordings(tmp_path / "w.trc")


@pytest.mark.parametrize(
    ("units", "known"), [("mm", "mm"), ("m", "m"), ("Meters", "m"), ("cm", "cm"), ("furlong", None)]
)
def test_a_file(tmp_path, units, known):
    (found,) = read(tmp_path, text_of(walk_of(), units=units))
    np.testing.assert_array_equal(found.coordinates, walk_of())
    assert (found.names, found.units, found.up, found.frame_rate) == (NAMES, known, "y", 50.0)
    np.testing.assert_allclose(found.seconds, np.arange(6) / 50)
    assert found.lines.tolist() == [7, 8, 9, 10, 11, 12]


def test_markers_that_were_not_seen_are_empty(tmp_path):
    walk = walk_of()
    walk[2, 1] = walk[5, 3] = np.nan  # the last ones of a line, too
    (found,) = read(tmp_path, text_of(walk).replace("\t\r\n", "\r\n"))
    np.testing.assert_array_equal(found.coordinates, walk)


def test_columns_without_a_name_are_not_read(tmp_path):
    (found,) = read(tmp_path, text_of(walk_of(), names=("RHip", "", "Neck", "Head")))
    np.testing.assert_array_equal(found.coordinates, walk_of()[:, [0, 2, 3]])
    assert found.names == ("RHip", "Neck", "Head")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\r\n\r\n", "\r\n"),  # no empty line below the header
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.replace("\t", " "),
        lambda text: text.replace("\t\t\tLHip\t\t\tNeck\t\t\tHead\t\t", "\tLHip\tNeck\tHead"),
        lambda text: (
            text.replace("LHip\t\t\t", "LHip_X\tLHip_Y\tLHip_Z\t")
            .replace("RHip\t\t\t", "RHip_X\tRHip_Y\tRHip_Z\t")
            .replace("Neck\t\t\t", "Neck_X\tNeck_Y\tNeck_Z\t")
            .replace("Head\t\t", "Head_X\tHead_Y\tHead_Z")
        ),
        lambda text: text.replace("\r\n", "\t\r\n"),
        lambda text: "\ufeff" + text,
    ],
)
def test_spellings(tmp_path, change):
    (found,) = read(tmp_path, change(text_of(walk_of())))
    np.testing.assert_array_equal(found.coordinates, walk_of())
    assert found.names == NAMES
    assert (found.units, found.frame_rate) == ("mm", 50.0)


def test_subjects_are_apart(tmp_path):
    first, second = read(tmp_path, text_of(walk_of(), names=("Anna:Hip", "Anna:Head", "Ben:Hip", "Ben:Head")))
    assert (first.body, second.body, first.names, second.names) == ("Anna", "Ben", ("Hip", "Head"), ("Hip", "Head"))
    np.testing.assert_array_equal(second.coordinates, walk_of()[:, 2:])
    (alone,) = read(tmp_path, text_of(walk_of(), names=("Anna:A", "Anna:B", "C", "Anna:D")))
    assert (alone.body, alone.names) == (None, ("A", "B", "C", "D"))


def test_holes_and_repeated_frames(tmp_path):
    times = np.array([0, 1, 2, 2, 23, 24]) / 50
    (found,) = read(tmp_path, text_of(walk_of(), times=times))
    assert found.breaks == (3,)
    np.testing.assert_array_equal(found.coordinates, walk_of()[[0, 1, 2, 4, 5]])
    assert found.remarks == (
        "1 frames are there twice and were left out",
        "20 frames are missing, most above line 11",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("Frame#", "Number"), "expected a line of TRC that begins with Frame#"),
        (lambda text: text[: text.index("1\t0.00000")], "expected at least one frame, found none"),
        (lambda text: text.replace("4\t0.06000", "4\tlater"), "line 10: expected numbers, found 'later'"),
        (lambda text: text.replace("4\t0.06000", "4\t0.01000"), "line 10: expected frames in order, and one walk"),
        (lambda text: text.replace("4\t0.06000", "4\t0.06000\t1\t2\t3"), "line 10: expected 14 columns, found 17"),
        (lambda text: text.replace("\tLHip\t", "\t\tLHip"), "line 4: expected a marker's name over each three columns"),
        (lambda text: text.replace("4\t0.06000", "\t0.06000"), "line 10: expected a frame's number and its time"),
    ],
)
def test_what_is_none(tmp_path, change, message):
    text = text_of(walk_of())
    assert change(text) != text
    with pytest.raises(ValueError, match=message) as refusal:
        read(tmp_path, change(text))
    assert str(refusal.value).startswith(str(tmp_path / "w.trc"))


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=examples(400), suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_refused(tmp_path, data):
    text = text_of(walk_of(3)).encode()
    start = data.draw(st.integers(0, len(text)))
    content = text[:start] + data.draw(st.binary(max_size=8)) + text[start + data.draw(st.integers(0, 8)) :]
    read_or_refused(tmp_path / "w.trc", content)
    read_or_refused(tmp_path / "w.trc", b"Frame#\tTime\tA\n" + data.draw(st.binary()))
