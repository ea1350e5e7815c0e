import dataclasses

import numpy as np
import pytest

from agegait.data import Walks
from agegait.evaluation import protocols
from agegait.evaluation.protocols.window_retrieval import divide_walks


@pytest.fixture
def walks():
    """Two walks or more of each of ten people; each frame carries a place of its person."""
    random = np.random.default_rng(0)
    persons = np.repeat([f"p{number}" for number in range(10)], [5, 4, 3, 2, 5, 5, 4, 3, 4, 5])
    places = {person: random.normal(size=(2, 3)) for person in np.unique(persons)}
    skeletons = [
        places[person] + 2.5 * random.normal(size=(20 + number % 9, 2, 3)) for number, person in enumerate(persons)
    ]
    return Walks(skeletons, persons, np.array([f"w{number}" for number in range(len(persons))]))


def by_means(windows):
    windows = np.stack(windows)
    return windows.mean(axis=1).reshape(len(windows), -1)


def plain(walks, probes, gallery, frames):
    """Rank-1 and mAP by loops."""

    def cut(rows):
        for row in rows:
            walk = walks.skeletons[row]
            for start in range(0, len(walk) - frames + 1, frames):
                yield walk[start : start + frames].mean(axis=0).ravel(), walks.persons[row]

    entries = list(cut(gallery))
    first, precisions = [], []
    for probe, person in cut(probes):
        hits = [owner == person for _, owner in sorted(entries, key=lambda entry: np.linalg.norm(entry[0] - probe))]
        first.append(hits[0])
        precisions.append(np.mean([sum(hits[: rank + 1]) / (rank + 1) for rank, hit in enumerate(hits) if hit]))
    return np.mean(first), np.mean(precisions), len(first), len(entries)


@pytest.mark.parametrize("people", ["closed", "open"])
def test_against_plain_loops_and_nobody_learns_from_what_is_tested(walks, people):
    seen = []

    def learn(training, validation):
        seen.extend([training, validation])
        return by_means

    found = protocols.window_retrieval(walks, learn, people)
    training, validation = seen
    tested = (
        walks
        if people == "closed"
        else walks.take(np.flatnonzero(~np.isin(walks.names, [*training.names, *validation.names])))
    )
    _, gallery, probes = divide_walks(tested, training=people == "closed")
    rank_1, precision, samples, entries = plain(tested, probes, gallery, 6)
    assert 0.1 < found.rank[1] < 1
    assert (found.samples, found.gallery, found.people) == (samples, entries, people)
    assert found.rank[1] == pytest.approx(rank_1)
    assert found.mean_average_precision == pytest.approx(precision)
    if people == "closed":
        assert not set(training.names) & {*tested.names[gallery], *tested.names[probes]}
        assert set(training.persons) == set(tested.persons[probes])
        assert not len(validation.names)
    else:
        assert not set(tested.persons) & {*training.persons, *validation.persons}
        assert len(set(tested.persons)) == 4


def test_a_probe_and_two_gallery_walks_of_each_person_but_of_who_has_three(walks):
    rest, gallery, probes = divide_walks(walks, training=True)
    counts = {
        person: tuple(int(np.sum(walks.persons[rows] == person)) for rows in (rest, gallery, probes))
        for person in np.unique(walks.persons)
    }
    assert counts["p0"] == (2, 2, 1)
    assert counts["p1"] == (1, 2, 1)
    assert counts["p2"] == (1, 1, 1)
    assert counts["p3"] == (0, 0, 0)  # two walks: none would be left to learn from
    assert len({*rest, *gallery, *probes}) == len(rest) + len(gallery) + len(probes)
    assert divide_walks(walks, training=True, seed=1)[2].tolist() != probes.tolist()
    _, gallery, probes = divide_walks(walks, training=False)
    assert "p3" in walks.persons[gallery]


def test_says_what_it_cannot_do(walks):
    with pytest.raises(ValueError, match="people: expected one of closed, open, received 'all'"):
        protocols.window_retrieval(walks, lambda *_: by_means, "all")
    with pytest.raises(ValueError, match="walks: expected at least two people with 3 walks, received 1"):
        protocols.window_retrieval(walks.of_persons(["p0", "p3"]), lambda *_: by_means)
    with pytest.raises(ValueError, match="walks: expected walks of at least 99 frames, found none"):
        protocols.window_retrieval(walks, lambda *_: by_means, frames=99)
    with pytest.raises(ValueError, match=r"learn: expected .* finite embeddings"):
        protocols.window_retrieval(walks, lambda *_: lambda windows: np.full((len(windows), 2), np.nan))


def test_is_a_retrieval_with_its_own_name(walks):
    found = dataclasses.asdict(protocols.window_retrieval(walks, lambda *_: by_means))
    assert {"rank", "mean_average_precision", "cmc", "people", "frames"} <= set(found)
    assert protocols.PROTOCOLS["window retrieval"] is protocols.WindowRetrieval
