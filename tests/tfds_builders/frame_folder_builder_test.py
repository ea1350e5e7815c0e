"""What BIWI and IAS-Lab have in common: how people and recordings are told apart, and what is refused."""

import pathlib
import pickle
import re
import shutil
import tarfile
import zipfile

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow_datasets as tfds
from etils import epath
from support import frame_trees

import tfds_builders  # noqa: F401  (registers the builders)
from tfds_builders import frame_files, frame_folders
from tfds_builders.biwi import biwi_dataset_builder

LAYOUT = biwi_dataset_builder.Builder.LAYOUT
PEOPLE = {
    "Training": {"000": 2, "001": 1},
    "Testing/Still": {"000": 1, "002": 2},
    "Testing/Walking": {"000": 1, "001": 1},
}


def find(manual_dir):
    return frame_folders.find(epath.Path(manual_dir), "biwi", LAYOUT)


def prepare(manual_dir, data_dir):
    """Builds, and makes sure that whatever is refused leaves nothing behind."""
    builder = tfds.builder("biwi", data_dir=data_dir)
    try:
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual_dir))
    except BaseException:
        assert not list(data_dir.glob("biwi/*"))
        raise
    return builder


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "manual" / "biwi"
    frame_trees.write(folder, PEOPLE)
    return folder


def a_frame(tree, walk="Testing/Still/002"):
    return next((tree / walk).glob("*_000001-*_skel.txt"))


def test_walks_are_in_the_order_of_the_numbers_in_names(tmp_path):
    names = ["10", "9", "010b", "x2", "100", "10a", "x10"]
    frame_trees.write(tmp_path, {folder: dict.fromkeys(names, 1) for folder in PEOPLE})
    assert [walk.person for walk in find(tmp_path)["train"]] == ["9", "10", "10a", "010b", "100", "x2", "x10"]


@hypothesis.given(st.lists(st.integers(0, 10**9), unique=True), st.randoms())
def test_numbers_sort_as_numbers(numbers, random):
    names = [f"a{'0' * random.randrange(3)}{number}_b" for number in sorted(numbers)]
    assert sorted(random.sample(names, len(names)), key=frame_folders.natural) == names


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    folder = frame_trees.write(tmp_path, PEOPLE) and tmp_path / "Training" / "000"
    for path in folder.glob("*_skel.txt"):
        path.unlink()
    for number in (9, 10, 1, 100):
        skeleton, states = frame_trees.frame("any", 0)
        (folder / f"000_{number}-d_7_skel.txt").write_bytes(frame_trees.text(skeleton + number, states))
    ((_, example),) = frame_files.read(find(tmp_path)["train"][:1])
    np.testing.assert_array_equal(example["skeleton"][:, 0, 0] - skeleton[0, 0], [1, 9, 10, 100])


def test_a_folder_with_several_recordings_gives_a_walk_for_each(tree):
    for path in list((tree / "Testing/Still/002").glob("002b_*_skel.txt")):
        shutil.copy(path, path.with_name(path.name.replace("002b_", "002a_")))
    walks = find(tree.parent)["still"]
    assert [(walk.name, walk.person) for walk in walks] == [
        ("Testing/Still/000", "000"),
        ("Testing/Still/002/002a", "002"),
        ("Testing/Still/002/002b", "002"),
    ]
    assert all(f"/{walk.name.split('/')[3]}_" in file for walk in walks[1:] for file in walk.files)
    assert [len(walk.files) for walk in walks] == [1, 2, 2]


def test_files_of_other_names_are_one_recording(tree):
    for number, path in enumerate(sorted((tree / "Testing/Still/002").glob("002b_*_skel.txt"))):
        path.rename(path.with_name(f"{number}_{8349192 + number}_skel.txt"))
    assert [walk.name for walk in find(tree.parent)["still"]] == ["Testing/Still/000", "Testing/Still/002"]


def test_a_split_that_is_unpacked_is_not_read_from_archives(tree):
    frame_trees.pack(tree / "all.zip", tree, only="")
    (tree / "broken.zip").write_bytes(b"PK")
    assert {walk.archive for walks in find(tree.parent).values() for walk in walks} == {None}
    (tree / "broken.zip").unlink()
    shutil.rmtree(tree / "Testing" / "Walking")
    found = find(tree.parent)
    assert {walk.archive for walk in found["train"] + found["still"]} == {None}
    assert {walk.archive for walk in found["walking"]} == {str(tree / "all.zip")}


def test_batches_are_what_is_best_read_at_once():
    walks = [
        frame_folders.Walk(f"{archive}{n}", "a", (), archive) for n in range(10) for archive in (None, "b.zip", "c.tar")
    ]
    batches = list(frame_files.batches(walks))
    assert sorted(walk.name for batch in batches for walk in batch) == sorted(walk.name for walk in walks)
    assert sorted(len(batch) for batch in batches) == [*10 * [1], 2, 8, 10]
    assert all(len({walk.archive for walk in batch}) == 1 for batch in batches)
    assert pickle.loads(pickle.dumps(batches)) == batches


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_an_archive_gives_what_its_folder_gives(tree, tmp_path, suffix):
    frame_trees.pack(tmp_path / "packed" / f"biwi{suffix}", tree)
    unpacked, packed = (
        [walk for walks in find(folder).values() for walk in walks] for folder in (tree.parent, tmp_path / "packed")
    )
    read = dict(frame_files.read(packed))
    assert len(read) == len(unpacked) == 6
    for name, example in frame_files.read(unpacked):
        assert example.keys() == read[name].keys()
        for feature, value in example.items():
            np.testing.assert_array_equal(read[name][feature], value)


