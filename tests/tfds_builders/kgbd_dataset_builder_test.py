import collections
import contextlib
import functools
import hashlib
import http.server
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.budget import few
from support.outside import KGBD, needs_kgbd
from tensorflow_datasets.core.download import checksums
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

import tfds_builders  # noqa: F401  (registers the builders)
from agegait import skeletons
from tfds_builders.kgbd import kgbd_dataset_builder, split

IDENTICAL = {"Person064/4": "train", "Person064/5": "train"}
SPLIT = {
    "Person001/1": "train", "Person001/2": "validation", "Person001/3": "test",
    "Person002/1": "train", "Person002/2": "test",
    "Person064/1": "test", **IDENTICAL,
}  # fmt: skip
PERSONS = ("Person001", "Person002", "Person064")


def skeleton(walk):
    """A few frames that tell walks, frames, joints and axes apart; Person002/1 lost a joint in its frame 1."""
    number = list(SPLIT).index(walk.replace("Person064/5", "Person064/4"))
    frames = 1 + np.arange((number + 2) * 60, dtype=np.float32).reshape(-1, 20, 3) / 16 + number
    if walk == "Person002/1":
        frames[1, 7] = 0
    return frames


def text(walk):
    newline = "\n" if walk == "Person001/2" else "\r\n"
    lines = []
    for frame in skeleton(walk):
        for name, canonical in skeletons.KGBD.items():
            x, y, z = frame[skeletons.JOINTS.index(canonical)]
            lines.append(f"{name};{x};{y};{z}{newline}")
    return "".join(lines).encode()


def write_tree(folder):
    for walk in SPLIT:
        path = folder / f"{walk}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text(walk))
    return folder


def small():
    """Makes the builder one of three people."""
    return mock.patch.multiple(kgbd_dataset_builder.Builder, PERSONS=PERSONS, SPLIT=SPLIT)


@pytest.fixture
def kgbd(tmp_path):
    with small():
        yield tfds.builder("kgbd", data_dir=tmp_path / "data")


def prepare(builder, manual_dir=None, **kwargs):
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config, **kwargs)


def assert_complete(builder):
    found = {}
    for name in ("train", "validation", "test"):
        for example in builder.as_dataset(split=name).as_numpy_iterator():
            walk = example["walk"].decode()
            found[walk] = name
            assert PERSONS[example["person"]] == walk.split("/")[0]
            np.testing.assert_array_equal(example["skeleton"], skeleton(walk))
            np.testing.assert_array_equal(example["tracked"], skeleton(walk).any(-1))
    assert found == SPLIT


def assert_nothing_left(builder):
    assert not list(pathlib.Path(builder.data_dir_root).glob("kgbd/*"))
    assert not list(pathlib.Path(builder.data_dir_root).glob("**/*.tmp.*"))


class KgbdTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = kgbd_dataset_builder.Builder
    SPLITS = {"train": 4, "validation": 1, "test": 3}  # noqa: RUF012

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        write_tree(folder / "Data")
        cls.EXAMPLE_DIR = folder
        cls.enterClassContext(small())


class KgbdDownloadTest(KgbdTest):
    """The same from the public source; TFDS checks that each address has its checksum."""

    DL_DOWNLOAD_RESULT = {walk: f"{walk}.txt" for walk in SPLIT}  # noqa: RUF012

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.EXAMPLE_DIR)
        (folder / "Data").rename(folder / "downloaded")
        cls.enterClassContext(mock.patch("tfds_builders.network.check_reachable"))
        cls.DL_DOWNLOAD_RESULT = {walk: f"downloaded/{walk}.txt" for walk in SPLIT}


@pytest.mark.parametrize("parent", few(["", "kgbd"]))
@pytest.mark.parametrize("layout", few(["", "Data", "kinect gait raw dataset", "KinectGait-master/Data"], 2))
def test_reads_a_folder(kgbd, tmp_path, parent, layout):
    write_tree(tmp_path / "manual" / parent / layout)
    prepare(kgbd, tmp_path / "manual")
    assert_complete(kgbd)


def pack(archive, folder, root):
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in folder.glob("*/*.txt"):
                packed.write(path, f"{root}/{path.relative_to(folder)}")
    else:
        with tarfile.open(archive, {".tar": "w", ".tgz": "w:gz"}.get(archive.suffix, f"w:{archive.suffix[1:]}")) as tar:
            tar.add(folder, root)


