import re
import subprocess
import sys

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from support.budget import examples
from support.outside import BIWI_FRAME, needs_biwi_frame

from agegait.recordings.formats import biwi_text

ZEROS = ",".join(14 * ["0.0000"])


def write(skeleton, states, newline="\n", rows=40):
    """Writes a frame as BIWI does, its further columns told apart by their numbers."""
    lines = [
        f"3.0000,{x!s},{y!s},{z!s},310.5,200.25,{state}.0000,0.0000,{joint}.0000,4.0000,0.1,0.2,0.3,0.9"
        for joint, ((x, y, z), state) in enumerate(zip(skeleton, states, strict=True))
    ]
    return "".join(line + newline for line in [*lines, *(rows - 20) * [ZEROS]]).encode()


def naive_parse(text):
    """What `parse` must do, one line at a time; None where it must refuse."""
    try:
        lines = text.decode("ascii").replace("\r\n", "\n").rstrip("\r\n").split("\n")
    except UnicodeDecodeError:
        return None
    if len(lines) not in (20, 40):
        return None
    skeleton, tracked = np.empty((20, 3), np.float32), np.empty(20, bool)
    for number, line in enumerate(lines):
        fields = line.split(",")
        if len(fields) != 14:
            return None
        for column, field in enumerate(fields):
            field = field.strip(" \t")
            if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", field, re.ASCII):
                value = float(field)
            elif re.fullmatch(r"[+-]?(nan|inf|infinity)", field, re.ASCII | re.IGNORECASE):
                value = None
            else:
                return None
            if number < 20 and column in (1, 2, 3):
                if value is None:
                    return None
                with np.errstate(over="ignore"):
                    skeleton[number, column - 1] = np.float32(value)
            if number < 20 and column == 6:
                if value not in (0, 1, 2):
                    return None
                tracked[number] = value > 0
    return (skeleton, tracked) if np.isfinite(skeleton).all() else None


skeletons_ = hnp.arrays(np.float32, (20, 3), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
states_ = st.lists(st.sampled_from([0, 1, 2]), min_size=20, max_size=20)


@hypothesis.given(
    skeletons_, states_, st.sampled_from(["\n", "\r\n"]), st.sampled_from([20, 40]), st.sampled_from(["", "\n", "\r\n"])
)
def test_reads_back_what_was_written(skeleton, states, newline, rows, ending):
    text = write(skeleton, states, newline, rows).rstrip() + ending.encode()
    parsed, tracked = biwi_text.parse(text, "frame.txt")
    assert (parsed.dtype, tracked.dtype) == (np.float32, np.bool_)
    np.testing.assert_array_equal(parsed, skeleton)
    assert tracked.tolist() == [state in (1, 2) for state in states]


FRAGMENTS = st.sampled_from(
    [b",", b"\n", b"\r\n", b"\r", b" ", b"_", b";", b"-", b".", b"e9", b"e99", b"nan", b"inf", b"3", b"\x00", b"\x0b"]
    + [b"\xff", b"\xd9\xa1", ZEROS.encode() + b"\n", b"\n\n", b"0x1", b"\t", b"infinity", b"fin"]
) | st.binary(max_size=3)


@hypothesis.settings(max_examples=examples(400))
@hypothesis.given(st.data())
def test_agrees_with_a_naive_parser_on_damaged_text(data):
    newline, rows = data.draw(st.sampled_from(["\n", "\r\n"])), data.draw(st.sampled_from([20, 40]))
    text = write(np.arange(60).reshape(20, 3) / 8, 10 * [0, 2], newline, rows)
    for _ in range(data.draw(st.integers(1, 2))):
        start = data.draw(st.integers(0, len(text)))
        text = text[:start] + data.draw(FRAGMENTS) + text[start + data.draw(st.integers(0, 30)) :]
    expected = naive_parse(text)
    if expected is None:
        with pytest.raises(ValueError, match=r"^frame\.txt, line \d+: expected .*got "):
            biwi_text.parse(text, "frame.txt")
    else:
        for found, one in zip(biwi_text.parse(text, "frame.txt"), expected, strict=True):
            np.testing.assert_array_equal(found, one)


SKELETON = np.arange(60, dtype=np.float32).reshape(20, 3)
LINES = write(SKELETON, 20 * [2]).split(b"\n")[:-1]


def with_field(line, column, value):
    fields = LINES[line - 1].split(b",")
    fields[column] = value
    return with_line(line, b",".join(fields))


def with_line(number, line):
    return b"\r\n".join([*LINES[: number - 1], line, *LINES[number:]])


ROWS = "20 or 40 rows of 14 numbers"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", f"line 1: expected {ROWS}, got an empty file"),
        (b"\r\n\r\n", f"line 1: expected {ROWS}, got an empty file"),
        (b"\x89PNG\r\n\x1a\n", "line 1: expected text, got the byte 0x89"),
        (with_line(3, b"\xff"), "line 3: expected text, got the byte 0xff"),
        (b"\x00\x00", "line 1: expected 14 numbers with commas between them, got 1: '\\x00\\x00'"),
        (b"\n".join(LINES[:13]), f"line 14: expected {ROWS}, got the end of the file after 13"),
        (b"\n".join(LINES[:39]), f"line 40: expected {ROWS}, got the end of the file after 39"),
        (b"\n".join([*LINES, LINES[0]]), f"line 41: expected the end of the file after {ROWS}, got '3.0000,0.0,1.0"),
        (with_line(7, LINES[6][:30]), "line 7: expected 14 numbers with commas between them, got 6: '3.0000,18"),
        (with_line(39, b"0.0,0.0"), "line 39: expected 14 numbers with commas between them, got 2"),
        (with_line(2, LINES[1] + b","), "line 2: expected 14 numbers with commas between them, got 15"),
        (with_line(2, b""), "line 2: expected 14 numbers with commas between them, got 1: ''"),
        (with_line(2, LINES[1].replace(b",", b";")), "line 2: expected 14 numbers with commas between them, got 1"),
        (with_field(2, 2, b"0,25"), "line 2: expected 14 numbers with commas between them, got 15: '3.0000,3.0,0,25,"),
        (with_field(5, 1, b"left"), "line 5: expected a finite number with a decimal point for x3D, got 'left'"),
        (with_field(5, 2, b""), "line 5: expected a finite number with a decimal point for y3D, got ''"),
        (with_field(20, 3, b"nan"), "line 20: expected a finite number with a decimal point for z3D, got 'nan'"),
        (with_field(1, 1, b"-inf"), "line 1: expected a finite number with a decimal point for x3D, got '-inf'"),
        (with_field(1, 1, b"1_0"), "line 1: expected a finite number with a decimal point for x3D, got '1_0'"),
        (with_field(1, 3, b"1e39"), "line 1: expected a number within float32 for z3D, got '1e39'"),
        (with_field(4, 6, b"3"), "line 4: expected TrackingState 0, 1 or 2, got '3'"),
        (with_field(4, 6, b"1.5"), "line 4: expected TrackingState 0, 1 or 2, got '1.5'"),
        (with_field(4, 6, b"nan"), "line 4: expected TrackingState 0, 1 or 2, got 'nan'"),
        (with_field(4, 13, b"w"), "line 4: expected a number for Qw, got 'w'"),
        (with_field(4, 0, b""), "line 4: expected a number for id, got ''"),
        (with_field(33, 1, b"x"), "line 33: expected a number for x3D, got 'x'"),
    ],
)  # fmt: skip
def test_says_where_a_text_goes_wrong(text, message):
    with pytest.raises(ValueError, match=re.escape(f"some/frame.txt, {message}")):
        biwi_text.parse(text, "some/frame.txt")