EXPECTED = (
    "expected BIWI RGBD-ID as Training/<person>/*_skel.txt, Testing/Still/<person>/*_skel.txt and "
    "Testing/Walking/<person>/*_skel.txt"
)
PACKED = "unpacked or in archives (.zip, .tar, .tar.gz, .tgz, .tar.xz, .txz, .tar.bz2)"


def refused(tree, message):
    return pytest.raises(ValueError, match=re.escape(f"{tree}: {message}"))


def test_refuses_an_empty_folder(tmp_path):
    (tmp_path / "biwi").mkdir()
    everywhere = "nobody is in Training or Testing/Still or Testing/Walking"
    with refused(tmp_path / "biwi", f"{EXPECTED}, {PACKED}; {everywhere}, found an empty folder"):
        prepare(tmp_path, tmp_path / "data")


@pytest.mark.parametrize("there", [True, False])
def test_refuses_a_manual_directory_that_is_not_there_or_empty(tmp_path, there):
    if there:
        (tmp_path / "manual").mkdir()
    with pytest.raises(ValueError, match=r"manual does not exist or is empty(.|\n)*Testing/Walking/000"):
        prepare(tmp_path / "manual", tmp_path / "data")


def test_refuses_a_folder_of_something_else(tmp_path):
    (tmp_path / "manual" / "pictures").mkdir(parents=True)
    with refused(tmp_path / "manual", f"{EXPECTED}, {PACKED}; nobody is in Training") as refusal:
        prepare(tmp_path / "manual", tmp_path / "data")
    assert str(refusal.value).endswith("found ['pictures']")


@pytest.mark.parametrize("emptied", [True, False])
def test_refuses_a_set_without_a_split(tree, tmp_path, emptied):
    shutil.rmtree(tree / "Testing" / "Walking")
    if emptied:
        (tree / "Testing" / "Walking").mkdir()
    found = "nobody is in Testing/Walking, found Training (2 people), Testing/Still (2 people)"
    with refused(tree, f"{EXPECTED}, {PACKED}; {found}"):
        prepare(tree.parent, tmp_path / "data")
    (tree / "Testing.rar").touch()
    with refused(tree, f"{EXPECTED}, {PACKED}; {found}. Unpack Testing.rar: such archives cannot be read as they are"):
        prepare(tree.parent, tmp_path / "data")


@pytest.mark.parametrize("packed", [False, True])
def test_refuses_a_person_without_frames(tree, tmp_path, packed):
    for path in (tree / "Training" / "001").glob("*_skel.txt"):
        path.unlink()
    where = "Training/001"
    if packed:
        frame_trees.pack(tmp_path / "packed" / "biwi" / "all.zip", tree)
        tree, where = tmp_path / "packed" / "biwi", "all/Training/001 (in all.zip)"
    with refused(tree, f"expected frames of everybody, found none (*_skel.txt) in {where}"):
        prepare(tree.parent, tmp_path / "data")


@pytest.mark.parametrize("elsewhere", ["Testing/000", "Training", "Training/000/more", "Validation/000", "."])
def test_refuses_frames_where_none_are_expected(tree, tmp_path, elsewhere):
    (tree / elsewhere).mkdir(exist_ok=True, parents=True)
    shutil.copy(a_frame(tree), tree / elsewhere)
    with refused(tree, f"{EXPECTED}, found frames in {elsewhere}"):
        prepare(tree.parent, tmp_path / "data")


@pytest.mark.parametrize(("one", "other"), [("000", "0"), ("12a", "12A"), ("Ann07", "ann7")])
def test_refuses_two_people_under_one_name(tree, tmp_path, one, other):
    for name in (one, other):
        shutil.copytree(tree / "Testing/Walking/001", tree / "Testing/Walking" / name, dirs_exist_ok=True)
    folders = rf"Testing/Walking/({one} and Testing/Walking/{other}|{other} and Testing/Walking/{one})"
    with pytest.raises(ValueError, match=f"expected one person a name, found two people under one: {folders}$"):
        prepare(tree.parent, tmp_path / "data")


def test_refuses_a_person_in_two_places(tree, tmp_path):
    shutil.copytree(tree / "Training" / "000", tree / "copy" / "Training" / "000")
    with pytest.raises(ValueError, match=r"found two people under one: .*Training/000 and .*Training/000"):
        prepare(tree.parent, tmp_path / "data")


