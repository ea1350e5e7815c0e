from collections import Counter

import hypothesis
import hypothesis.strategies as st
import pytest

from agegait.data.folder.drawn_split import draw_split, kept_split
from tfds_builders.kgbd import split as kgbd


def walks(*counts):
    return {f"p{person}": [f"p{person}/{walk}" for walk in range(count)] for person, count in enumerate(counts)}


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, {"train": 1}),
        (2, {"train": 1, "test": 1}),
        (3, {"train": 1, "validation": 1, "test": 1}),
        (6, {"train": 4, "validation": 1, "test": 1}),
    ],
)
def test_how_many_walks_go_where(count, expected):
    for seed in range(5):
        assert Counter(draw_split(walks(count), seed=seed).values()) == expected


def test_identical_walks_are_one_recording_and_trained_on():
    own = walks(3, 3, 4)
    split = draw_split(own, [["p0/0", "p0/1"], ["p1/0", "p1/1", "p1/2"], ["p2/0", "p2/3"]])
    assert [split[walk] for walk in own["p0"]] == ["train", "train", "test"]
    assert [split[walk] for walk in own["p1"]] == ["train"] * 3
    assert sorted(split[walk] for walk in own["p2"]) == ["test", "train", "train", "validation"]


@hypothesis.given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(0, 99))
def test_nobody_is_without_training_and_others_have_no_say(counts, seed):
    own = walks(*counts)
    split = draw_split(own, seed=seed)
    assert list(split) == [walk for of_person in own.values() for walk in of_person]
    for person, of_person in own.items():
        assert "train" in {split[walk] for walk in of_person}
        alone = draw_split({person: of_person[::-1]}, seed=seed)
        assert alone == {walk: split[walk] for walk in of_person}


@hypothesis.given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 99))
def test_added_walks_turn_no_training_walk_into_another(count, added, seed):
    own = walks(count + added)
    before = draw_split({"p0": own["p0"][:count]}, seed=seed)
    after = draw_split(own, seed=seed)
    if count >= 3:
        assert {walk for walk in before if before[walk] == "train"} <= {
            walk for walk in after if after[walk] == "train"
        }


def test_an_earlier_split_is_kept():
    known = {"anna/1": "train", "anna/2": "validation", "gone": "train"}
    assert kept_split(["anna/0", "anna/1", "anna/2"], known) == {
        "anna/0": "test",
        "anna/1": "train",
        "anna/2": "validation",
    }


def test_kgbd_is_split_by_the_same_rule():
    written = kgbd.read()
    own = {person: [walk for walk in written if walk.split("/")[0] == person] for person in kgbd.read_persons()}
    assert draw_split(own, [kgbd.IDENTICAL], kgbd.SEED, validated=0.25) == written
