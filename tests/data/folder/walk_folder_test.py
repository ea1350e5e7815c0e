"""A folder of your own walks: its layouts, its split, and what is wrong with it said before training."""

import os
import re
import socket
import unicodedata

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from support.walk_writing import KINECT_V2, frame_text, kinect_v2, wide_text

from agegait import data, skeletons
from agegait.data import WalkFolder, WalkFormat, from_folder, resample
from agegait.data.folder import walk_folder
from agegait.recordings import read_recordings
from tfds_builders.walkers import generator

FRAMES = 90


def walker(person, number):
    return generator.walk(person, "a", number)[0][:FRAMES].astype(float)


WALKERS = {(person, number): walker(person, number) for person in range(3) for number in range(4)}


def save(path, walk):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, walk)


@pytest.fixture
def folder(tmp_path):
    """Three people of four, three and two walks."""
    root = tmp_path / "walks"
    for (person, number), walk in WALKERS.items():
        if person + number < 4:
            save(root / ("anna", "ben", "cleo")[person] / f"{number + 1}.npy", walk)
    return root


def names(walks):
    return [walk.name for walk in walks]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Kinect v2 exports of twelve people in millimetres, each a mix of files; and what was written."""
    root = tmp_path_factory.mktemp("twelve")
    walks = {}
    for person in range(12):
        home = root / f"person{person + 1}"
        home.mkdir()
        for number, ending in enumerate(("csv", "npy", "parquet")):
            walk = walker(person, number)
            walks[f"person{person + 1}/{ending} {number}"] = walk
            full, path = 1000 * kinect_v2(walk), home / f"{ending} {number}.{ending}"
            if ending == "csv":
                path.write_text(wide_text(full, separator=";", columns={"time_ms": np.arange(FRAMES) / 0.03}))
            elif ending == "npy":
                np.save(path, full)
            else:
                table = {
                    f"{name}.{axis}": full[:, j, a] for j, name in enumerate(KINECT_V2) for a, axis in enumerate("XYZ")
                }
                pq.write_table(pa.table(table), path)
    (root / "README.md").write_text("Twelve people.")
    return root, walks


class TestTwelvePeople:
    def test_all_is_read_back(self, people):
        root, written = people
        walks = from_folder(root, units="mm")
        assert walks.class_names == [f"person{number}" for number in range(1, 13)]
        read = {walk["walk"].decode(): walk for walk in walks.as_numpy_iterator()}
        assert read.keys() == written.keys()
        for name, walk in read.items():
            np.testing.assert_allclose(walk["skeleton"], written[name], atol=1e-6)
            assert walks.class_names[walk["person"]] == name.split("/")[0]

    def test_what_is_known_of_it(self, people):
        root, _ = people
        folder = WalkFolder(root, WalkFormat(units="mm"))
        assert folder.schema.name == "kinect_v2"
        assert {name: len(walks) for name, walks in folder.splits.items()} == {
            "train": 12,
            "validation": 12,
            "test": 12,
        }
        assert folder.left_alone == (root / "README.md",)
        assert folder.faults == ()
        assert folder.warnings == ("the frame rate of 24 of 36 walks is not known, taken as 30 Hz",)
        assert folder.limbs.walks == 36
        folder.check_limbs()

    def test_units_that_are_mistaken(self, people):
        with pytest.raises(
            ValueError, match=r'expected limbs as bodies have them: .* millimetres, expected units="mm"'
        ):
            from_folder(people[0])
        assert len(list(from_folder(people[0], check_limbs=False))) == 36

    def test_windows_and_a_step_of_training(self, people):
        walks = from_folder(people[0], "train", units="mm", frame_rate=30, resample=15)
        windows = data.windows(walks).batch(16)
        batch = next(iter(windows))
        assert batch["skeleton"].shape == (16, 6, 20, 3)
        assert all(len(walk["skeleton"]) == FRAMES // 2 for walk in walks)


class TestDataset:
    def test_features_are_those_of_the_tfds_builders(self, folder):
        walks = from_folder(folder)
        spec = {
            "skeleton": tf.TensorSpec((None, 20, 3), tf.float32),
            "tracked": tf.TensorSpec((None, 20), tf.bool),
            "person": tf.TensorSpec((), tf.int64),
            "walk": tf.TensorSpec((), tf.string),
        }
        assert walks.element_spec == spec
        for walk in walks.as_numpy_iterator():
            person, number = walk["walk"].decode().split("/")
            index = ("anna", "ben", "cleo").index(person)
            assert walk["person"] == index
            np.testing.assert_array_equal(walk["skeleton"], WALKERS[index, int(number) - 1].astype("float32"))
            assert walk["tracked"].dtype == bool

    def test_class_names_are_there_as_keras_has_them(self, folder, tmp_path):
        for person in ("anna", "ben"):
            (tmp_path / "images" / person).mkdir(parents=True)
            keras.utils.save_img(tmp_path / "images" / person / "1.png", np.zeros((4, 4, 3)))
        images = keras.utils.image_dataset_from_directory(tmp_path / "images", verbose=False)
        assert images.class_names == ["anna", "ben"]
        assert from_folder(folder, "train").class_names == ["anna", "ben", "cleo"]

    def test_the_parts_are_all_walks_and_have_none_in_common(self, folder):
        parts = {
            split: [walk["walk"] for walk in from_folder(folder, split).as_numpy_iterator()]
            for split in ("train", "validation", "test")
        }
        together = [walk for part in parts.values() for walk in part]
        assert sorted(together) == sorted(walk["walk"] for walk in from_folder(folder).as_numpy_iterator())
        assert len(set(together)) == len(together) == 9
        assert [len(part) for part in parts.values()] == [4, 2, 3]

    def test_the_seed_draws_another_split_and_the_same_seed_the_same(self, folder):
        splits = [WalkFolder(folder, seed=seed).splits for seed in (0, 0, 1, 2, 3)]
        assert splits[0] == splits[1]
        assert any(split != splits[0] for split in splits[2:])

    def test_a_split_that_is_not_there(self, folder):
        with pytest.raises(ValueError, match="split: expected one of train, validation, test, received 'test_b'"):
            from_folder(folder, "test_b")
        for number in (3, 4):
            for path in folder.glob(f"*/{number}.npy"):
                path.unlink()
        with pytest.raises(ValueError, match="expected one of train, test, received 'validation'; hold_out takes one"):
            from_folder(folder, "validation")

    def test_a_file_that_changes_after_it_was_looked_at(self, folder, monkeypatch):
        kept = from_folder(folder)
        monkeypatch.setattr(walk_folder, "_KEPT_BYTES", 0)
        walks = from_folder(folder)
        before = [walk["skeleton"] for walk in kept.as_numpy_iterator()]
        (folder / "anna" / "1.npy").write_bytes(b"")
        for walk, skeleton in zip(kept.as_numpy_iterator(), before, strict=True):
            np.testing.assert_array_equal(walk["skeleton"], skeleton)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"1\.npy: expected an array of numbers"):
            list(walks)


class TestReading:
    def test_each_file_of_a_small_folder_is_read_once(self, folder, monkeypatch):
        read = []

        def noted(path, *others):
            read.append(path)
            return read_recordings(path, *others)

        monkeypatch.setattr(walk_folder, "read_recordings", noted)
        found = WalkFolder(folder)
        assert sorted(read) == sorted(set(read))
        found.read(found.walks[0])
        assert len(read) == len(set(read))


class TestLayout:
    def test_people_and_walks_are_in_the_order_of_numbers(self, tmp_path):
        for number, person in enumerate(("10", "9", "p2", "p10", "P1", "Q1")):
            for walk in ("w10", "w9"):
                save(tmp_path / person / f"{walk}.npy", walker(number, len(walk)))
        found = WalkFolder(tmp_path)
        assert found.persons == ("9", "10", "P1", "p2", "p10", "Q1")
        assert names(found.walks)[:2] == ["9/w9", "9/w10"]

    def test_splits_above_the_people(self, folder, tmp_path):
        root = tmp_path / "split"
        for split, number in (("Training", 0), ("val", 1), ("test", 2), ("Test_b", 3)):
            for person, name in enumerate(("anna", "ben")):
                save(root / split / name / "1.npy", WALKERS[person, number])
        (root / "train.txt").write_text("not a walk")
        found = WalkFolder(root)
        assert not found.drawn
        assert {name: names(walks) for name, walks in found.splits.items()} == {
            split: [f"{split}/anna/1", f"{split}/ben/1"] for split in ("train", "validation", "test", "Test_b")
        }
        assert found.left_alone == (root / "train.txt",)

    def test_what_is_no_walk_is_left_alone_and_listed(self, folder):
        others = [
            "README.txt",
            "anna/notes.txt",
            "anna/1.json",
            "ben/.hidden.npy",
            "LICENSE",
            "persons.csv",
            ".git/x.npy",
        ]
        others += ["videos/a.mp4", "anna/pictures/1.jpg"]
        for other in others:
            (folder / other).parent.mkdir(exist_ok=True)
            (folder / other).write_text("?")
        found = WalkFolder(folder)
        listed = {str(path.relative_to(folder)) for path in found.left_alone}
        assert listed == {*others[:6], ".git", "videos", "anna/pictures"}
        assert found.warnings == (
            "left alone, as no walks are in it: videos",
            "left alone, as in no person's folder: persons.csv",
        )

    @pytest.mark.parametrize("below", ["", "first"])
    def test_folders_of_frames(self, tmp_path, below):
        for person in range(2):
            home = tmp_path / f"{person:03}" / below
            home.mkdir(parents=True)
            for frame in range(FRAMES):
                stem = f"001_{frame:06}-d_{frame}"
                (home / f"{stem}_skel.txt").write_text(frame_text(WALKERS[person, 0][frame]))
                (home / f"{stem}_groundCoeff.txt").write_text("1 2 3 4")
        found = WalkFolder(tmp_path)
        assert names(found.walks) == [f"{person}/{below or person}" for person in ("000", "001")]
        assert not any("groundCoeff" in warning for warning in found.warnings)
        np.testing.assert_allclose(found.read(found.walks[1]).skeleton, WALKERS[1, 0], atol=1e-6)

    def test_links_inside_the_folder_are_followed(self, folder):
        (folder / ".store").mkdir()
        (folder / "cleo").rename(folder / ".store" / "cleo")
        (folder / "cleo").symlink_to(folder / ".store" / "cleo")
        assert len(WalkFolder(folder).walks) == 9
        (folder / "anna" / "loop").symlink_to(folder / "anna")
        with pytest.raises(ValueError, match=r"found a walk deeper down, loop/"):
            WalkFolder(folder)

    def test_all_that_cannot_be_read_is_said_at_once(self, folder, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (folder / "cleo").rename(tmp_path / "elsewhere" / "cleo")
        (folder / "cleo").symlink_to(tmp_path / "elsewhere" / "cleo")  # a person elsewhere
        (folder / "anna" / "out.npy").symlink_to(next((tmp_path / "elsewhere" / "cleo").iterdir()))
        (folder / "anna" / "zero.csv").symlink_to("/dev/zero")
        os.mkfifo(folder / "anna" / "fifo.npy")
        (folder / "ben" / "bad.npy").write_bytes(b"bad")
        with socket.socket(socket.AF_UNIX) as unix:
            here = os.open(folder / "ben", os.O_RDONLY)
            unix.bind(f"/proc/self/fd/{here}/socket.csv")  # its path may be longer than that of sockets
            os.close(here)
            with pytest.raises(ValueError, match="found 6 faults") as refusal:
                WalkFolder(folder)
        for message in (
            r"cleo: expected a path inside .*, found a link that leads out of it",
            r"out\.npy: expected a path inside .*, found a link that leads out of it",
            r"zero\.csv: expected a path inside .*, found a link that leads out of it",
            r"fifo\.npy: expected a regular file, found a FIFO",
            r"socket\.csv: expected a regular file, found a socket",
            r"bad\.npy: expected an array of numbers",
        ):
            assert re.search(message, str(refusal.value)), message

    def test_a_link_to_nothing(self, folder):
        (folder / "anna" / "9.npy").symlink_to(folder / "nothing.npy")
        with pytest.raises(ValueError, match=r"anna/9\.npy: expected a walk's file: No such file"):
            WalkFolder(folder)


class TestRefusedLayouts:
    def refused(self, folder, message, **options):
        with pytest.raises(ValueError, match=message) as refusal:
            WalkFolder(folder, **options)
        assert str(folder) in str(refusal.value)

    def test_no_folder(self, tmp_path):
        self.refused(tmp_path / "walks", r"expected a folder of walks, found none")
        (tmp_path / "walks").write_text("")
        self.refused(tmp_path / "walks", r"expected a file that ends in ")

    def test_an_empty_one(self, tmp_path):
        self.refused(tmp_path, r"expected a folder for each person .* <person>/<walk>, .*; found an empty folder")

    def test_walks_of_nobody(self, tmp_path):
        save(tmp_path / "1.npy", WALKERS[0, 0])
        self.refused(tmp_path, r"expected a folder for each person .*; found walks in no person's folder: 1\.npy")

    def test_frames_of_nobody(self, tmp_path):
        (tmp_path / "1_000000-d_1_skel.txt").write_text(frame_text(WALKERS[0, 0][0]))
        self.refused(tmp_path, r"found walks in no person's folder|found frames in no person's folder")

    def test_files_that_are_not_read(self, tmp_path):
        for number in range(3):
            (tmp_path / "anna").mkdir(exist_ok=True)
            (tmp_path / "anna" / f"{number}.fbx").touch()
        self.refused(tmp_path, r"found anna/, with files of which 3 that end in \.fbx")

    def test_one_person(self, tmp_path):
        save(tmp_path / "anna" / "1.npy", WALKERS[0, 0])
        self.refused(tmp_path, "found walks of 'anna' alone, expected two people or more")

    def test_walks_too_deep(self, folder):
        save(folder / "anna" / "monday" / "1.npy", WALKERS[0, 0])
        self.refused(folder, r"found a walk deeper down, monday/1\.npy")

    def test_people_beside_splits(self, folder):
        (folder / "train").mkdir()
        self.refused(
            folder, "expected people's folders, or train, validation and test ones, found anna beside ben, cleo"
        )
        for path in ("anna", "ben", "cleo"):
            (folder / path).rename(folder / "train" / path)
        (folder / "Training").mkdir()
        self.refused(folder, "found Training beside train|found train beside Training")

    def test_people_who_are_not_trained_on(self, folder):
        (folder / "test").mkdir()
        (folder / "train").mkdir()
        for path in ("anna", "ben"):
            (folder / path).rename(folder / "train" / path)
        (folder / "cleo").rename(folder / "test" / "cleo")
        self.refused(folder, "expected walks of cleo in train too, found some in test alone")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Anna", "anna"),
            ("anna", "anna "),
            ("1", "001"),
            ("Person01", "Person001"),
            (unicodedata.normalize("NFC", "Zoé"), unicodedata.normalize("NFD", "Zoé")),
            ("Straße", "STRASSE"),
        ],
    )
    def test_two_people_of_one_name(self, tmp_path, one, other):
        save(tmp_path / one / "1.npy", WALKERS[0, 0])
        save(tmp_path / other / "2.npy", WALKERS[1, 0])
        self.refused(tmp_path, "expected a name of their own for each person, found folders ")

    @pytest.mark.parametrize(("one", "other"), [("10", "1"), ("p1", "p11"), ("100", "1"), ("a0", "a")])
    def test_two_people_of_two_names(self, tmp_path, one, other):
        save(tmp_path / one / "1.npy", WALKERS[0, 0])
        save(tmp_path / other / "2.npy", WALKERS[1, 0])
        assert set(WalkFolder(tmp_path).persons) == {one, other}

    def test_two_walks_of_one_name(self, folder):
        (folder / "anna" / "1.csv").write_text(wide_text(WALKERS[0, 1], skeletons.JOINTS))
        self.refused(folder, r"anna: expected a name of its own for each walk, found 1\.\w+ and 1\.\w+")

    def test_names_that_are_not_text(self, folder):
        os.mkdir(os.fsencode(folder) + b"/\xff")
        save(folder / os.fsdecode(b"\xff") / "1.npy", WALKERS[0, 3] + 1)
        self.refused(folder, r"expected names in UTF-8, found '\\udcff/1'")

    def test_frames_beside_walks(self, folder):
        (folder / "anna" / "1_000000-d_1_skel.txt").write_text(frame_text(WALKERS[0, 0][0]))
        self.refused(folder, r"anna: expected walks, or the frames \*_skel\.txt .*of one, found 1\.npy beside frames")

    def test_a_file_that_is_no_walk(self, folder):
        (folder / "ben" / "1.csv").write_text("Head_x,Head_y,Head_z\n1,2\n")
        (folder / "ben" / "1.npy").unlink()
        self.refused(folder, r"ben/1\.csv, line 2: expected 3 fields as in the first line, found 2")

    def test_other_joints_than_the_other_walks(self, folder):
        save(folder / "ben" / "9.npy", kinect_v2(WALKERS[1, 3]))
        self.refused(folder, r"9\.npy: expected the 20 joints of kinect_v1, found 25 joints")
        (folder / "ben" / "9.npy").unlink()
        (folder / "ben" / "9.csv").write_text(wide_text(kinect_v2(WALKERS[1, 3])))
        self.refused(folder, r"(1|9)\.(csv|npy): expected the .*joints of kinect_v")

    def test_one_recording_on_both_sides_of_splits(self, tmp_path):
        for split in ("train", "test"):
            for person in range(2):
                save(tmp_path / split / f"p{person}" / "1.npy", WALKERS[person, 0] + (split == "test") * (person == 0))
        self.refused(tmp_path, "expected other recordings in each split, found one as train/p1/1, test/p1/1")


class TestLooks:
    def test_one_recording_twice_is_trained_on_alone(self, folder):
        (folder / "anna" / "7.csv").write_text(
            wide_text(WALKERS[0, 0], skeletons.JOINTS)
        )  # another file, one recording
        for seed in range(5):
            found = WalkFolder(folder, seed=seed)
            assert {"anna/1", "anna/7"} <= set(names(found.splits["train"]))
            assert found.warnings[0] == "one recording under several names, to be trained on alone: anna/1, anna/7"

    def test_one_recording_of_two_people_is_refused(self, folder):
        save(folder / "ben" / "8.npy", WALKERS[2, 0])  # a recording of cleo
        with pytest.raises(ValueError, match=r"under two people, ben and cleo: one of the labels .*\(ben/8, cleo/1\)"):
            WalkFolder(folder)

    def test_people_of_whom_no_walk_is_tested(self, folder):
        (folder / "cleo" / "1.npy").unlink()
        found = WalkFolder(folder)
        assert found.warnings == ("no walk is left to test how these are named: cleo",)
        assert names(found.splits["train"])[-1] == "cleo/2"

    def test_a_walk_in_other_units(self, folder):
        save(folder / "cleo" / "2.npy", 1000 * WALKERS[2, 1])
        found = WalkFolder(folder)
        assert "cleo/2: limbs are" in found.faults[0]
        with pytest.raises(
            ValueError, match=r"cleo/2: limbs are .* times as long as in most walks, are its units others"
        ):
            found.check_limbs()

    def test_one_persons_joints_mixed_up(self, folder):
        order = [*range(3), 13, *range(4, 13), 3, *range(14, 20)]  # the head for a knee
        for number in range(2):
            save(folder / "cleo" / f"{number + 1}.npy", WALKERS[2, number][:, order])
        found = WalkFolder(folder)
        assert any(warning.startswith("limbs of cleo make no sense: ") for warning in found.warnings + found.faults)

    def test_what_files_remark(self, folder):
        for number in (1, 2):
            text = wide_text(walker(1, number + 4), skeletons.JOINTS, columns={"mood": ["good"] * FRAMES})
            (folder / "ben" / f"1{number}.csv").write_text(text)
        assert "not read: mood (ben/11, ben/12)" in WalkFolder(folder).warnings

    def test_frame_rates_that_differ(self, folder):
        for path in folder.glob("*/*.npy"):
            rate = {"anna/1": 15, "anna/2": 28}.get(f"{path.parent.name}/{path.stem}", 30)
            np.savez(path.with_suffix(".npz"), skeleton=np.load(path), frame_rate=rate)
            path.unlink()
        found, count = WalkFolder(folder), len(WalkFolder(folder).walks)
        assert found.warnings == (f"1 of {count} walks, at 15 Hz, are resampled to 30 Hz",)
        assert found.frame_rate == 30
        slow, near = (next(walk for walk in found.walks if walk.name == f"anna/{number}") for number in (1, 2))
        own = np.load(folder / "anna" / "1.npz")["skeleton"]
        expected, _ = resample(own, np.ones(own.shape[:2], bool), np.arange(len(own)) / 15, 30)
        np.testing.assert_allclose(found.read(slow).skeleton, expected, atol=1e-6)
        assert len(found.read(near).skeleton) == FRAMES
        (example,) = [one for one in found.dataset().as_numpy_iterator() if one["walk"].decode() == "anna/1"]
        np.testing.assert_allclose(example["skeleton"], expected, atol=1e-6)
        assert WalkFolder(folder, WalkFormat(resample=15)).warnings == ()
        as_of_a_run = WalkFolder(folder, frame_rate=15)
        assert len(as_of_a_run.read(slow).skeleton) == FRAMES
        assert as_of_a_run.warnings == (f"{count - 1} of {count} walks, at 28 to 30 Hz, are resampled to 15 Hz",)

    def test_frame_rates_that_some_do_not_say(self, folder):
        assert WalkFolder(folder).frame_rate is None
        path = folder / "anna" / "1.npy"
        np.savez(path.with_suffix(".npz"), skeleton=np.load(path), frame_rate=25)
        path.unlink()
        found = WalkFolder(folder)
        count = len(found.walks)
        assert found.frame_rate == 25
        assert f"the frame rate of {count - 1} of {count} walks is not known, taken as 25 Hz" in (found.warnings)

    def test_joints_are_asked_for(self, folder):
        with pytest.raises(ValueError, match="expected the 25 joints of kinect_v2, found 20 joints"):
            from_folder(folder, joints="kinect_v2")
        assert from_folder(folder, joints="Kinect v1").class_names == ["anna", "ben", "cleo"]
