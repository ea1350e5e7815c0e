"""Walks of files that hold several: of several people, bodies, or with holes in time."""

import numpy as np
import pytest
from support.bodies import walk

from agegait import data, recordings
from agegait.data import WalkFolder, WalkFormat
from agegait.recordings import FileFormat, Recording, registry

BODIES = {(person, number): walk(60, person, number).astype(float) for person in range(3) for number in range(2)}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Has files `.held` hold the recordings that a test says, by their names."""
    held, read = {}, []

    def read_held(path, within, walk_format):
        read.append(path)
        if path.stem == "bad":
            raise ValueError(f"{path}: expected something, found nothing.")
        return [Recording(str(path), **how) for how in held[path.relative_to(tmp_path).as_posix()]]

    monkeypatch.setattr(registry, "_FORMATS", registry._FORMATS.copy())
    recordings.register(FileFormat("held", "a test's file", (".held",), read_held))

    def write(name, *hows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        held[name] = [{"units": "m", **how} for how in hows]
        return path

    write.root, write.read = tmp_path, read
    return write


def of(one, number, **how):
    return {"coordinates": BODIES[one, number], **how}


def everybody(one, number, **how):
    return of(one, number, person=f"p{one}", walk=f"w{number}", **how)


def names(walks):
    return [found.name for found in walks]


def test_a_hole_splits_a_walk_and_no_window_straddles_it(written):
    seconds = np.r_[np.arange(33), np.arange(50, 77)] / 30
    for person in (0, 1):
        written(f"walks/p{person}/w.held", of(person, 0, seconds=seconds, breaks=(33,)))
    found = WalkFolder(written.root / "walks")
    assert names(found.walks) == ["p0/w#1", "p0/w#2", "p1/w#1", "p1/w#2"]
    for where in found.walks:
        read, piece = found.read(where), slice(33) if where.name.endswith("#1") else slice(33, 60)
        np.testing.assert_allclose(read.skeleton, BODIES[int(where.person[1]), 0][piece], atol=1e-6)
        assert read.frame_rate == pytest.approx(30)
    assert sum(1 for _ in data.windows(found.dataset(), 6)) == 2 * (5 + 4)  # 10 with one that straddles
    assert "split into 2 walks where frames are missing" in " ".join(found.warnings)
    assert names(found.splits["train"]) == names(found.walks)  # of one file, so never apart
    assert len(written.read) == 2  # each file once, for its joints and for all of its walks


def test_pieces_too_short_are_left_out_and_counted(written):
    for person in (0, 1):
        written(f"walks/p{person}/w.held", of(person, 0, breaks=(5, 30)))
    found = WalkFolder(written.root / "walks")
    assert [len(found.read(where).skeleton) for where in found.walks] == [25, 30] * 2
    assert "5 frames between holes, under 10 each, left out" in " ".join(found.warnings)


def test_a_file_of_everybody(written):
    path = written("all.held", *(everybody(person, number) for person in range(3) for number in range(2)))
    found = WalkFolder(path)
    assert found.persons == ("p0", "p1", "p2")
    assert names(found.walks) == [f"p{person}/w{number}" for person in range(3) for number in range(2)]
    np.testing.assert_allclose(found.read(found.walks[3]).skeleton, BODIES[1, 1], atol=1e-6)
    assert {name: len(walks) for name, walks in found.splits.items()} == {"train": 3, "test": 3}
    assert len(written.read) == 1
    assert data.load_walks(path)[3].skeleton.shape == (60, 20, 3)
    with pytest.raises(ValueError, match="expected one walk, found 6: load_walks reads them all"):
        data.load_walk(path)


def test_a_folder_of_files_that_say_who_walks(written):
    written("days/monday.held", everybody(0, 0), everybody(1, 0))
    written("days/tuesday.held", everybody(0, 1), everybody(1, 1))
    assert names(WalkFolder(written.root / "days").walks) == ["p0/w0", "p1/w0", "p0/w1", "p1/w1"]


def test_files_of_everybody_that_do_not_say_who_walks(written):
    path = written("all.held", of(0, 0), of(1, 0))
    with pytest.raises(ValueError, match=r"expected a column that tells who walks, .*; person_column names such"):
        WalkFolder(path)
    with pytest.raises(ValueError, match="walks of 'p0' alone, expected two people"):
        WalkFolder(written("one.held", everybody(0, 0), everybody(0, 1)))
    with pytest.raises(ValueError, match="walks in no person's folder: all"):
        WalkFolder(written.root)


def test_two_bodies_at_once_in_a_persons_file_are_refused_by_their_numbers(written):
    odd, even = np.arange(60) * 2, np.arange(60) * 2 + 1
    written("walks/p0/session.held", of(0, 0, body="0", lines=odd), of(2, 0, body="3", lines=even))
    written("walks/p1/w.held", of(1, 0))
    with pytest.raises(ValueError, match=r"session\.held: expected one body at a time, .* two bodies \(body 0 and 3"):
        WalkFolder(written.root / "walks")


def test_bodies_one_after_the_other_are_walks_each_and_said_to_be(written):
    first, then = np.arange(60), np.arange(60) + 80
    written("walks/p0/session.held", of(0, 0, body="2", lines=first), of(0, 1, body="4", lines=then))
    written("walks/p1/w.held", of(1, 0))
    found = WalkFolder(written.root / "walks")
    assert names(found.walks) == ["p0/session#2", "p0/session#4", "p1/w"]
    assert any("2 bodies are in" in warning and "2, 4" in warning for warning in found.warnings)


def test_several_people_in_one_persons_folder_are_refused(written):
    written("walks/p0/w.held", everybody(0, 0), everybody(1, 0))
    written("walks/p1/w.held", of(1, 1))
    with pytest.raises(ValueError, match=r"as it is in the folder of p0, found those of p0, p1"):
        WalkFolder(written.root / "walks")


def test_bad_files_are_left_out_on_request_and_named(written):
    for person in (0, 1):
        written(f"walks/p{person}/w.held", of(person, 0))
    written("walks/p1/bad.held")
    with pytest.raises(ValueError, match=r"bad\.held: expected something, found nothing"):
        WalkFolder(written.root / "walks")
    found = WalkFolder(written.root / "walks", WalkFormat(skip_bad=True))
    assert names(found.walks) == ["p0/w", "p1/w"]
    assert any(warning.startswith("left out, as no walk: ") and "bad.held" in warning for warning in found.warnings)
    (written.root / "walks" / "p0" / "w.held").rename(written.root / "walks" / "p0" / "bad.held")
    with pytest.raises(ValueError, match="walks of 'p1' alone"):
        WalkFolder(written.root / "walks", WalkFormat(skip_bad=True))


def test_names_in_a_file_are_no_paths(written):
    path = written(
        "all.held", of(0, 0, person="../x", walk="a/b"), of(1, 0, person="y\n", walk="c"), of(2, 0, person="z")
    )
    assert names(WalkFolder(path).walks) == ["_x/a_b", "y_/c", "z/all"]


def test_a_file_that_names_somebody_else_than_its_folder(written):
    for name, told in (("p1/1.held", "Bob"), ("p2/1.held", "P_2"), ("p3/1.held", "7")):
        written(name, of(int(name[1]) - 1, 0, person=told))
    folder = WalkFolder(written.root)
    assert folder.persons == ("p1", "p2", "p3")
    assert [told for told in folder.warnings if "the file says" in told] == [
        "the file says that Bob walks, its folder says p1 (p1/1)"
    ]
