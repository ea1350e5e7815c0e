"""Pickles that nobody should trust, and those that people have."""

import os
import pickle
import pickletools
import resource
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.budget import examples

from agegait.recordings.files import plain_pickle
from agegait.recordings.files.plain_pickle import read_plain_pickle

ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers(-1000, 1000) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN, st.sampled_from([2, 3, 4, 5]))
def test_plain_data_is_read_as_python_reads_it(value, protocol):
    assert read_plain_pickle(pickle.dumps(value, protocol)) == value


@given(st.sampled_from(["i1", "<i8", ">i4", "u2", "f4", ">f8"]), st.sampled_from([(), (3,), (2, 3), (0, 2)]))
@settings(max_examples=examples(40))
def test_arrays_of_numbers_are_read_as_numpy_reads_them(dtype, shape):
    for order in "CF":
        array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape, order=order)
        for protocol in (2, 3, 4, 5):
            found = read_plain_pickle(pickle.dumps(array, protocol))
            assert (found.dtype, found.shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found, array)


def state(dtype, shape=b"(I1\nt", flags=b"I0\n", content=b"S'AAAAAAAA'\n"):
    """An array whose type and bytes are ours to choose."""
    kind = b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\n%stb" % (dtype, flags)
    return ARRAY + b"(I1\n" + shape + kind + b"I00\n" + content + b"tb."


ATTACKS = {
    "an object type with forged flags, its bytes a pointer": state(b"O8"),
    "an object type of another kind": state(b"O8", b"(I1\nt", b"I63\n", b"S'AAAAAAAA'\n"),
    "a type with forged flags": state(b"i8", flags=b"I63\n"),
    "a structured type": state(b"V8"),
    "a text type": state(b"S8"),
    "a time": state(b"M8"),
    "half a number": state(b"f2", content=b"S'A'\n"),
    "a negative shape": state(b"i8", b"(I-1\nt"),
    "a shape beyond its bytes": state(b"i8", b"(I1000000000\nt"),
    "a shape whose product overflows": state(b"i8", b"(I4294967296\nI4294967296\nt"),
    "a shape that is no tuple": state(b"i8", b"I1\n"),
    "an array of a subclass": ARRAY.replace(b"ndarray", b"matrix") + b".",
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "a name by the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "a name that is no text": b"\x80\x04K\x01K\x02\x93.",
    "an instance": b"(S'true'\nios\nsystem\n.",
    "an object": b"(cos\nsystem\nS'true'\no.",
    "a new object": b"\x80\x02cnumpy\nndarray\n(K\x08\x85t\x81.",
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent name": b"Pos.system\n.",
    "a buffer from elsewhere": b"\x80\x05\x97.",
    "a set": pickle.dumps({1}, 4),
    "the state of a dict": b"}(K\x01K\x02db.",
    "a name that is left over": b"cnumpy\nndarray\n.",
    "a call of no name": b"K\x01)R.",
    "another codec": b"c_codecs\nencode\n(S'x'\nS'zlib'\ntR.",
    "a codec that is no text": b"c_codecs\nencode\n(S'x'\nK\x01tR.",
    "keys that are nested deeply": b"}" + b")" + b"\x85" * 200_000 + b"K\x01s.",
    "a long number": b"\x8b\x00\x00\x10\x00" + bytes(1 << 20) + b"\x01",
    "a number of many digits": b"I" + b"9" * 100_000 + b"\n.",
    "a length beyond the file": b"\x8e" + (1 << 40).to_bytes(8, "little") + b"x.",
    "a byte array beyond the file": b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b"x.",
    "a frame beyond the file": b"\x80\x04\x95" + (1 << 40).to_bytes(8, "little") + b"N",
    "a memo place that is not there": b"j\xff\xff\xff\x7f.",
    "no end": b"K\x01",
    "nothing": b"",
    "an empty stack": b".",
    "a mark that is not there": b"t.",
    "a text made into bytes again and again": b"\x80\x02(c_codecs\nencode\nq\x00X\x00\x00\x10\x00"
    + b"x" * (1 << 20)
    + b"q\x01U\x06latin1q\x02"
    + b"h\x00h\x01h\x02\x86R" * 4000
    + b"t.",
}
CHECK = """
import sys
from agegait.recordings.files import plain_pickle
from agegait.recordings.files.plain_pickle import read_plain_pickle
for line in sys.stdin:
    try:
        print("read", read_plain_pickle(bytes.fromhex(line)), flush=True)
    except ValueError as error:
        print("refused", str(error)[:100].encode(), flush=True)
"""


def read_alone(*pickles):
    """What becomes of each in a process of little memory, which may crash."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK],
        input="\n".join(content.hex() for content in pickles),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)),
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.splitlines()


def test_attacks_are_refused_and_crash_nothing():
    found = dict(zip(ATTACKS, read_alone(*ATTACKS.values()), strict=True))
    assert {case: outcome for case, outcome in found.items() if not outcome.startswith("refused")} == {}


def test_a_memo_place_far_away_takes_no_memory():
    assert read_alone(b"K\x07r\xff\xff\xff\x7f.") == ["read 7"]


def test_a_text_with_an_escape_that_is_none():
    assert read_plain_pickle(b"S'\\d'\n.") == "\\d"


def test_opcodes_without_end(monkeypatch):
    """A byte may make a list of sixty."""
    monkeypatch.setattr(plain_pickle, "MOST_LABEL_STEPS", 1000)
    for content in (b"(" * 2000, b"]" * 2000, b"}\x94" * 2000, pickle.dumps(list(range(2000)))):
        with pytest.raises(ValueError, match="it has over 1,000 opcodes"):
            read_plain_pickle(content)


VALID = [
    pickle.dumps(np.array({0: [0, 1], 3: np.arange(4), 1: [np.int64(5)]}, dtype=object), protocol)
    for protocol in (0, 2, 3, 4, 5)
]


@given(st.sampled_from(VALID), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
@settings(max_examples=examples(400), deadline=None)
def test_damaged_pickles_are_read_or_refused(content, changes):
    damaged = bytearray(content)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    try:
        read_plain_pickle(bytes(damaged))
    except ValueError:
        return


OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
NAMES = [b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n", b"c_codecs\nencode\n"]


@given(st.lists(st.sampled_from(OPCODES + NAMES + [b"\x00", b"\x01\x00\x00\x00", b"I1\n", b"U\x01b"]), max_size=40))
@settings(max_examples=examples(600), deadline=None)
def test_programs_of_any_opcodes_are_read_or_refused(program):
    try:
        read_plain_pickle(b"".join(program) + b".")
    except ValueError:
        return


def test_python_itself_would_have_run_code(tmp_path):
    made = tmp_path / "made"
    with pytest.raises(ValueError, match=r"it asks for (posix|os|nt)\.mkdir"):
        read_plain_pickle(pickle.dumps(Runs(os.mkdir, str(made)), 2))
    assert not made.exists()


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call
