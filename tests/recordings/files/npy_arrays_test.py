"""Arrays in NumPy's files: what NumPy wrote is read, and any other header is refused by the file's name."""

import io
import struct
import zipfile

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from numpy.lib import format as npy
from support.budget import examples
from support.walk_writing import refused

from agegait import data
from agegait.recordings.files.npy_arrays import read_header, read_values


def header(text, version=1):
    content = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(content)) + content


def of(descr="'<f8'", shape="(3, 20, 3)", order="False"):
    return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}")


HEADERS = {
    "a type of nothing": of("()"),
    "a type that NumPy gave up": of("'a5'"),
    "an escape that is none": of(r"'\d'"),
    "brackets without end": header("(" * 3000),
    "signs without end": header("-" * 9000 + "1"),
    "a text without end": header("{'descr': '"),
    "lines without end": header("{'descr': '''"),
    "fields": of("[('x', '<f8')]"),
    "fields of nothing": of("[()]"),
    "fields in a dict": of("{}"),
    "an array in each place": of("('<f8', (1000000000, 1000000000))"),
    "no type": of("None"),
    "a number of sixteen bytes": of("'<f16'"),
    "text of gigabytes": of("'<U2147483647'"),
    "text of nothing": of("'<U0'", "(1000000000000000000,)"),
    "a code of Python": of("__import__('os').system('true')"),
    "a time of an unknown unit": of("'<m8[parsecs]'"),
    "pickled objects": of("'|O'"),
    "a shape of booleans": of(shape="(True, 20, 3)"),
    "a negative shape": of(shape="(-1, 20, 3)"),
    "a shape of thousands of digits": of(shape=f"({'9' * 9000}, 20, 3)"),
    "a shape beyond the file": of(shape="(10000000000000, 6, 20)"),
    "a shape whose product overflows": of(shape="(4294967296, 6, 4294967296)"),
    "windows of no joints": of(shape="(1000000000000000000, 6, 0)"),
    "sizes of nothing": of(shape="(0, 0, 0)"),
    "a hundred dimensions": of(shape="(" + "1, " * 100 + ")"),
    "no shape": header("{'descr': '<f8', 'fortran_order': False}"),
    "two shapes": header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 20, 3), 'shape': (1, 20, 3)}"),
    "a key that cannot be one": header("{[]: 1}"),
    "an order that is none": of(order="0"),
    "an unknown version": header("{}", 9),
    "a header beyond the file": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    "a header of megabytes": header("{" + " " * 1_000_000 + "}", 2),
    "a beginning alone": b"\x93NUMPY",
    "an archive": b"PK\x05\x06" + bytes(18),
}


@pytest.fixture
def authors(tmp_path):
    """Writes all four files of a part in the authors' layout, the last of them the labels."""

    def write(windows, labels):
        base = tmp_path / "IAS_train_npy_data"
        base.mkdir(exist_ok=True)
        for name in ("source_x", "source_y", "source_z", "ids"):
            (base / f"{name}_IAS_6.npy").write_bytes(labels if name == "ids" else windows)
        return base

    return write


@pytest.mark.parametrize("start", HEADERS.values(), ids=HEADERS)
def test_headers_that_numpy_would_evaluate(tmp_path, authors, start):
    content = start + bytes(range(256)) * 30
    (tmp_path / "walk.npy").write_bytes(content)
    refused(tmp_path / "walk.npy", "expected ")
    with zipfile.ZipFile(tmp_path / "walk.npz", "w") as packed:
        packed.writestr("skeleton.npy", content)
    refused(tmp_path / "walk.npz", "expected ")
    good = io.BytesIO()
    np.save(good, np.zeros((3, 6, 20)))
    for windows, labels in ((content, content), (good.getvalue(), content)):
        base = authors(windows, labels)
        with pytest.raises(ValueError, match="expected ") as refusal:
            data.load_authors_layout(base.parent, "IAS")
        assert str(base / ("ids_IAS_6.npy" if windows != content else "source_x_IAS_6.npy")) in str(refusal.value)


@hypothesis.given(
    hnp.arrays(
        st.sampled_from(["?", "<f8", ">f4", "f2", "i1", ">u8", "<U3", "S5", "c16"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    st.sampled_from([(1, 0), (2, 0), (3, 0)]),
)
def test_arrays_of_numpy_are_read_as_numpy_reads_them(array, version):
    for written in (array, np.array(array, order="F")):
        file = io.BytesIO()
        npy.write_array(file, written, version)
        file.seek(0)
        read = read_values(file, read_header(file))
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes() == array.tobytes()


def test_headers_of_other_writers():
    for text in (
        "{'shape': (20L, 3L), 'fortran_order': False, 'descr': '<f8'}",  # Python 2
        '{"descr": "<f8", "fortran_order": False, "shape": (20,3)}',
        "{'descr':'<f8','fortran_order':False,'shape':(20,3,),}",
    ):
        found = read_header(io.BytesIO(header(text)))
        assert (found.shape, found.fortran_order, found.dtype) == ((20, 3), False, np.dtype("<f8"))
    assert read_header(io.BytesIO(of(shape="()"))).shape == ()
    assert read_header(io.BytesIO(of(shape="(7,)"))).shape == (7,)


TEXTS = st.lists(
    st.sampled_from(
        [
            *"{}()[],:' \"\\",
            "'descr'",
            "'shape'",
            "'fortran_order'",
            "True",
            "False",
            "'<f8'",
            "'|O'",
            "20",
            "3",
            "9" * 30,
        ]
    ),
    max_size=30,
)


@hypothesis.settings(max_examples=examples(300), deadline=None)
@hypothesis.given(TEXTS.map("".join) | st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_header_is_read_or_refused(text):
    file = io.BytesIO(header("{" + text + "}") + bytes(2000))
    try:
        found = read_header(file)
        assert read_values(file, found).shape == found.shape
    except ValueError:
        return


def test_numbers_that_are_too_large_for_float32(authors):
    windows, labels = io.BytesIO(), io.BytesIO()
    np.save(windows, np.full((1, 6, 20), 1e300))
    np.save(labels, np.array({0: [0]}, dtype=object), allow_pickle=True)
    base = authors(windows.getvalue(), labels.getvalue())
    with pytest.raises(ValueError, match="found NaN or infinity in window 0"):
        data.load_authors_layout(base.parent, "IAS")


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8"])
def test_any_bits_of_numbers(tmp_path, kind):
    """NaNs of all kinds, for which NumPy warns as it changes their type."""
    bits = np.random.default_rng(0).integers(0, 256, 3 * 60 * int(kind[2:]), "uint8")
    bits[: int(kind[2:])] = 0xFF
    bits[int(kind[2:]) - 2] = {2: 0x01, 4: 0xA0, 8: 0xF4}[int(kind[2:])]  # a signalling one
    np.save(tmp_path / "walk.npy", bits.view(kind).reshape(3, 20, 3))
    refused(tmp_path / "walk.npy", "expected (a finite coordinate|coordinates), found")
