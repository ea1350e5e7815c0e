import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.metrics import auc, average_precision_score, roc_curve, top_k_accuracy_score

from agegait import metrics

GOLDEN = Path(__file__).parents[1] / "golden" / "rn_ap.npz"

RETRIEVAL = (
    metrics.retrieval_rank_k,
    metrics.retrieval_cmc,
    metrics.mean_average_precision,
    metrics.mean_inverse_negative_penalty,
)
RECOGNITION = (metrics.rank_k, metrics.cmc, metrics.nauc_cmc, metrics.nauc_roc)


# Three people; the right one comes first, second, third and first.
SCORES = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
LABELS = np.array([0, 1, 2, 2])

# ann's entries are the 1st and 4th nearest, ben's the 2nd and 3rd of the second probe.
DISTANCES = np.array([[1.0, 4.0, 2.0, 3.0], [1.0, 4.0, 2.0, 3.0]])
PROBES, GALLERY = ["ann", "ben"], ["ann", "ann", "ben", "ben"]


def test_recognition_by_hand():
    assert metrics.cmc(SCORES, LABELS).tolist() == [0.5, 0.75, 1.0]
    assert [metrics.rank_k(SCORES, LABELS, k) for k in (1, 2, 3)] == [0.5, 0.75, 1.0]
    assert metrics.rank_k(SCORES, LABELS) == 0.5
    assert metrics.nauc_cmc(SCORES, LABELS) == 0.75


def test_roc_by_hand():
    # Right 0.9 and 0.4, wrong 0.1 and 0.6: of four pairs only 0.4 against 0.6 is lost.
    assert metrics.nauc_roc([[0.9, 0.1], [0.6, 0.4]], [0, 1]) == 0.75
    # Both samples rank the right person first, yet the second one's scores lie below the first one's.
    assert metrics.nauc_roc([[9.0, 8.0], [1.0, 2.0]], [0, 1]) == 0.75


def test_retrieval_by_hand():
    assert metrics.retrieval_cmc(DISTANCES, PROBES, GALLERY).tolist() == [0.5, 1.0, 1.0, 1.0]
    assert metrics.retrieval_rank_k(DISTANCES, PROBES, GALLERY) == 0.5
    assert metrics.retrieval_rank_k(DISTANCES, PROBES, GALLERY, k=2) == 1.0
    # ann: (1/1 + 2/4) / 2, ben: (1/2 + 2/3) / 2
    assert metrics.mean_average_precision(DISTANCES, PROBES, GALLERY) == pytest.approx((3 / 4 + 7 / 12) / 2)
    # ann's last entry is 4th of her 2, ben's 3rd of his 2
    assert metrics.mean_inverse_negative_penalty(DISTANCES, PROBES, GALLERY) == pytest.approx((2 / 4 + 2 / 3) / 2)


def test_search_by_hand():
    found = metrics.search(DISTANCES, PROBES, GALLERY)
    assert found.first.tolist() == [1, 2]
    assert found.average_precision.tolist() == pytest.approx([3 / 4, 7 / 12])
    assert found.inverse_negative_penalty.tolist() == pytest.approx([2 / 4, 2 / 3])


def test_verification_by_hand():
    # From the highest threshold down: a genuine claim, an impostor, a genuine claim, two impostors.
    scores, genuine = [0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, False, False]
    curve = metrics.roc(scores, genuine)
    assert curve.threshold.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert curve.true_accept_rate.tolist() == [0, 0.5, 0.5, 1, 1, 1]
    assert curve.false_accept_rate.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    # Between (1/3, 1/2) and (1/3, 1) the curve meets the line on which false accepts are false refusals.
    assert metrics.equal_error(scores, genuine).rate == pytest.approx(1 / 3)
    rates = (0, 0.33, 1 / 3, 0.5, 1)
    assert [metrics.true_accept_rate(scores, genuine, rate) for rate in rates] == [0.5, 0.5, 1, 1, 1]


def test_equal_error_by_hand():
    assert metrics.equal_error([3, 4, 1, 2], [True, True, False, False]) == (0, 3)
    assert metrics.equal_error([1, 2, 3, 4], [True, True, False, False]).rate == 1
    assert metrics.equal_error(np.zeros(10), np.arange(10) < 3).rate == 0.5
    # One of four genuine claims is refused at 2, and one of four impostors let pass.
    assert metrics.equal_error([1, 5, 6, 7, 0, 0.5, 0.6, 2], np.arange(8) < 4) == (0.25, 2)
    # False accepts jump from 0 to 1/2 at 2, refusals from 1 to 0: the line between meets the balance at 1/3.
    assert metrics.equal_error([2, 2, 1], [True, False, False]).rate == pytest.approx(1 / 3)