@pytest.mark.parametrize(
    "root",
    [
        "Data",
        *(
            pytest.param(root, marks=pytest.mark.slow)
            for root in ("kinect gait raw dataset", "KinectGait-b1d8e04/Data", ".")
        ),
    ],
)
@pytest.mark.parametrize(
    "name", few(["kgbd/any.zip", "kgbd/any.tar", "KGBD.tar.gz", "KinectGait.tgz", "kgbd_raw.tar.xz"], 2)
)
def test_reads_an_archive(kgbd, tmp_path, name, root):
    archive = tmp_path / "manual" / name
    archive.parent.mkdir(parents=True)
    pack(archive, write_tree(tmp_path / "unpacked"), root)
    prepare(kgbd, tmp_path / "manual")
    assert_complete(kgbd)
    assert sorted(path.name for path in archive.parent.iterdir()) == [archive.name]


def test_reads_an_archive_with_progress_bars_hidden(kgbd, tmp_path):
    (tmp_path / "manual").mkdir()
    pack(tmp_path / "manual" / "kgbd.tar", write_tree(tmp_path / "unpacked"), "Data")
    tfds.disable_progress_bar()
    try:
        prepare(kgbd, tmp_path / "manual")
    finally:
        tfds.enable_progress_bar()
    assert_complete(kgbd)


def test_loads_by_name_and_as_supervised_pairs(tmp_path):
    write_tree(tmp_path / "manual" / "Data")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "manual")
    with small():
        train, info = tfds.load(
            "kgbd",
            split="train",
            data_dir=tmp_path / "data",
            download_and_prepare_kwargs={"download_config": config},
            as_supervised=True,
            with_info=True,
        )
    assert sorted(person for _, person in train.as_numpy_iterator()) == [0, 1, 2, 2]
    assert info.features["person"].names == list(PERSONS)
    assert info.features["skeleton"].shape == (None, 20, 3)
    assert "2015" in info.citation
    assert "Person064/4 and Person064/5 are the same recording" in info.description


def test_is_a_data_source_as_array_record(kgbd, tmp_path):
    prepare(kgbd, write_tree(tmp_path / "manual" / "Data").parent, file_format="array_record")
    source = kgbd.as_data_source("train")
    assert len(source) == 4
    for example in source:
        walk = example["walk"].decode()
        assert SPLIT[walk] == "train"
        assert PERSONS[example["person"]] == walk.split("/")[0]
        np.testing.assert_array_equal(example["skeleton"], skeleton(walk))
        np.testing.assert_array_equal(example["tracked"], skeleton(walk).any(-1))