def test_refuses_a_person_in_two_archives(tree, tmp_path):
    for name in ("a.zip", "b.tar"):
        frame_trees.pack(tmp_path / "biwi" / name, tree)
    with pytest.raises(ValueError, match=r"under one: a/T\S* \(in a\.zip\) and b/T\S* \(in b\.tar\)"):
        prepare(tmp_path, tmp_path / "data")


@pytest.mark.parametrize("name", ["007 ", "00\n7"])
def test_refuses_names_that_would_not_survive(tree, tmp_path, name):
    (tree / "Training" / "000").rename(tree / "Training" / name)
    with refused(tree, f"expected names that can be printed, found {name!r}"):
        prepare(tree.parent, tmp_path / "data")


DAMAGES = {
    "empty": (lambda text: b"", "line 1: expected 20 or 40 rows of 14 numbers, got an empty file"),
    "truncated": (lambda text: text[:100], "line 2: expected 14 numbers with commas between them, got"),
    "fewer rows": (lambda text: b"".join(text.splitlines(True)[:19]), "line 20: expected 20 or 40 rows"),
    "no number": (lambda text: text.replace(b".0000", b".OOOO", 1), "line 1: expected a number for id, got '2.OOOO'"),
    "decimal commas": (lambda text: text.replace(b".", b","), "line 1: expected 14 numbers with commas between them"),
    "NaN": (lambda text: re.sub(rb",[^,]+", b",nan", text, count=1), "line 1: expected a finite number with a decimal"),
    "binary": (lambda text: b"\x89PNG\r\n\x1a\n" + text, "line 1: expected text, got the byte 0x89"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_refuses_a_broken_frame_by_file_and_line(tree, tmp_path, damage, message, packed):
    broken = a_frame(tree)
    broken.write_bytes(damage(broken.read_bytes()))
    named, manual_dir = f"{broken}, ", tree.parent
    if packed:
        manual_dir = tmp_path / "packed"
        frame_trees.pack(manual_dir / "biwi.tar", tree, "BIWI")
        named = f"{manual_dir / 'biwi.tar'}: BIWI/{broken.relative_to(tree)}, "
    with pytest.raises(ValueError, match=re.escape(named + message)):
        prepare(manual_dir, tmp_path / "data")


@pytest.mark.parametrize(
    "path", ["../Training/000/a_skel.txt", "/Training/000/a_skel.txt", r"C:\Training\000\a_skel.txt"]
)
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_refuses_an_archive_that_climbs_out(tmp_path, path, suffix):
    frame_trees.pack_one(tmp_path / "biwi" / f"a{suffix}", path)
    with pytest.raises(ValueError, match="expected paths that stay inside the archive, got " + re.escape(repr(path))):
        prepare(tmp_path, tmp_path / "data")


def test_refuses_an_archive_that_holds_a_file_twice(tree, tmp_path):
    frame_trees.pack(tmp_path / "biwi" / "all.zip", tree)
    with zipfile.ZipFile(tmp_path / "biwi" / "all.zip", "a") as packed:
        name = f"Testing/Still/002/{a_frame(tree).name}"
        with pytest.warns(UserWarning, match="Duplicate name"):
            packed.writestr(name, b"")
    with pytest.raises(ValueError, match=rf"all\.zip: expected each file once, got '{name}' again"):
        prepare(tmp_path, tmp_path / "data")


def cut(archive):
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def cut_between_files(archive):
    """What is left is a tar archive, but for its end."""
    with tarfile.open(archive) as packed:
        end = packed.getmembers()[-2].offset
    archive.write_bytes(archive.read_bytes()[:end])


def overwrite(archive):
    archive.write_bytes(b"not an archive " * 1000)


def corrupt(archive):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as packed:
        member = next(one for one in packed.infolist() if re.search(r"/\d+b?_.*_skel\.txt$", one.filename))
    start = member.header_offset + 30 + len(member.filename)
    content[start : start + 40] = bytes(40)
    archive.write_bytes(content)


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        *((suffix, damage) for suffix in (".zip", ".tar", ".tar.gz", ".tar.xz") for damage in (cut, overwrite)),
        (".tar", cut_between_files),
        (".zip", corrupt),
        (".zip", frame_trees.encrypt),
    ],
)
def test_refuses_a_damaged_archive(tree, tmp_path, suffix, damage):
    archive = tmp_path / "biwi" / f"all{suffix}"
    frame_trees.pack(archive, tree)
    damage(archive)
    with pytest.raises(ValueError, match=r"all.*: expected a whole zip or tar archive without a password, got: \w+"):
        prepare(tmp_path, tmp_path / "data")


def test_a_source_that_was_mended_is_built_by_the_same_builder(tree, tmp_path):
    broken = a_frame(tree)
    whole = broken.read_bytes()
    broken.write_bytes(whole[:100])
    builder = tfds.builder("biwi", data_dir=tmp_path / "data")
    config = tfds.download.DownloadConfig(manual_dir=tree.parent)
    with pytest.raises(ValueError, match="line 2"):
        builder.download_and_prepare(download_config=config)
    broken.write_bytes(whole)
    builder.download_and_prepare(download_config=config)
    assert builder.info.splits.total_num_examples == 6
    assert pathlib.Path(builder.data_dir).is_dir()
