"""Files that claim much, hold much, or are none: refused before they take memory, in a process that has little."""

import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import zipfile

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.budget import examples
from support.walk_writing import long_text, refused, wide_text, write

from agegait import skeletons
from agegait.data import load_walk
from agegait.recordings.files import limits, parquet_claims
from agegait.recordings.formats.table import looks_like_number
from agegait.recordings.formats.walk_columns import find_columns
from tfds_builders import archives

J = len(skeletons.JOINTS)
HEADER = [f"{name}_{axis}" for name in skeletons.JOINTS for axis in "xyz"]
GIB = 1 << 30

_READ = """
import json, os, resource, sys
import numpy, agegait.recordings.walk_files, pyarrow.parquet, pyarrow.compute
from agegait.data import read_walk

def read(path, memory):
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
    try:
        print(read_walk(path).shape)
    except ValueError as error:
        print(error)
    sys.stdout.flush()

for line in sys.stdin:
    if not (child := os.fork()):
        read(*json.loads(line))
        os._exit(0)
    print("ended:", os.waitpid(child, 0)[1], flush=True)
"""

_FLIP = """
import sys, warnings
from pathlib import Path
from agegait.data import read_walk
path = Path(sys.argv[1])
content = bytearray(path.read_bytes())
start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
count = 0
for place in range(start, len(content)):
    for bit in (1, 4, 16):
        content[place] ^= bit
        path.write_bytes(content)
        content[place] ^= bit
        try:
            read_walk(path)
        except ValueError:
            count += 1
print(count)
"""


@pytest.fixture(scope="module")
def read_with():
    """What comes of reading a walk in a process that may take so much more memory: its shape or the error.

    One process imports what reads walks, and leaves each to a fork of itself.
    """
    with subprocess.Popen([sys.executable, "-c", _READ], stdin=-1, stdout=-1, text=True) as process:

        def read(path, memory):
            process.stdin.write(json.dumps([str(path), memory]) + "\n")
            process.stdin.flush()
            said = ""
            while not (line := process.stdout.readline()).startswith("ended: "):
                assert line, "ended before its time"
                said += line
            assert line == "ended: 0\n", "its message is on standard error"
            return said

        yield read