@pytest.mark.parametrize("packed", [False, True])
def test_refuses_an_incomplete_copy(kgbd, tmp_path, packed):
    folder = write_tree(tmp_path / "manual" / "Data")
    (folder / "Person001" / "2.txt").unlink()
    shutil.rmtree(folder / "Person064")
    (folder / "Person002" / "2.txt").rename(folder / "Person002" / "9.txt")
    (folder / "Person165").mkdir()
    (folder / "Person165" / "1.txt").write_bytes(text("Person001/1"))
    (folder / "Person001" / "._1.txt").write_bytes(b"what macOS leaves in archives")
    if packed:
        pack(tmp_path / "manual" / "kgbd.zip", folder, "Data")
        shutil.rmtree(folder)
    message = (
        "expected the 8 walks of KGBD, PersonNNN/W.txt; 5 (Person001/2, Person002/2, Person064/1, Person064/4, "
        "Person064/5) missing, 2 (Person002/9, Person165/1) unknown"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(kgbd, tmp_path / "manual")
    assert_nothing_left(kgbd)


@pytest.mark.parametrize("packed", [False, True])
def test_refuses_a_damaged_walk_by_file_and_line(kgbd, tmp_path, packed):
    folder = write_tree(tmp_path / "manual" / "Data")
    damaged = folder / "Person064" / "1.txt"
    damaged.write_bytes(damaged.read_bytes().replace(b"Spine;", b"Neck;", 1))
    named = re.escape(str(damaged))
    if packed:
        pack(tmp_path / "manual" / "kgbd.tar", folder, "Data")
        shutil.rmtree(folder)
        named = r"kgbd\.tar: Person064/1\.txt"
    with pytest.raises(ValueError, match=named + ", line 11: expected the joint Spine, got 'Neck;"):
        prepare(kgbd, tmp_path / "manual")
    assert_nothing_left(kgbd)


@pytest.mark.parametrize("path", ["../Person001/1.txt", "/tmp/Person001/1.txt", "Data/../../x", r"C:\Person001\1.txt"])
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_refuses_an_archive_that_climbs_out(kgbd, tmp_path, path, suffix):
    archive = tmp_path / "manual" / f"kgbd{suffix}"
    archive.parent.mkdir()
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr(path, b"x")
    else:
        with tarfile.open(archive, "w") as packed:
            packed.addfile(tarfile.TarInfo(path), io.BytesIO())
    with pytest.raises(ValueError, match="expected paths that stay inside the archive, got " + re.escape(repr(path))):
        prepare(kgbd, archive.parent)
    assert_nothing_left(kgbd)


def test_refuses_a_walk_that_an_archive_holds_twice(kgbd, tmp_path):
    archive = tmp_path / "kgbd.tar"
    with tarfile.open(archive, "w") as packed:
        for root in ("Data", "Copy"):
            packed.add(write_tree(tmp_path / "unpacked"), root)
    with pytest.raises(ValueError, match=r"expected each walk once, got Person\d+/\d again as 'Copy/Person"):
        prepare(kgbd, tmp_path)


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz"])
@pytest.mark.parametrize("damage", ["cut", "foreign"])
def test_refuses_a_damaged_archive(kgbd, tmp_path, suffix, damage):
    archive = tmp_path / f"kgbd{suffix}"
    pack(archive, write_tree(tmp_path / "unpacked"), "Data")
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not an archive " * 100)
    with pytest.raises(ValueError, match=r"kgbd.*: expected a whole zip or tar archive without a password, got: \w+"):
        prepare(kgbd, tmp_path)
    assert_nothing_left(kgbd)


def test_refuses_several_archives_and_a_folder_without_walks(kgbd, tmp_path):
    manual_dir = tmp_path / "manual"
    (manual_dir / "kgbd").mkdir(parents=True)
    (manual_dir / "kgbd" / "readme.md").touch()
    with pytest.raises(ValueError, match=r"manual/kgbd: expected KGBD as .*, got \['readme\.md'\]"):
        prepare(kgbd, manual_dir)
    (manual_dir / "kgbd" / "a.zip").touch()
    (manual_dir / "kgbd" / "b.tar.gz").touch()
    with pytest.raises(ValueError, match=r"expected one archive of KGBD, got \['a\.zip', 'b\.tar\.gz'\]"):
        prepare(kgbd, manual_dir)


def test_refuses_a_manual_directory_that_is_not_there(kgbd, tmp_path):
    with pytest.raises(ValueError, match=r"mistyped does not exist or is empty"):
        prepare(kgbd, tmp_path / "mistyped")


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_a_beam_pipeline_builds_the_same(kgbd, tmp_path, packed):
    beam = pytest.importorskip("apache_beam")
    folder = write_tree(tmp_path / "manual" / "Data")
    if packed:
        pack(tmp_path / "packed.tar.gz", folder, "Data")
        shutil.rmtree(folder)
        shutil.move(tmp_path / "packed.tar.gz", tmp_path / "manual" / "kgbd.tar.gz")
    config = tfds.download.DownloadConfig(
        manual_dir=tmp_path / "manual", beam_options=beam.options.pipeline_options.PipelineOptions()
    )
    # Beam pickles whatever the functions of a pipeline refer to.
    with mock.patch.object(kgbd_dataset_builder.Builder, "__reduce_ex__", None):
        kgbd.download_and_prepare(download_config=config)
    assert_complete(kgbd)


def test_a_beam_pipeline_of_an_incomplete_archive_is_not_begun(kgbd, tmp_path):
    beam = pytest.importorskip("apache_beam")
    folder = write_tree(tmp_path / "Data")
    (folder / "Person001" / "2.txt").unlink()
    pack(tmp_path / "kgbd.zip", folder, "Data")
    shutil.rmtree(folder)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path, beam_runner=beam.runners.DirectRunner())
    with pytest.raises(ValueError, match=r"expected the 8 walks of KGBD, .*; 1 \(Person001/2\) missing"):
        kgbd.download_and_prepare(download_config=config)
    assert_nothing_left(kgbd)