def test_decimal_commas_are_asked_about():
    text = write(SKELETON / 8, 20 * [2]).replace(b".", b",")
    with pytest.raises(ValueError, match=r"line 1: expected 14 numbers .*, got 28: .*; are there decimal commas\?"):
        biwi_text.parse(text, "frame.txt")


def test_what_is_not_read_may_be_no_number():
    """An orientation of a joint that was not tracked may be 0/0."""
    for text in (with_field(4, 10, b"nan"), with_field(4, 4, b"-Inf"), with_field(21, 1, b"nan")):
        skeleton, tracked = biwi_text.parse(text, "frame.txt")
        np.testing.assert_array_equal(skeleton, SKELETON)
        assert tracked.all()


def test_spaces_around_numbers_say_nothing():
    text = write(SKELETON, 20 * [1]).replace(b",", b", ").replace(b"\n", b" \t\n")
    skeleton, tracked = biwi_text.parse(text, "frame.txt")
    np.testing.assert_array_equal(skeleton, SKELETON)
    assert tracked.all()


@needs_biwi_frame
def test_reads_the_real_frame():
    text = BIWI_FRAME.read_bytes()
    skeleton, tracked = biwi_text.parse(text, str(BIWI_FRAME))
    assert tracked.all()
    rows = [line.split(b",") for line in text.split(b"\n")[:20]]
    # Written as the file has them, the numbers read are the file's own bytes.
    assert [[f"{value:.4f}".encode() for value in joint] for joint in skeleton] == [row[1:4] for row in rows]
    assert skeleton[0].tolist() == np.float32([-0.0637, 0.2063, 3.1383]).tolist()
    head, foot = skeleton[3], skeleton[15]
    assert 1.2 < head[1] - foot[1] < 2  # metres, y up


def test_needs_neither_keras_nor_tensorflow():
    code = (
        f"import sys, {biwi_text.__name__}; print({{'keras', 'tensorflow', 'tensorflow_datasets'}} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