def npy_header(shape, dtype="<f8"):
    text = str({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def varint(number):
    """A whole number as Thrift writes it."""
    content = bytearray()
    while number > 127:
        content.append(number & 127 | 128)
        number >>= 7
    return bytes([*content, number])


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((7, J, 3))


@pytest.fixture
def npz(tmp_path, walk):
    """Writes an archive of a walk, and of zeros behind whatever header."""

    def write_npz(name, start, mib, walk_too=True):
        path = tmp_path / "walk.npz"
        np.savez(path, **({"skeleton": walk} if walk_too else {"none": np.zeros(0)}))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed, packed.open(name, "w") as file:
            file.write(start)
            for _ in range(mib // 4):
                file.write(bytes(4 << 20))
        return path

    return write_npz


class TestNpz:
    def test_what_is_not_read_is_not_inflated(self, npz, read_with):
        path = npz("other.npy", npy_header((1 << 25,)), 256)
        assert read_with(path, GIB // 8) == f"(7, {J}, 3)\n"

    @pytest.mark.parametrize(
        ("name", "shape", "message"),
        [
            ("skeleton.npy", (GIB // 8 // 60, J, 3), "expected at most 100,000 frames"),
            ("skeleton.npy", (GIB // 8, 1, 3), "expected at most 100,000 frames"),
            ("skeleton.npy", (3, GIB // 8, 3), "expected at most 1,000 joints"),
            ("skeleton.npy", (90_000, 999, 3), "expected at most 12,000,000 coordinates"),
            ("skeleton.npy", (-1, J, 3), "expected an array of numbers: its header"),
            ("skeleton.npy", (90_000, J, 3), "expected an array of numbers: .* takes 43200000 bytes"),
            ("tracked.npy", (GIB // 8,), "'tracked': expected booleans or numbers"),
            ("units.npy", (GIB // 8,), "'units': expected at most"),
            ("joints.npy", (GIB // 8,), "'joints': expected at most"),
        ],
    )
    def test_claims_are_judged_before_they_are_inflated(self, npz, name, shape, message, read_with):
        path = npz(name, npy_header(shape), 32, walk_too=name != "skeleton.npy")
        assert re.search(message, read_with(path, GIB // 4))

    @pytest.mark.slow
    def test_a_header_without_end(self, npz, read_with):
        path = npz("skeleton.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", GIB // 4), 256, walk_too=False)
        assert "expected an array of numbers" in read_with(path, GIB // 8)

    def test_a_table_of_contents_without_end(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "walk.npz", "w") as packed:
            for number in range(30_000):
                packed.writestr(f"{number}.npy", b"")
        refused(tmp_path / "walk.npz", "expected an archive of arrays: .*in one piece")

    def test_npy_of_a_claimed_shape(self, tmp_path, read_with):
        for shape in [(10**15, J, 3), (10**5, J, 3), (2**62, 2**62)]:
            (tmp_path / "walk.npy").write_bytes(npy_header(shape) + bytes(1000))
            assert "walk.npy: expected" in read_with(tmp_path / "walk.npy", GIB // 4)


class TestParquet:
    def test_rows_of_one_value(self, tmp_path, read_with):
        writer = pq.ParquetWriter(tmp_path / "walk.parquet", pa.schema([(name, pa.float64()) for name in HEADER[:3]]))
        with writer:
            table = pa.table([pa.array(np.ones(1_000_000))] * 3, names=HEADER[:3])
            for _ in range(5):
                writer.write_table(table)
        assert (tmp_path / "walk.parquet").stat().st_size < 100_000
        assert "expected at most 4,000,000 rows, found 5,000,000" in read_with(tmp_path / "walk.parquet", GIB // 4)

    def test_more_frames_than_a_walk_has(self, tmp_path, read_with):
        table = pa.table([pa.array(np.ones(200_000))] * len(HEADER), names=HEADER)
        pq.write_table(table, tmp_path / "walk.parquet", compression="zstd")
        assert "expected at most 100,000 frames" in read_with(tmp_path / "walk.parquet", GIB // 4)

    @pytest.mark.slow
    def test_one_long_text_in_each_row(self, tmp_path, read_with):
        """A dictionary of one text of a megabyte, 60,000 times."""
        columns = {name: pa.array(np.ones(60_000)) for name in "xyz"}
        text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(60_000, "int32")), pa.array(["a" * 1_000_000]))
        for kept in (True, False):
            table = pa.table({"frame": pa.array(np.arange(60_000)), "joint": text, **columns})
            pq.write_table(table, tmp_path / "walk.parquet", store_schema=kept)
            assert "expected texts of at most 1,000 bytes" in read_with(tmp_path / "walk.parquet", GIB // 2)

    @pytest.mark.slow
    def test_columns_that_mean_nothing_are_not_read(self, tmp_path, walk, read_with):
        columns = dict(zip(HEADER, walk.reshape(7, -1).T, strict=True))
        columns["photo"] = pa.array([bytes(50_000_000)] * 6 + [b""])
        pq.write_table(pa.table(columns), tmp_path / "walk.parquet", compression="zstd")
        assert (tmp_path / "walk.parquet").stat().st_size < 1_000_000
        assert read_with(tmp_path / "walk.parquet", GIB // 2) == f"(7, {J}, 3)\n"

    @pytest.mark.slow
    def test_a_wide_group_of_rows(self, tmp_path, read_with):
        columns = {name: pa.array(np.zeros(10)) for name in HEADER}
        columns["Head_x"] = pa.array(["a" * 40_000_000] * 10)
        pq.write_table(pa.table(columns), tmp_path / "walk.parquet", use_dictionary=False, compression="zstd")
        assert "expected groups of rows of at most 256 MiB" in read_with(tmp_path / "walk.parquet", GIB)

    @pytest.mark.slow
    def test_a_page_larger_than_the_footer_says(self, tmp_path, read_with):
        columns = {name: pa.array(np.zeros(3)) for name in HEADER} | {"time": pa.array(["a" * 200_000_000] * 2 + ["b"])}
        path = tmp_path / "walk.parquet"
        pq.write_table(pa.table(columns), path, use_dictionary=False, compression="zstd")
        content = path.read_bytes()
        claimed = pq.ParquetFile(path).metadata.row_group(0).column(len(HEADER)).total_uncompressed_size
        footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
        assert content[footer:].count(varint(2 * claimed)) == 1
        less = content[footer:].replace(varint(2 * claimed), varint(2 * (1 << 27)))
        path.write_bytes(content[:footer] + less)
        assert pq.ParquetFile(path).metadata.row_group(0).column(len(HEADER)).total_uncompressed_size == 1 << 27
        assert "expected groups of rows of at most 256 MiB, found more" in read_with(path, GIB // 2)

    @pytest.mark.parametrize("version", ["1.0", "2.0"])
    @pytest.mark.parametrize("dictionary", [True, False])
    @pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
    def test_pages_are_found_as_arrow_writes_them(self, tmp_path, version, dictionary, compression):
        path, values = tmp_path / "table.parquet", np.random.default_rng(0).integers(0, 50, 20_000).astype(float)
        columns = {"a": values, "b": pa.array([f"text {value}" for value in values])}
        pq.write_table(
            pa.table(columns), path, data_page_version=version, use_dictionary=dictionary, compression=compression,
            data_page_size=1000, write_page_checksum=True,
        )  # fmt: skip
        with path.open("rb") as file:
            footer = parquet_claims.read_footer(file)
            (group,) = footer.value(4, 9)
            for column, chunk in enumerate(group.value(1, 9)):
                known = pq.ParquetFile(path).metadata.row_group(0).column(column)
                found = parquet_claims.inflated_size(file, path.stat().st_size, chunk.value(3, 12), 20_000)
                headers = known.total_uncompressed_size - found  # which count among the bytes of a column
                assert 0 < headers < found / 5
                with pytest.raises(ValueError, match="expected pages of at most 10 values, found"):
                    parquet_claims.inflated_size(file, path.stat().st_size, chunk.value(3, 12), 10)

    def test_texts_that_each_repeat_the_one_before(self, tmp_path):
        """A page of them grows with the square of its size."""
        columns = {name: pa.array(np.arange(500.0)) for name in ("frame", "x", "y", "z")}
        columns["joint"] = pa.array(["a" * length for length in range(500)])
        pq.write_table(
            pa.table(columns), tmp_path / "walk.parquet", use_dictionary=False,
            column_encoding={"joint": "DELTA_BYTE_ARRAY"},
        )  # fmt: skip
        refused(tmp_path / "walk.parquet", "expected texts as PLAIN or in a dictionary, found DELTA_BYTE_ARRAY")

    @pytest.mark.slow
    def test_damage_in_the_footer_ends_no_process(self, tmp_path):
        """Where Arrow's Python meets damage in some of what the footer says, it aborts."""
        pq.write_table(pa.table({f"Head_{axis}": [1.0, 2.0] for axis in "xyz"}), tmp_path / "walk.parquet")
        done = subprocess.run(
            [sys.executable, "-c", _FLIP, str(tmp_path / "walk.parquet")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert int(done.stdout) > 1000


class TestText:
    @pytest.mark.parametrize("ending", ["csv", "txt"])
    def test_a_field_of_digits_is_judged_in_linear_time(self, tmp_path, ending):
        """A pattern that could divide digits in two ways took a time that grew with the square of their number."""
        digits = "1" * 120_000 + "x"
        assert not looks_like_number(digits)
        text = ",".join([digits] * 6) if ending == "csv" else f"Head;{'1' * 3_000_000}x;0;0\n" * 20
        refused(write(tmp_path / f"walk.{ending}", text), "expected")

    def test_columns_whose_names_are_separators(self):
        with pytest.raises(ValueError, match="expected columns of x, y and z"):
            find_columns(tuple("_" * 90 + str(number) for number in range(5000)))

    @pytest.mark.parametrize("content", [b"a," * 3_000_000, b'"\n",' * 3_000_000, b'"a\n' * 3_000_000])
    def test_a_row_without_end(self, tmp_path, content):
        refused(write(tmp_path / "walk.csv", content), "expected (rows of at most|fields of a table)")

    def test_more_columns_than_a_table_has(self, tmp_path):
        refused(write(tmp_path / "walk.csv", b"1," * 100_000), "expected at most 5,000 columns")

    @pytest.mark.slow
    def test_a_million_frames(self, tmp_path, read_with):
        row = ",".join(["1"] * len(HEADER)) + "\n"
        wide = write(tmp_path / "walk.csv", ",".join(HEADER) + "\n" + row * 1_000_000)
        assert "expected at most 100,000 frames" in read_with(wide, GIB // 4)
        rows = "".join(f"{frame},Head,1,1,1\n" for frame in range(1_000_000))
        long = write(tmp_path / "walk.csv", "frame,joint,x,y,z\n" + rows)
        assert "expected at most 100,000 frames, found 1,000,000" in read_with(long, GIB // 2)
        frame = "".join(f"{name};1;2;3\n" for name in skeletons.KGBD)
        kgbd = write(tmp_path / "walk.txt", frame * 600_000)
        assert "expected at most" in read_with(kgbd, GIB)

    def test_a_long_table_of_many_frames_and_many_joints(self, tmp_path, read_with):
        """A few rows claim a cell of each joint in each frame."""
        rows = "".join(f"{row},joint{row % 999},1,1,1\n" for row in range(90_000))
        path = write(tmp_path / "walk.csv", "frame,joint,x,y,z\n" + rows)
        assert "expected at most 12,000,000 coordinates" in read_with(path, GIB // 4)

    def test_a_file_that_is_too_large(self, tmp_path):
        for ending in ("csv", "txt", "npy", "npz", "parquet"):
            with (tmp_path / f"walk.{ending}").open("wb") as file:
                file.truncate(limits.MOST_BYTES + 1)
            refused(tmp_path / f"walk.{ending}", "expected a file of at most 256 MiB")

    @pytest.mark.slow
    def test_as_many_frames_as_a_walk_may_have(self, tmp_path, read_with):
        text = "".join(f"{name};1;2;3\n" for name in skeletons.KGBD) * limits.MOST_FRAMES
        assert read_with(write(tmp_path / "walk.txt", text), GIB) == f"(100000, {J}, 3)\n"


class TestWhatIsNoFile:
    @pytest.mark.parametrize("ending", ["csv", "txt", "npy", "npz", "parquet"])
    def test_devices_and_fifos(self, tmp_path, ending):
        os.mkfifo(tmp_path / f"fifo.{ending}")
        refused(tmp_path / f"fifo.{ending}", "expected a regular file, found a FIFO")
        (tmp_path / f"zero.{ending}").symlink_to("/dev/zero")
        refused(tmp_path / f"zero.{ending}", "expected a regular file, found a device")

    def test_frames_that_are_links(self, tmp_path):
        for name, target in [("out", "/etc/hostname"), ("device", "/dev/zero")]:
            (tmp_path / name).mkdir()
            (tmp_path / name / "1_skel.txt").symlink_to(target)
            refused(tmp_path / name, "found a link that leads out of it")
        (tmp_path / "fifo").mkdir()
        os.mkfifo(tmp_path / "fifo" / "1_skel.txt")
        refused(tmp_path / "fifo", "expected a regular file, found a FIFO")


class TestArchives:
    def read(self, path, most=1000):
        return list(archives.read(path, lambda name: name.endswith("wanted"), most))

    @pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_zip_bomb(self, tmp_path, method):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as packed:
            packed.writestr("other", bytes(5_000_000))
            packed.writestr("a/wanted", b"0" * 900)
        assert self.read(archives.epath.Path(tmp_path / "a.zip")) == [("a/wanted", b"0" * 900)]
        with zipfile.ZipFile(tmp_path / "a.zip", "a", method) as packed:
            packed.writestr("b/wanted", b"0" * 2000)
        with pytest.raises(ValueError, match="expected at most 1,000 bytes, found 2,000"):
            self.read(archives.epath.Path(tmp_path / "a.zip"))

    def test_a_zip_that_says_less_than_it_inflates_to(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("wanted", bytes(5_000_000))
        content = (tmp_path / "a.zip").read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 500))
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(ValueError, match="expected a whole zip or tar archive"):
            self.read(archives.epath.Path(tmp_path / "a.zip"))

    @pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
    def test_a_tar_bomb_and_links_in_it(self, tmp_path, suffix):
        path = tmp_path / f"a.tar{suffix}"
        with tarfile.open(path, f"w:{suffix[1:]}") as packed:
            for name, size in [("other", 5_000_000), ("a/wanted", 900)]:
                member = tarfile.TarInfo(name)
                member.size = size
                packed.addfile(member, io.BytesIO(bytes(size)))
            for name, kind, target in [
                ("b/wanted", tarfile.LNKTYPE, "a/wanted"),
                ("c/wanted", tarfile.SYMTYPE, "/etc/passwd"),
                ("d/wanted", tarfile.FIFOTYPE, ""),
            ]:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, target
                packed.addfile(member)
        assert self.read(archives.epath.Path(path)) == [("a/wanted", bytes(900)), ("b/wanted", bytes(900))]
        with pytest.raises(ValueError, match="expected at most 800 bytes, found 900"):
            self.read(archives.epath.Path(path), 800)

    def test_a_long_header_and_a_file_with_holes(self, tmp_path):
        with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as packed:
            packed.addfile(tarfile.TarInfo("a" * 3_000_000))
        with pytest.raises(ValueError, match="in one piece"):
            self.read(archives.epath.Path(tmp_path / "a.tar"))
        with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as packed:
            packed.addfile(tarfile.TarInfo("a" * 3000))
        with pytest.raises(ValueError, match="expected paths of at most 1024 characters"):
            self.read(archives.epath.Path(tmp_path / "a.tar"))
        with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as packed:
            member = tarfile.TarInfo("wanted")
            member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,0",
                                  "GNU.sparse.size": str(1 << 40)}  # fmt: skip
            packed.addfile(member)
        with pytest.raises(ValueError, match="is stored with holes"):
            self.read(archives.epath.Path(tmp_path / "a.tar"))

    def test_what_is_no_file(self, tmp_path):
        os.mkfifo(tmp_path / "a.tar")
        with pytest.raises(ValueError, match="expected a regular file, found a FIFO"):
            self.read(archives.epath.Path(tmp_path / "a.tar"))

    @hypothesis.settings(max_examples=examples(150), deadline=None)
    @hypothesis.given(st.data())
    def test_any_damage_is_refused(self, scratch, packed, draw):
        suffix = draw.draw(st.sampled_from(["zip", "tar", "tar.gz", "tar.xz", "tar.bz2"]))
        path = scratch / f"a.{suffix}"
        content = draw.draw(st.binary(max_size=200)) if draw.draw(st.booleans()) else packed[suffix]
        start = draw.draw(st.integers(0, len(content)))
        content = content[:start] + draw.draw(st.binary(max_size=8)) + content[start + draw.draw(st.integers(0, 20)) :]
        path.write_bytes(content)
        try:
            found = self.read(archives.epath.Path(path))
        except ValueError as error:
            hypothesis.note(error)
            return
        assert all(len(content) <= 1000 for _, content in found)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="module")
def packed(scratch):
    """An archive of each kind, as its bytes."""
    found = {}
    for suffix in ("zip", "tar", "tar.gz", "tar.xz", "tar.bz2"):
        path = scratch / f"whole.{suffix}"
        if suffix == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("wanted", b"0" * 500)
        else:
            with tarfile.open(path, "w:" + suffix[4:]) as archive:
                archive.add(write(scratch / "wanted", b"0" * 500), "wanted")
        found[suffix] = path.read_bytes()
    return found


@hypothesis.settings(max_examples=examples(200), deadline=None)
@hypothesis.given(st.data())
def test_a_parquet_file_with_damage_inside(scratch, draw):
    walk = np.arange(180, dtype=float).reshape(3, -1)
    columns = dict(zip(HEADER, walk.T, strict=True)) | {"time": ["a", "b", "c"], "Head_state": ["tracked", "", "1"]}
    pq.write_table(pa.table(columns), scratch / "walk.parquet")
    content = bytearray((scratch / "walk.parquet").read_bytes())
    for _ in range(draw.draw(st.integers(1, 4))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    (scratch / "walk.parquet").write_bytes(content)
    try:
        read = load_walk(scratch / "walk.parquet")
    except ValueError as error:
        hypothesis.note(error)
        return
    assert read.skeleton.shape[1:] == (J, 3)


def test_tables_in_blocks_are_read_as_in_one(tmp_path):
    """More rows than are read at once, in each form of table."""
    walk = np.random.default_rng(0).standard_normal((2000, J, 3)).astype("float32").astype(float)
    states = np.random.default_rng(1).integers(0, 2, 2000)
    columns = {"time_s": np.arange(2000) / 30, "Head_state": states}
    read = {"csv": load_walk(write(tmp_path / "walk.csv", wide_text(walk, skeletons.JOINTS, columns=columns)))}
    table = pa.table(dict(zip(HEADER, walk.reshape(2000, -1).T, strict=True)) | columns)
    pq.write_table(table, tmp_path / "walk.parquet", row_group_size=700)
    read["parquet"] = load_walk(tmp_path / "walk.parquet")
    for found in read.values():
        np.testing.assert_array_equal(found.skeleton, walk.astype("float32"))
        np.testing.assert_array_equal(found.tracked[:, skeletons.JOINTS.index("Head")], states > 0)
        assert found.frame_rate == pytest.approx(30)
    long = load_walk(write(tmp_path / "long.csv", long_text(walk, skeletons.JOINTS)))
    np.testing.assert_array_equal(long.skeleton, walk.astype("float32"))