@contextlib.contextmanager
def serve(folder):
    """Serves a folder over HTTP; yields the address and the paths that were asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def source(kgbd, tmp_path):
    """The public source in small: its folder, and the paths that were asked for."""
    folder = write_tree(tmp_path / "source")
    with serve(folder) as (address, asked):
        infos = {f"{address}/{walk}.txt": checksums.compute_url_info(folder / f"{walk}.txt") for walk in SPLIT}
        with mock.patch.multiple(kgbd_dataset_builder.Builder, SOURCE=address, url_infos=infos):
            yield folder, asked


@pytest.mark.parametrize("manual_dir", [None, "other data"])
def test_downloads(kgbd, source, tmp_path, manual_dir):
    if manual_dir:
        manual_dir = tmp_path / manual_dir
        manual_dir.mkdir()
        (manual_dir / "BIWI.zip").touch()
    prepare(kgbd, manual_dir)
    assert_complete(kgbd)
    assert sorted(source[1]) == sorted(f"/{walk}.txt" for walk in SPLIT)
    assert kgbd.info.download_size == sum(len(text(walk)) for walk in SPLIT)


def test_refuses_a_download_of_another_checksum_and_resumes(kgbd, source):
    folder, asked = source
    damaged = folder / "Person064" / "5.txt"
    damaged.write_bytes(damaged.read_bytes().replace(b"1", b"2"))
    with pytest.raises(NonMatchingChecksumError, match=r"Person064/5\.txt, .*has wrong checksum") as refused:
        prepare(kgbd)
    assert "MANUAL_DOWNLOAD_INSTRUCTIONS" in refused.value.__notes__[0]
    assert_nothing_left(kgbd)
    damaged.write_bytes(text("Person064/5"))
    before = len(asked)
    prepare(kgbd)
    assert_complete(kgbd)
    assert "/Person064/5.txt" in asked[before:]
    assert "/Person001/1.txt" not in asked[before:]


def test_refuses_a_source_without_a_walk(kgbd, source):
    (source[0] / "Person001" / "1.txt").unlink()
    with pytest.raises(tfds.download.DownloadError, match=r"Person001/1\.txt. HTTP code: 404"):
        prepare(kgbd)
    assert source[1] == ["/Person001/1.txt"] * 2  # the first alone: the server logs the error and the request
    assert_nothing_left(kgbd)


def test_a_mirror_is_held_to_the_same_checksums():
    builder = kgbd_dataset_builder.Builder
    public = builder.url_infos
    with mock.patch.object(builder, "SOURCE", "https://mirror.example/kgbd"):
        mirrored = builder.url_infos
    assert {f"{builder.SOURCE}/{walk}.txt" for walk in builder.SPLIT} == set(public)
    assert {f"https://mirror.example/kgbd/{walk}.txt" for walk in builder.SPLIT} == set(mirrored)
    assert list(mirrored.values()) == list(public.values())


def test_the_split_that_is_written_down_is_the_one_that_is_drawn():
    written = split.read()
    assert split.table(split.draw(written)) == pathlib.Path(split.__file__).with_name("split.csv").read_text()
    assert split.draw(written, seed=1) != written


def test_the_split_is_by_walk_of_each_person():
    written = split.read()
    assert len(written) == 822
    assert collections.Counter(written.values()) == {"train": 617, "validation": 41, "test": 164}
    persons = split.read_persons()
    assert persons == tuple(f"Person{number:03}" for number in range(1, 165))
    for name, people in (("train", 164), ("validation", 41), ("test", 164)):
        assert len({walk.split("/")[0] for walk, its in written.items() if its == name}) == people
    walks_of = collections.Counter(walk.split("/")[0] for walk in written)
    assert collections.Counter(walks_of.values()) == {5: 153, 6: 7, 4: 3, 3: 1}


def test_identical_walks_are_never_drawn():
    written = split.read()
    assert written.items() >= IDENTICAL.items()
    infos = kgbd_dataset_builder.Builder.url_infos
    walk_of = collections.defaultdict(list)
    for url, info in infos.items():
        walk_of[info.checksum].append("/".join(url.removesuffix(".txt").split("/")[-2:]))
    assert [tuple(walks) for walks in walk_of.values() if len(walks) > 1] == [split.IDENTICAL]
    for seed in range(100):
        assert split.draw(written, seed).items() >= IDENTICAL.items()


def test_import_is_silent_and_needs_neither_keras_nor_tensorflow():
    code = "import sys, tfds_builders; print({'keras', 'tensorflow', 'agegait.models'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("set()\n", "")


@pytest.mark.slow
@needs_kgbd
def test_builds_all_of_the_real_kgbd(tmp_path):
    builder = tfds.builder("kgbd", data_dir=tmp_path)
    prepare(builder, KGBD)
    counts, frames, untracked, digests = collections.Counter(), [], {}, collections.defaultdict(list)
    for name in ("train", "validation", "test"):
        for example in builder.as_dataset(split=name).as_numpy_iterator():
            walk = example["walk"].decode()
            assert builder.SPLIT[walk] == name
            assert builder.info.features["person"].int2str(example["person"]) == walk.split("/")[0]
            assert np.isfinite(example["skeleton"]).all()
            counts[name] += 1
            frames.append(len(example["skeleton"]))
            digests[hashlib.sha256(example["skeleton"].tobytes()).digest()].append(walk)
            if not example["tracked"].all():
                untracked[walk] = sorted({int(frame) for frame, _ in np.argwhere(~example["tracked"])})
    assert counts == {"train": 617, "validation": 41, "test": 164}
    assert (sum(frames), min(frames), max(frames)) == (491_747, 208, 1711)
    assert untracked == {"Person071/2": [434], "Person147/4": [602]}
    assert [sorted(walks) for walks in digests.values() if len(walks) > 1] == [list(split.IDENTICAL)]
