"""An embedding that goes along with a walk is that of the walk."""

import numpy as np
import pytest

import agegait
from agegait.models import RunningEmbedding

WALK = np.random.default_rng(0).normal(size=(150, 20, 3)).astype("float32")


def made(**options):
    embedder = agegait.GaitEmbedder(**{"embedding_size": 6, "units": 8, "segment": 16, **options})
    embedder.adapt([WALK])
    random = np.random.default_rng(1)
    # Biases and statistics as a training leaves them: of zeros alone, what lies beyond an end could not be seen.
    embedder.set_weights([np.abs(random.normal(weight, 0.1)) for weight in embedder.get_weights()])
    return embedder


@pytest.fixture(scope="module")
def embedder():
    embedder = made()
    embedder.run_eagerly = True  # what goes along is compiled; what it is compared with need not be, for each length
    return embedder


@pytest.fixture(scope="module")
def compiled(embedder):
    return RunningEmbedding(embedder)


@pytest.fixture
def running(compiled):
    """One of a walk of its own, by graphs that other tests have compiled."""
    return compiled.another()


@pytest.mark.parametrize(
    "pushes",
    [[1] * 26, [3, 100, 1, 0, 46], *(pytest.param(n, marks=pytest.mark.slow) for n in ([150], [7] * 20, [8] * 4))],
)
def test_it_is_the_embedding_of_the_frames_so_far(embedder, running, pushes):
    for frames in pushes:
        running.push(WALK[running.frames : running.frames + frames])
        found = running.embedding()
        np.testing.assert_allclose(found, embedder.embed(WALK[: running.frames])[0], atol=1e-5)
    assert running.frames == sum(pushes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"features": ("coordinates",), "dilations": ()},  # no frame is looked at again
        {"dilations": (1, 8), "kernel_size": 5, "segment": 6},
        {"features": ("coordinates", "ages"), "encoder": agegait.GaitEncoder(units=4)},
        {"features": ("ages", "velocities"), "encoder": agegait.GaitEncoder(frames=7, units=4), "segment": 10},
    ],
)
def test_it_is_so_for_other_networks(options):
    embedder = made(**options)
    running = RunningEmbedding(embedder)
    for frames in [1] * 30 + [20, 5, 40]:
        running.push(WALK[running.frames : running.frames + frames])
        found = running.embedding()
        np.testing.assert_allclose(found, embedder.embed(WALK[: running.frames])[0], atol=1e-5)


@pytest.mark.parametrize("frame_rate", [15, 60, 31])
def test_frames_of_another_rate_are_resampled_as_a_whole_walk_is(eagerly, embedder, frame_rate):
    running = RunningEmbedding(embedder, frame_rate=frame_rate)
    for frames in np.array_split(WALK[:90], 4):
        running.push(frames)
    assert running.frames == 90
    np.testing.assert_allclose(running.embedding(), embedder.embed(WALK[:90], frame_rate=frame_rate)[0], atol=1e-5)
    other = running.another()
    other.push(WALK[:40])
    np.testing.assert_allclose(other.embedding(), embedder.embed(WALK[:40], frame_rate=frame_rate)[0], atol=1e-5)


def test_a_rate_that_is_none_is_refused(embedder):
    with pytest.raises(ValueError, match="frame_rate: expected a positive number of frames a second, received 0"):
        RunningEmbedding(embedder, frame_rate=0)


def test_another_begins_anew_and_leaves_the_first_alone(embedder, running):
    running.push(WALK[:50])
    other = running.another()
    assert other.frames == 0
    other.push(WALK[60:100])
    running.push(WALK[50:70])
    np.testing.assert_allclose(other.embedding(), embedder.embed(WALK[60:100])[0], atol=1e-5)
    np.testing.assert_allclose(running.embedding(), embedder.embed(WALK[:70])[0], atol=1e-5)


def test_it_keeps_no_more_frames_than_it_has_to(running):
    looked_at = 0
    for frame in WALK:
        before = len(running._skeletons)
        running.push(frame[None])
        looked_at = max(looked_at, before + 1)
    assert looked_at <= 8 + 7 + 8 + 1  # half a segment, what is seen ahead of it and behind it


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (WALK[0], r"frames: expected \[T, 20, 3\], received \[20, 3\]"),
        (WALK[:, :5], r"frames: expected \[T, 20, 3\], received \[150, 5, 3\]"),
        (WALK * np.nan, "frames: expected finite coordinates"),
    ],
)
def test_what_is_no_frames_is_refused_and_changes_nothing(embedder, running, frames, words):
    running.push(WALK[:30])
    with pytest.raises(ValueError, match=words):
        running.push(frames)
    np.testing.assert_allclose(running.embedding(), embedder.embed(WALK[:30])[0], atol=1e-5)


def test_refusals(running):
    with pytest.raises(ValueError, match="frames: expected at least one before an embedding"):
        running.embedding()
    with pytest.raises(ValueError, match="embedder: expected one with segments"):
        RunningEmbedding(made(segment=None))
    with pytest.raises(ValueError, match="embedder: expected a trained one"):
        RunningEmbedding(agegait.GaitEmbedder())
