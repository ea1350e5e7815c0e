import re
import subprocess
import sys

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples

from agegait import skeletons
from agegait.recordings.formats import kgbd_text

NAMES = list(skeletons.KGBD)


def write(walk, newline="\r\n"):
    """Writes a walk [T, 20, 3] in canonical order as KGBD does, one line at a time."""
    lines = []
    for frame in walk:
        for name, canonical in skeletons.KGBD.items():
            x, y, z = frame[skeletons.JOINTS.index(canonical)]
            lines.append(f"{name};{x!s};{y!s};{z!s}{newline}")
    return "".join(lines).encode()


def naive_parse(text):
    """What `parse` must do, one line at a time; None where it must refuse."""
    try:
        lines = text.decode("utf-8").replace("\r\n", "\n").rstrip("\r\n").split("\n")
    except UnicodeDecodeError:
        return None
    if lines == [""] or len(lines) % 20:
        return None
    walk = np.empty((len(lines) // 20, 20, 3), np.float32)
    for number, line in enumerate(lines):
        name, *fields = line.split(";")
        if name != NAMES[number % 20] or len(fields) != 3:
            return None
        joint = skeletons.JOINTS.index(skeletons.KGBD[name])
        for axis, field in enumerate(fields):
            if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", field, re.ASCII):
                return None
            with np.errstate(over="ignore"):
                walk[number // 20, joint, axis] = np.float32(float(field))
    return walk if np.isfinite(walk).all() else None


walks = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.just(20), st.just(3)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@hypothesis.given(walks, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", "\r\n\r\n"]))
def test_reads_back_what_was_written(walk, newline, ending):
    parsed = kgbd_text.parse(write(walk, newline).rstrip() + ending.encode(), "walk.txt")
    assert parsed.dtype == np.float32
    np.testing.assert_array_equal(parsed, walk)


FRAGMENTS = st.sampled_from(
    [b";", b"\n", b"\r\n", b"\r", b" ", b"_", b",", b"-", b".", b"e9", b"e99", b"nan", b"inf", b"Head", b"1", b"\x00"]
    + [b"\xff", b"\xd9\xa1", b"Head;1;2;3\n", b"\n\n", b"0x1", b"\t"]
) | st.binary(max_size=3)


@hypothesis.settings(max_examples=examples(400))
@hypothesis.given(st.data())
def test_agrees_with_a_naive_parser_on_damaged_text(data):
    text = write(np.arange(120).reshape(2, 20, 3) / 8, data.draw(st.sampled_from(["\n", "\r\n"])))
    for _ in range(data.draw(st.integers(1, 2))):
        start = data.draw(st.integers(0, len(text)))
        text = text[:start] + data.draw(FRAGMENTS) + text[start + data.draw(st.integers(0, 30)) :]
    expected = naive_parse(text)
    if expected is None:
        with pytest.raises(ValueError, match=r"^walk\.txt, line \d+: expected .*got "):
            kgbd_text.parse(text, "walk.txt")
    else:
        np.testing.assert_array_equal(kgbd_text.parse(text, "walk.txt"), expected)


WALK = np.arange(120, dtype=np.float32).reshape(2, 20, 3)
LINES = write(WALK).split(b"\r\n")[:-1]


def with_line(number, line):
    return b"\r\n".join([*LINES[: number - 1], line, *LINES[number:]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "line 1: expected frames of 20 lines Joint;x;y;z, got an empty file"),
        (b"\r\n\r\n", "line 1: expected frames of 20 lines Joint;x;y;z, got an empty file"),
        (b"\x89PNG\r\n\x1a\n", "line 1: expected text, got the byte 0x89"),
        (with_line(3, b"\xff"), "line 3: expected text, got the byte 0xff"),
        (
            b"\r\n".join(LINES[:27]),
            "line 28: expected Wrist-Left;x;y;z, got the end of the file after 7 of the last frame's 20 joints",
        ),
        (b"\r\n".join(LINES[:-1]) + b"\r\nFoot-Left;1", "line 40: expected 4 fields Foot-Left;x;y;z, got 2"),
        (with_line(21, b"Neck;1;2;3"), "line 21: expected the joint Head, got 'Neck;1;2;3'"),
        (
            b"\r\n".join([*LINES[:5], *LINES[6:], LINES[5]]),
            "line 6: expected the joint Elbow-Left, got 'Wrist-Right",
        ),
        (with_line(2, b"Shoulder-Center;1;2;3;4"), "line 2: expected 4 fields Shoulder-Center;x;y;z, got 5"),
        (with_line(2, b""), "line 2: expected 4 fields Shoulder-Center;x;y;z, got 1: ''"),
        (with_line(1, b"Head;1;2;three"), "line 1: expected a finite number with a decimal point for z, got 'three'"),
        (with_line(1, b"Head;0,5;2;3"), "line 1: expected a finite number with a decimal point for x, got '0,5'"),
        (with_line(1, b"Head;1;;3"), "line 1: expected a finite number with a decimal point for y, got ''"),
        (with_line(1, b"Head;1; 2;3"), "line 1: expected a finite number with a decimal point for y, got ' 2'"),
        (with_line(1, b"Head;1;1_0;3"), "line 1: expected a finite number with a decimal point for y, got '1_0'"),
        (with_line(40, b"Foot-Left;nan;2;3"), "line 40: expected a finite number with a decimal point for x, got 'nan"),
        (with_line(1, b"Head;1;-inf;3"), "line 1: expected a finite number with a decimal point for y, got '-inf'"),
        (with_line(1, b"Head;1;2;1e39"), "line 1: expected a number within float32 for z, got '1e39'"),
        (b"\n".join(LINES[:2]) + b";" + LINES[2], "line 2: expected 4 fields Shoulder-Center;x;y;z, got 8"),
    ],
)  # fmt: skip
def test_says_where_a_text_goes_wrong(text, message):
    with pytest.raises(ValueError, match=re.escape(f"some/walk.txt, {message}")):
        kgbd_text.parse(text, "some/walk.txt")


def test_reads_a_frame_of_the_real_file():
    # The first frame of Person001/1.txt begins so; the further joints are zeros here.
    real = ["Head;-0.02845094;0.7953885;2.586351", "Shoulder-Center;-0.01007896;0.6364418;2.609512"]
    text = "\r\n".join([*real, *(f"{name};0;0;0" for name in NAMES[2:])])
    walk = kgbd_text.parse(text.encode(), "walk.txt")
    assert walk.shape == (1, 20, 3)
    np.testing.assert_array_equal(walk[0, 3], np.float32([-0.02845094, 0.7953885, 2.586351]))
    np.testing.assert_array_equal(walk[0, 2], np.float32([-0.01007896, 0.6364418, 2.609512]))
    np.testing.assert_array_equal(kgbd_text.tracked(walk), [[False, False, True, True] + 16 * [False]])


def test_a_joint_on_an_axis_is_tracked():
    walk = np.ones((1, 20, 3), np.float32)
    walk[0, 5], walk[0, 6], walk[0, 7] = (0, 0, 0), (0, 0, 2), (-0.0, 0, 0)
    assert np.flatnonzero(~kgbd_text.tracked(walk)[0]).tolist() == [5, 7]


def test_canonical_order_finds_joints_by_name():
    backwards = skeletons.JOINTS[::-1]
    assert skeletons.canonical_order(["Nose", *backwards]) == list(range(20, 0, -1))
    with pytest.raises(ValueError, match="must hold 'Spine' once"):
        skeletons.canonical_order([joint for joint in skeletons.JOINTS if joint != "Spine"])
    with pytest.raises(ValueError, match="must hold 'Head' once"):
        skeletons.canonical_order([*skeletons.JOINTS, "Head"])


def test_needs_neither_keras_nor_tensorflow():
    code = (
        f"import sys, {kgbd_text.__name__}; print({{'keras', 'tensorflow', 'tensorflow_datasets'}} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
