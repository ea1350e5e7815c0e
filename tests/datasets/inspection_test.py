"""What `agegait inspect` tells of walks, and that it does not keep what makes no sense to itself."""

import io
import re

import numpy as np
import pytest
from rich.console import Console
from support.walk_writing import kinect_v2, wide_text

from agegait import datasets
from agegait.data import WalkFormat
from agegait.datasets import inspection
from agegait.skeletons import limbs
from tfds_builders.walkers import generator

PEOPLE = {"anna": 3, "Zoë": 1}


@pytest.fixture(scope="module")
def walks():
    return {
        f"{person}/{number}": generator.walk(index, "a", number)[0]
        for index, (person, count) in enumerate(PEOPLE.items())
        for number in range(count)
    }


@pytest.fixture(scope="module")
def folder(walks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    for name, walk in walks.items():
        path = folder / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(wide_text(1000 * kinect_v2(walk)))
    (folder / "notes.md").write_text("recorded in the hall")
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return inspection.inspect(datasets.load(str(folder), walk_format=WalkFormat(units="mm")))


def text(found):
    console = Console(file=io.StringIO(), width=120)
    console.print(inspection.render(found))
    return console.file.getvalue()


def test_people_walks_frames_and_limbs_are_counted_and_measured(found, walks):
    assert [(person.name, person.walks) for person in found.people] == list(PEOPLE.items())
    assert sorted(found.frames) == sorted(len(walk) for walk in walks.values())
    assert found.parts == {"train": 2, "validation": 1, "test": 1}
    assert found.untracked == 0
    for person in found.people:
        own = np.concatenate([walk for name, walk in walks.items() if name.startswith(person.name)])
        expected = np.median(limbs.limb_lengths(own), axis=0)
        np.testing.assert_allclose(person.limbs.lengths, expected, atol=0.02)
    assert found.faults == []
    assert found.unlike == []
    assert "walks to look at" not in text(found)


def test_the_skeleton_shown_is_a_frame_near_the_medians(found, walks):
    frames = np.concatenate(list(walks.values()))
    assert np.isclose(frames, found.skeleton, atol=1e-6).all(axis=(1, 2)).sum() == 1
    apart = np.abs(limbs.limb_lengths(found.skeleton) - found.limbs.lengths).max()
    assert apart < 0.1


def test_all_of_it_is_said(found):
    said = text(found)
    for pattern in (
        r"joints +Kinect v2",
        r"units +mm",
        r"split +drawn with seed 0",
        r"left alone +notes\.md",
        r"note +no walk is left to test how these are named: Zoë",
        r"people +2 *\n",
        r"walks +4: train 2, validation 1, test 1",
        r"anna +3 ",
        r"left forearm +2\d\.\d +[+-]\d+ % +\d+ %",
        "limb lengths are those of bodies",
        "[\u2801-\u28ff]{3}",
    ):
        assert re.search(pattern, said), pattern


def test_limbs_that_make_no_sense_are_said(folder):
    said = text(inspection.inspect(datasets.load(str(folder), check_limbs=False)))
    assert 'lengths look like millimetres, expected units="mm"' in " ".join(said.split())


def test_one_person_whose_joints_are_mixed_up_is_named(walks, tmp_path):
    for name, walk in walks.items():
        path = tmp_path / f"{name}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, walk)
    for number in range(6):
        walk, _ = generator.walk(2, "a", number)
        (tmp_path / "ben").mkdir(exist_ok=True)
        np.save(tmp_path / "ben" / f"{number}.npy", walk[:, [*range(5), 13, *range(6, 13), 5, *range(14, 20)]])
    many = [generator.walk(person, "a", number)[0] for person in range(3, 9) for number in range(3)]
    (tmp_path / "others").mkdir()
    for number, walk in enumerate(many):
        np.save(tmp_path / "others" / f"{number}.npy", walk)
    found = inspection.inspect(datasets.load(str(tmp_path), check_limbs=False))
    assert found.faults
    assert all(fault.startswith("ben: ") for fault in found.faults)
    assert "ElbowLeft and KneeLeft look exchanged" in found.faults[0]


def test_a_walk_of_a_body_of_another_size_is_named_and_no_fault(tmp_path):
    for person in ("anna", "ben"):
        for number in range(4):
            walk, _ = generator.walk("ab".index(person[0]), "a", number)
            size = 0.65 if (person, number) == ("ben", 2) else 1.1 if (person, number) == ("anna", 0) else 1
            path = tmp_path / ("test" if number == 2 else "train") / person / f"{number}.npy"
            path.parent.mkdir(exist_ok=True, parents=True)
            np.save(path, size * walk)
    found = inspection.inspect(datasets.load(str(tmp_path)))
    (walk,) = found.unlike
    assert (walk.name, walk.part) == ("test/ben/2", "test")
    assert walk.size == pytest.approx(0.65, abs=0.02)
    assert not found.faults
    assert re.search(r"test/ben/2 +6\d % +test", text(found))


def test_a_long_list_of_people_is_cut(found, monkeypatch):
    monkeypatch.setattr(inspection, "PEOPLE_SHOWN", 1)
    assert "and 1 more" in text(found)
