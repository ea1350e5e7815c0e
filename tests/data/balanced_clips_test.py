from collections import Counter

import numpy as np
import pytest

from agegait.data import BalancedClips
from agegait.skeletons import STANDING, mirrored


def numbered(walk, frames, joints=4):
    """A walk whose every coordinate says which walk and frame it is of."""
    frame = np.arange(frames, dtype="float32")[:, None, None]
    return np.broadcast_to(1000 * walk + frame, (frames, joints, 3)).astype("float32")


LABELS = np.array([5, 5, 5, 8, 8, 2, 9, 9])
WALKS = [numbered(number, 20 + number) for number in range(len(LABELS))]
PLAIN = {"mirror": False, "jitter": 0.0}


def sources(clips, index):
    """Walk, first frame and length of each clip of a batch, and its label."""
    inputs, labels = clips[index]
    found = []
    for skeleton, length, label in zip(inputs["skeleton"], inputs["length"], labels, strict=True):
        walk, start = divmod(int(skeleton[0, 0, 0]), 1000)
        np.testing.assert_array_equal(skeleton[:length], WALKS[walk][start : start + length])
        assert not skeleton[length:].any()
        found.append((walk, start, int(length), int(label)))
    return found


def test_batches_hold_as_many_clips_of_each_label():
    clips = BalancedClips(WALKS, LABELS, labels_per_batch=3, clips_per_label=2, frames=(4, 9), batches=30, **PLAIN)
    assert len(clips) == 30
    lengths, labels = set(), Counter()
    for index in range(30):
        found = sources(clips, index)
        counts = Counter(label for *_, label in found)
        assert sorted(counts.values()) == [2, 2, 2]
        labels.update(counts.keys())
        for walk, _, length, label in found:
            assert LABELS[walk] == label
            lengths.add(length)
        for label in counts.keys() - {2}:  # of those with two walks or more: two walks
            assert len({walk for walk, *_, own in found if own == label}) == 2
    assert lengths == set(range(4, 10))
    assert set(labels) == {2, 5, 8, 9}


def test_labels_take_turns():
    clips = BalancedClips(WALKS, LABELS, labels_per_batch=2, clips_per_label=1, frames=(4, 4), batches=3, **PLAIN)
    drawn = []
    for _ in range(2):
        drawn += [set(clips[index][1].tolist()) for index in range(3)]
        clips.on_epoch_end()
    for first, second in zip(drawn[::2], drawn[1::2], strict=True):
        assert first | second == {2, 5, 8, 9}


def test_a_label_with_fewer_walks_than_clips_gives_each_as_often():
    clips = BalancedClips(WALKS, LABELS, labels_per_batch=4, clips_per_label=4, frames=(4, 4), batches=1, **PLAIN)
    counts = Counter(walk for walk, *_ in sources(clips, 0))
    assert counts[5] == 4
    assert counts[3] == counts[4] == counts[6] == counts[7] == 2
    assert sorted(counts[walk] for walk in (0, 1, 2)) == [1, 1, 2]


def test_walks_shorter_than_a_clip_come_whole():
    clips = BalancedClips(WALKS, LABELS, labels_per_batch=4, frames=(50, 60), batches=1, **PLAIN)
    inputs, _ = clips[0]
    assert inputs["skeleton"].shape == (8, 60, 4, 3)
    assert all(start == 0 and length == len(WALKS[walk]) for walk, start, length, _ in sources(clips, 0))


def test_what_is_drawn_depends_on_seed_epoch_and_batch_alone():
    def drawn(seed, epochs, order):
        clips = BalancedClips(WALKS, LABELS, labels_per_batch=2, frames=(4, 9), batches=4, mirror=False, seed=seed)
        for _ in range(epochs):
            clips.on_epoch_end()
        return {index: clips[index][0]["skeleton"] for index in order}

    one, other = drawn(0, 1, [0, 1, 2, 3]), drawn(0, 1, [3, 0, 2, 1])
    for index in range(4):
        np.testing.assert_array_equal(one[index], other[index])
    for another in (drawn(1, 1, [0])[0], drawn(0, 0, [0])[0], one[1]):
        assert not np.array_equal(one[0], another)


def test_half_are_mirror_images_and_all_are_jittered():
    body = STANDING.astype("float32") + np.float32([0.3, 0, 0])
    walk = np.broadcast_to(body, (30, 20, 3))
    clips = BalancedClips([walk, walk], [0, 1], 2, 50, (5, 5), batches=1, jitter=0.01)
    skeletons = clips[0][0]["skeleton"]
    turned = np.abs(skeletons - mirrored(body)).max(axis=(1, 2, 3)) < 0.1
    as_it_is = np.abs(skeletons - body).max(axis=(1, 2, 3)) < 0.1
    assert (turned ^ as_it_is).all()
    assert 30 < turned.sum() < 70
    noise = skeletons[as_it_is] - body
    assert np.std(noise) == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": LABELS[1:]}, "labels: expected 8 integers, one for each walk, received int64 of shape"),
        ({"labels": LABELS.astype(float)}, "labels: expected 8 integers, one for each walk, received float64"),
        ({"frames": (5, 4)}, r"frames: expected the least, from 1, and the most, received \(5, 4\)"),
        ({"frames": (0, 4)}, r"frames: expected the least, from 1, and the most, received \(0, 4\)"),
        ({"batches": 0}, "labels_per_batch, clips_per_label, batches: expected at least 1, received 32, 2 and 0"),
        ({"mirror": True}, "mirror: expected 20 canonical joints, received 4"),
        (
            {"walks": [*WALKS[:7], WALKS[7][:0]]},
            "walks: expected at least one walk, and frames in each, received fewer",
        ),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        BalancedClips(**{"walks": WALKS, "labels": LABELS, "mirror": False, **options})