def test_acceptance_threshold_by_hand():
    impostors = [0.1, 0.2, 0.2, 0.4]
    for rate, passing in ((0, 0), (0.24, 0), (0.25, 1), (0.5, 1), (0.74, 1), (0.75, 3), (1, 4)):
        threshold = metrics.acceptance_threshold(impostors, rate)
        assert sum(score >= threshold for score in impostors) == passing, rate
    assert metrics.acceptance_threshold(impostors, 0.25) == np.nextafter(0.2, 1)
    assert metrics.acceptance_threshold(range(100), 0.29) == np.nextafter(70, 71)


def test_detection_and_identification_by_hand():
    # Named rightly, wrongly, rightly but too low, and not at all since two score the same.
    scores, labels = [[0.9, 0.1], [0.9, 0.8], [0.1, 0.4], [0.7, 0.7]], [0, 1, 1, 0]
    assert metrics.detection_identification_rate(scores, labels, 0.5) == 0.25
    assert metrics.detection_identification_rate(scores, labels, 0.4) == 0.5
    assert metrics.detection_identification_rate(scores, labels, -np.inf) == metrics.rank_k(scores, labels) == 0.5
    assert metrics.detection_identification_rate(scores, labels, 1.0) == 0


def test_the_same_score_for_everybody_is_no_success():
    scores, labels = np.zeros((5, 4)), [0, 1, 2, 3, 0]
    assert metrics.cmc(scores, labels).tolist() == [0, 0, 0, 1]
    assert metrics.nauc_roc(scores, labels) == 0.5
    distances, people = np.zeros((2, 4)), [0, 1]
    assert metrics.retrieval_cmc(distances, people, [0, 0, 1, 1]).tolist() == [0, 0, 1, 1]
    assert metrics.mean_average_precision(distances, people, [0, 0, 1, 1]) == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert metrics.mean_inverse_negative_penalty(distances, people, [0, 0, 1, 1]) == 0.5


def test_one_of_everything():
    assert metrics.cmc([[3.0]], [0]).tolist() == [1.0]
    assert metrics.retrieval_cmc([[3.0]], [7], [7]).tolist() == [1.0]
    assert metrics.mean_average_precision([[3.0]], [7], [7]) == 1.0


def test_a_probe_whose_person_is_not_in_the_gallery():
    distances, probes, gallery = [[1.0, 2.0], [1.0, 2.0]], ["ann", "zoe"], ["ann", "ben"]
    for function in RETRIEVAL:
        with pytest.raises(ValueError, match=r"probe_persons.*1 of 2 are not, the first 'zoe' at index 1"):
            function(distances, probes, gallery)
        with pytest.raises(ValueError, match="probe_persons must have somebody"):
            function(distances, ["yan", "zoe"], gallery, absent="exclude")
        with pytest.raises(ValueError, match="absent must be 'error' or 'exclude'; received 'skip'"):
            function(distances, probes, gallery, absent="skip")
    assert metrics.retrieval_rank_k(distances, probes, gallery, absent="exclude") == 1.0
    assert metrics.mean_average_precision(distances, probes, gallery, absent="exclude") == 1.0


