"""Figures of an evaluation: which can be estimated from so few samples, and how sure they are."""

import io

import numpy as np
import pytest

from agegait import evaluation
from agegait.evaluation import protocols
from agegait.evaluation.figures import FIGURES
from agegait.terminal.console import TextConsole
from agegait.training.settings import Settings


def found(compare, people, walks_each=1):
    rng = np.random.default_rng(people)
    persons = np.repeat(np.arange(people), walks_each)
    features = rng.normal(size=(people, 8))
    probes = features[persons] + rng.normal(size=(len(persons), 8))
    return evaluation.Result("AGE", "walks", compare(probes, persons, features, np.arange(people)))


def of(*results):
    return evaluation.Evaluation(Settings("walkers"), "validation walks", {"test": []}, {"test": list(results)})


def test_an_interval_is_wilsons():
    retrieval = protocols.Retrieval(10, 20, {1: 0.8}, 0.5, 0.5, (0.8,))
    result = evaluation.Result("AGE", "walks", retrieval)
    low, high = FIGURES["Rank-1"].interval(result)
    # Wilson, 1927, with z = 1.96: (p + z^2/2n -+ z sqrt(p q / n + z^2/4n^2)) / (1 + z^2/n)
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    assert FIGURES["Rank-1"].interval(evaluation.Result("AGE", "windows", retrieval)) is None
    assert FIGURES["mAP"].interval(result) is None


@pytest.mark.parametrize(("people", "known"), [(4, False), (20, True)])
def test_an_equal_error_rate_needs_claims(people, known):
    result = found(protocols.verification, people)
    assert (FIGURES["EER"].read(result) is not None) == known
    assert (FIGURES["EER"].interval(result) is not None) == known


@pytest.mark.parametrize(
    ("compare", "people", "known"),
    [
        (protocols.verification, 20, set()),  # ten people claim to be nine others each: none of 90 may pass at 1 %
        (protocols.verification, 22, {"TAR, FAR 1.0%"}),
        (protocols.verification, 66, {"TAR, FAR 1.0%", "TAR, FAR 0.1%"}),
        (protocols.open_set, 4, set()),
        (protocols.open_set, 40, {"DIR, FAR 10%"}),
        (protocols.open_set, 400, {"DIR, FAR 10%", "DIR, FAR 1%"}),
    ],
)
def test_rates_that_no_sample_may_reach_are_left_out(compare, people, known):
    result = found(compare, people)
    shown = {name for name, figure in FIGURES.items() if "FAR" in name and figure.read(result) is not None}
    reached = {f"reached FAR for {name.rpartition(' ')[2]}" for name in known}
    assert shown == known | reached


def test_a_table_says_how_sure_it_is_and_what_it_leaves_out():
    (table,) = evaluation.tables(of(found(protocols.verification, 4)))
    assert table.caption == "Empty: too few samples to estimate."
    assert [cell.text for cell in table.rows[0]] == ["test", "AGE", "walks", "2"]
    (table,) = evaluation.tables(of(found(protocols.verification, 40)))
    console = TextConsole(file=io.StringIO(), width=120)
    console.print(table)
    shown = console.file.getvalue()
    assert "95% intervals" in shown
    cell = table.rows[0][4]
    assert str(cell) == f"{cell.text} ({cell.detail})"
    assert str(cell) in shown
