"""Who is who, on made-up paths: people cross, swap places in the list, vanish and come back."""

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from support.budget import examples
from support.made_poses import made_pose

from agegait.recordings.video.pose_tracking import PATIENCE, PoseTracker

HZ = 30


def follow(frames, times=None):
    """The people of each track, from frames of (person, pose), listed in any order."""
    tracker, tracks = PoseTracker(), {}
    for number, frame in enumerate(frames):
        seconds = number / HZ if times is None else times[number]
        for (person, _), track in zip(frame, tracker.update(seconds, [pose for _, pose in frame]), strict=True):
            if track is not None:
                tracks.setdefault(track, []).append((number, person))
    return tracks


def people(tracks):
    return [sorted({person for _, person in seen}) for seen in tracks.values()]


def walk(person, start, speed, frames=60, depth=4.0, size=1.0, noise=0.01):
    return [
        (person, made_pose(start + speed * frame / HZ, depth, size, 0.2 * frame + person, noise, 1000 * person + frame))
        for frame in range(frames)
    ]


@settings(max_examples=examples(20))
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_poses_are_listed_does_not_matter(random):
    frames = [list(frame) for frame in zip(walk(0, -2, 1), walk(1, 0.5, 0.3), walk(2, 2, -0.2), strict=True)]
    for frame in frames:
        random.shuffle(frame)
    tracks = follow(frames)
    assert people(tracks) == [[tracks[track][0][1]] for track in tracks]
    assert sorted(len(seen) for seen in tracks.values()) == [60, 60, 60]


@settings(max_examples=examples(100), deadline=None)
@given(
    speeds=st.tuples(st.floats(0.3, 2), st.floats(0.3, 2)),
    depths=st.tuples(st.floats(2, 6), st.floats(2, 6)),
    sizes=st.tuples(st.floats(0.85, 1.1), st.floats(0.85, 1.1)),
    hidden=st.floats(0, 0.6),
    lost=st.floats(0, 0.2),
    same_way=st.booleans(),
    seed=st.integers(0, 1 << 16),
)
def test_no_track_ever_has_two_people(speeds, depths, sizes, hidden, lost, same_way, seed):
    """They meet in the middle; who is behind is not seen while the other hides them.

    Tracks of a few pictures are left out, as videos leave them out.
    """
    random = np.random.default_rng(seed)
    first = walk(0, -speeds[0], speeds[0], 60, depths[0], sizes[0], 0.02)
    way = 1 if same_way else -1
    second = walk(1, -way * speeds[1], way * speeds[1], 60, depths[1], sizes[1], 0.02)
    behind = int(np.argmax(depths))
    frames = []
    for both in zip(first, second, strict=True):
        apart = abs(both[0][1].center[0] - both[1][1].center[0]) / both[0][1].scale
        assume(frames or apart > 0.8)
        seen = [one for one in both if not (apart < hidden and one[0] == behind) and random.random() >= lost]
        random.shuffle(seen)
        frames.append(seen)
    for track, seen in follow(frames).items():
        assert len(seen) < 10 or len({person for _, person in seen}) == 1, (track, seen)


def test_people_who_cross_are_somebody_new_after_it():
    frames = list(zip(walk(0, -1.5, 1, 90), walk(1, 1.5, -1, 90), strict=True))
    tracks = {track: seen for track, seen in follow(frames).items() if len(seen) > 10}
    assert people(tracks) == [[0], [1], [0], [1]] or people(tracks) == [[0], [1], [1], [0]]
    assert [seen[0][0] for seen in tracks.values()][:2] == [0, 0]
    assert all(45 + PATIENCE * HZ < seen[0][0] < 75 for seen in list(tracks.values())[2:])


def test_people_who_cross_at_other_distances_stay_themselves():
    frames = list(zip(walk(0, -1, 1, depth=2.5), walk(1, 2, -2, depth=5.0), strict=True))
    assert people(follow(frames)) == [[0], [1]]


@pytest.mark.parametrize(("seconds", "count"), [(PATIENCE - 0.1, 1), (PATIENCE + 0.1, 2)])
def test_who_is_not_seen_is_kept_for_a_while(seconds, count):
    frames = [[one] for one in walk(0, -1, 1)]
    for frame in range(20, 20 + round(seconds * HZ)):
        frames[frame] = []
    assert len(follow(frames)) == count


def test_times_need_not_be_even():
    steps = np.random.default_rng(0).choice([0.02, 0.033, 0.1], 59)
    times = np.concatenate([[0], np.cumsum(steps)])
    frames = [[(0, made_pose(-1 + 1.5 * time))] for time in times]
    assert [len(seen) for seen in follow(frames, times).values()] == [60]


def test_a_person_estimated_twice_is_one():
    frames = [[one, (0, made_pose(-0.95 + frame / HZ, seed=9))] for frame, one in enumerate(walk(0, -1, 1))]
    assert follow(frames) == {}, "of pictures with doubles neither is taken"
    frames = [both if frame % 10 == 5 else both[:1] for frame, both in enumerate(frames)]
    assert [len(seen) for seen in follow(frames).values()] == [54]


def test_who_steps_from_behind_another_ends_the_others_track():
    frames = [[one] for one in walk(0, -1, 0.3)]
    for frame, behind in enumerate(walk(1, -1.06, -0.6)[:40]):
        frames[20 + frame].append(behind)
    tracks = follow(frames)
    assert all(len(one) == 1 for one in people(tracks))
    assert sorted(people(tracks)) == [[0], [0], [1]]


def test_a_pose_of_another_shape_is_not_taken_for_somebody():
    frames = [[one] for one in walk(0, -1, 1)]
    frames[30] = [("wrong", made_pose(0, size=0.5))]
    tracks = follow(frames)
    assert people(tracks) == [[0], ["wrong"]]
    assert len(tracks[1]) == 59