@pytest.mark.parametrize("name", ["open_set", "recognition", "retrieval", "verification"])
def test_the_examples_in_the_docstrings(name):
    outcome = doctest.testmod(importlib.import_module(f"agegait.metrics.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_published_graph_golden():
    """From the published graph's recognition network and evaluation (TensorFlow 1.10, scikit-learn)."""
    with np.load(GOLDEN) as golden:
        scores, labels = golden["seq_pred"], golden["seq_y"]
        assert metrics.rank_k(scores, labels) == pytest.approx(float(golden["rank1"]), abs=1e-9)
        assert metrics.nauc_roc(scores, labels) == pytest.approx(float(golden["nauc"]), abs=1e-9)


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(200, 12)).astype(np.float32), rng.integers(12, size=200)
    for k in (1, 5, 11):
        expected = top_k_accuracy_score(labels, scores, k=k, labels=range(12))
        assert metrics.rank_k(scores, labels, k) == pytest.approx(expected, abs=1e-12)
    false_positive, true_positive, _ = roc_curve(np.eye(12)[labels].ravel(), scores.ravel())
    assert metrics.nauc_roc(scores, labels) == pytest.approx(auc(false_positive, true_positive), abs=1e-12)

    distances, probes, gallery = rng.random((30, 50)), rng.integers(6, size=30), rng.integers(6, size=50)
    expected = np.mean([average_precision_score(gallery == p, -row) for p, row in zip(probes, distances, strict=True)])
    assert metrics.mean_average_precision(distances, probes, gallery) == pytest.approx(expected, abs=1e-12)


@st.composite
def claims(draw):
    """Few distinct scores, so that ties are common; both kinds of claims."""
    genuine = draw(st.lists(st.booleans(), min_size=2, max_size=12).filter(lambda kinds: any(kinds) and not all(kinds)))
    scores = st.lists(st.integers(-3, 3), min_size=len(genuine), max_size=len(genuine))
    return np.array(draw(scores)), np.array(genuine)


@given(claims(), st.floats(0, 1))
@settings(deadline=None)
def test_verification_agrees_with_the_naive_oracle(case, rate):
    scores, genuine = case
    thresholds = [np.inf, *sorted(set(scores.tolist()), reverse=True)]
    points = [[np.mean(scores[kind] >= threshold) for kind in (~genuine, genuine)] for threshold in thresholds]
    curve = metrics.roc(scores, genuine)
    np.testing.assert_allclose(np.transpose(points), curve[:2], rtol=1e-12)
    assert curve.threshold.tolist() == thresholds

    allowed = int(rate * (~genuine).sum() + 1e-9)
    kept = [true for false, true in points if round(false * (~genuine).sum()) <= allowed]
    assert metrics.true_accept_rate(scores, genuine, rate) == pytest.approx(max(kept))
    threshold = metrics.acceptance_threshold(scores[~genuine], rate)
    assert (scores[~genuine] >= threshold).sum() <= allowed
    if np.isfinite(threshold):
        assert (scores[~genuine] >= np.nextafter(threshold, -np.inf)).sum() > allowed

    false, true = np.transpose(points)
    along = np.linspace(0, len(points) - 1, 2001)  # the curve's points joined by lines, walked along
    walked = [np.interp(along, range(len(points)), rates) for rates in (false, true)]
    nearest = np.argmin(np.abs(walked[0] - (1 - walked[1])))
    assert metrics.equal_error(scores, genuine).rate == pytest.approx(walked[0][nearest], abs=0.01)
    at = metrics.equal_error(scores, genuine).threshold
    gaps = [abs(one - (1 - other)) for one, other in points[1:]]
    assert gaps[thresholds.index(at) - 1] == pytest.approx(min(gaps))


@given(claims())
@settings(deadline=None)
def test_verification_does_not_depend_on_order_or_scale(case):
    scores, genuine = case
    other = scores[::-1] * 0.5 + 7, genuine[::-1]
    assert metrics.equal_error(*other).rate == pytest.approx(metrics.equal_error(scores, genuine).rate)
    assert metrics.true_accept_rate(*other, 0.3) == metrics.true_accept_rate(scores, genuine, 0.3)
    # Who is taken for whom turned round: what was refused is let pass.
    turned = metrics.equal_error(-scores, ~genuine).rate
    assert turned == pytest.approx(metrics.equal_error(scores, genuine).rate)


def naive_rank(scores, label):
    """The label's place when its owner is the last among equals to be called."""
    return sorted(range(len(scores)), key=lambda person: (-scores[person], person == label)).index(label) + 1


def naive_retrieval(row, person, gallery):
    """Rank of the first match, average precision and inverse negative penalty, by walking down the list."""
    found, precisions, ranks = 0, [], []
    for rank, entry in enumerate(sorted(range(len(row)), key=lambda g: (row[g], gallery[g] == person)), start=1):
        if gallery[entry] == person:
            found += 1
            precisions.append(found / rank)
            ranks.append(rank)
    return ranks[0], sum(precisions) / found, found / ranks[-1]


@st.composite
def recognitions(draw):
    """Few distinct values, so that ties are common."""
    samples, people = draw(st.integers(1, 6)), draw(st.integers(2, 5))
    row = st.lists(st.integers(-2, 2), min_size=people, max_size=people)
    scores = draw(st.lists(row, min_size=samples, max_size=samples))
    return np.array(scores), np.array(draw(st.lists(st.integers(0, people - 1), min_size=samples, max_size=samples)))


@st.composite
def retrievals(draw):
    gallery = draw(st.lists(st.integers(0, 3), min_size=1, max_size=7))
    probes = draw(st.lists(st.sampled_from(gallery), min_size=1, max_size=5))
    row = st.lists(st.integers(0, 4), min_size=len(gallery), max_size=len(gallery))
    return np.array(draw(st.lists(row, min_size=len(probes), max_size=len(probes)))), probes, gallery


@given(recognitions())
@settings(deadline=None)
def test_recognition_agrees_with_the_naive_oracle(case):
    scores, labels = case
    ranks = [naive_rank(row, label) for row, label in zip(scores, labels, strict=True)]
    curve = [sum(rank <= k for rank in ranks) / len(ranks) for k in range(1, scores.shape[1] + 1)]
    np.testing.assert_allclose(metrics.cmc(scores, labels), curve, rtol=1e-12)
    assert metrics.nauc_cmc(scores, labels) == pytest.approx(sum(curve) / len(curve))

    right = [row[label] for row, label in zip(scores, labels, strict=True)]
    wrong = [s for row, label in zip(scores, labels, strict=True) for person, s in enumerate(row) if person != label]
    won = sum((r > w) + (r == w) / 2 for r in right for w in wrong)
    assert metrics.nauc_roc(scores, labels) == pytest.approx(won / len(right) / len(wrong))


@given(retrievals())
@settings(deadline=None)
def test_retrieval_agrees_with_the_naive_oracle(case):
    distances, probes, gallery = case
    ranks, precisions, penalties = zip(
        *(naive_retrieval(row, person, gallery) for row, person in zip(distances, probes, strict=True)), strict=True
    )
    curve = [sum(rank <= k for rank in ranks) / len(ranks) for k in range(1, len(gallery) + 1)]
    np.testing.assert_allclose(metrics.retrieval_cmc(*case), curve, rtol=1e-12)
    assert metrics.mean_average_precision(*case) == pytest.approx(np.mean(precisions))
    assert metrics.mean_inverse_negative_penalty(*case) == pytest.approx(np.mean(penalties))


@given(recognitions(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_recognition_does_not_depend_on_order_or_scale(case, random):
    scores, labels = case
    people, samples = list(range(scores.shape[1])), list(range(len(labels)))
    random.shuffle(people)
    random.shuffle(samples)
    renamed = scores[samples][:, people] * 3.0 + 1.0, np.array([people.index(label) for label in labels[samples]])
    np.testing.assert_allclose(metrics.cmc(*renamed), metrics.cmc(scores, labels), rtol=1e-12)
    assert metrics.nauc_roc(*renamed) == pytest.approx(metrics.nauc_roc(scores, labels))


@given(retrievals(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_retrieval_does_not_depend_on_order_names_or_scale(case, random):
    distances, probes, gallery = case
    entries = list(range(len(gallery)))
    random.shuffle(entries)
    renamed = distances[:, entries] * 2.0, [f"p{p}" for p in probes], [f"p{gallery[g]}" for g in entries]
    for function in RETRIEVAL:
        np.testing.assert_allclose(function(*renamed), function(*case), rtol=1e-12)


@given(recognitions(), retrievals())
@settings(deadline=None)
def test_curves_rise_to_one(recognition, retrieval):
    for curve in (metrics.cmc(*recognition), metrics.retrieval_cmc(*retrieval)):
        assert (np.diff(curve) >= 0).all()
        assert curve[-1] == 1.0
    assert 0 < metrics.mean_inverse_negative_penalty(*retrieval) <= 1
    assert 0 < metrics.mean_average_precision(*retrieval) <= 1


def test_perfect_is_one():
    assert [f(np.eye(4), range(4)) for f in (metrics.rank_k, metrics.nauc_cmc, metrics.nauc_roc)] == [1.0, 1.0, 1.0]
    for function in RETRIEVAL:
        assert np.all(function(1 - np.eye(4), range(4), range(4)) == 1.0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_results_are_plain_whatever_the_dtype(dtype):
    scores = (SCORES * 10).astype(dtype)
    assert type(metrics.rank_k(scores, LABELS)) is type(metrics.nauc_cmc(scores, LABELS)) is float
    assert type(metrics.nauc_roc(scores, LABELS.tolist())) is float
    assert metrics.cmc(scores, LABELS.astype(np.uint8)).dtype == np.float64


@pytest.mark.parametrize("function", RECOGNITION)
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.1, 0.9], [0], r"scores must be \[B, N\].*received shape \(2,\)"),
        (np.zeros((0, 3)), [], r"scores must be .*at least one of each; received shape \(0, 3\)"),
        (np.zeros((2, 0)), [0, 0], r"scores must be .*received shape \(2, 0\)"),
        ([[0.1, 0.9], [0.1]], [0, 1], "scores must be .*received a ragged list"),
        ([["a", "b"]], [0], "scores must be real numbers.*received dtype <U1"),
        ([[1j, 0]], [0], "scores must be real numbers.*received dtype complex128"),
        ([[0.0, 1.0], [np.nan, 0.0]], [0, 1], r"scores must be finite; received nan at index \(1, 0\)"),
        ([[0.0, -np.inf]], [0], r"scores must be finite; received -inf at index \(0, 1\)"),
        ([[0.0, 1.0]], [0, 1], r"labels must have shape \(1,\), the rows of scores; received shape \(2,\)"),
        ([[0.0, 1.0]], [[0]], r"labels must have shape \(1,\).*received shape \(1, 1\)"),
        ([[0.0, 1.0]], [0.0], "labels must be integers.*received dtype float64"),
        ([[0.0, 1.0]], [True], "labels must be integers.*received dtype bool"),
        ([[0.0, 1.0]] * 2, [0, 2], r"labels must be in 0\.\.1.*received 2 at index 1"),
        ([[0.0, 1.0]], [-1], r"labels must be in 0\.\.1.*received -1 at index 0"),
    ],
)
def test_recognition_refuses(function, scores, labels, message):
    with pytest.raises(ValueError, match=message):
        function(scores, labels)


@pytest.mark.parametrize("function", RETRIEVAL)
@pytest.mark.parametrize(
    ("distances", "probes", "gallery", "message"),
    [
        ([1.0], [0], [0], r"distances must be \[P, G\].*received shape \(1,\)"),
        (np.zeros((1, 0)), [0], [], r"distances must be .*received shape \(1, 0\)"),
        ([[np.nan]], [0], [0], r"distances must be finite; received nan at index \(0, 0\)"),
        ([[np.inf]], [0], [0], r"distances must be finite; received inf at index \(0, 0\)"),
        ([[1.0]], [0, 0], [0], r"probe_persons must have shape \(1,\), the rows of distances; received shape \(2,\)"),
        ([[1.0]], [0], [0, 0], r"gallery_persons must have shape \(1,\), the columns of distances"),
        ([[1.0]], [0.5], [0], "probe_persons must be integers or strings; received dtype float64"),
        ([[1.0]], [0], [None], "gallery_persons must be integers or strings; received dtype object"),
        ([[1.0]], [0], ["0"], "probe_persons and gallery_persons must both be .*received dtypes int64 and <U1"),
    ],
)
def test_retrieval_refuses(function, distances, probes, gallery, message):
    with pytest.raises(ValueError, match=message):
        function(distances, probes, gallery)


VERIFICATION = (metrics.roc, metrics.equal_error, lambda *case: metrics.true_accept_rate(*case, 0.1))


@pytest.mark.parametrize("function", VERIFICATION)
@pytest.mark.parametrize(
    ("scores", "genuine", "message"),
    [
        ([[1.0, 2.0]], [True, False], r"scores must be a score each, at least one; received shape \(1, 2\)"),
        ([], [], r"scores must be a score each, at least one; received shape \(0,\)"),
        (["a", "b"], [True, False], "scores must be real numbers.*received dtype <U1"),
        ([1.0, np.nan], [True, False], r"scores must be finite; received nan at index \(1,\)"),
        ([1.0, 2.0], [True], r"genuine must have shape \(2,\), the scores; received shape \(1,\)"),
        ([1.0, 2.0], [1, 0], "genuine must be bool; received dtype int64"),
        ([1.0, 2.0], [True, True], "genuine must be true of some claims and false of others; received all True"),
        ([1.0, 2.0], [False, False], "genuine must be true of some claims.*received all False"),
    ],
)
def test_verification_refuses(function, scores, genuine, message):
    with pytest.raises(ValueError, match=message):
        function(scores, genuine)


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan, True, "0.1", None])
def test_a_rate_is_refused(rate):
    with pytest.raises(ValueError, match=r"rate must be a number in 0\.\.1; received"):
        metrics.acceptance_threshold([1.0, 2.0], rate)


@pytest.mark.parametrize("k", [0, -1, 4, 1.0, True, "1", None])
def test_k_is_refused(k):
    with pytest.raises(ValueError, match=r"k must be an integer in 1\.\.3, the number of people; received"):
        metrics.rank_k(SCORES, LABELS, k)
    with pytest.raises(ValueError, match=r"k must be an integer in 1\.\.3, the size of the gallery; received"):
        metrics.retrieval_rank_k(np.eye(3), range(3), range(3), k)


def test_roc_needs_two_people():
    with pytest.raises(ValueError, match=r"scores must be for at least 2 people.*received shape \(2, 1\)"):
        metrics.nauc_roc([[0.5], [0.6]], [0, 0])


def test_persons_may_be_a_column_of_objects():
    assert metrics.mean_average_precision([[1.0, 2.0]], np.array(["ann"], dtype=object), ["ann", "ben"]) == 1.0
