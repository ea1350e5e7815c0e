"""What an evaluation keeps in its run's folder: each protocol's figures, and what is kept from one to the next."""

import dataclasses
import json
import re

import numpy as np
import pytest

from agegait import evaluation
from agegait.evaluation import protocols
from agegait.training.settings import Settings

RNG = np.random.default_rng(0)
PEOPLE = np.arange(60) % 20
LOGITS = RNG.normal(size=(60, 20))
FEATURES = RNG.normal(size=(20, 8))
SEARCH = FEATURES[PEOPLE] + RNG.normal(size=(60, 8)), PEOPLE, FEATURES, np.arange(20)
STRANGERS = protocols.Strangers(
    *("1 s", "one walk", 40, 760, 2, 4.0, 2),
    *({1: 0.5}, 0.4, 0.3, 0.25, {0.01: 0.5, 0.001: 0.25}, {0.1: 0.5}, {"rank_1": (0.25, 0.75)}, (0.5, 1.0)),
    protocols.Curve((1e-4, 1.0), (0.0, 1.0)),
)
FIGURES = (
    protocols.recognition(LOGITS, PEOPLE),
    protocols.Published(**vars(protocols.recognition(LOGITS, PEOPLE)), candidates=3, chosen=2),
    protocols.retrieval(*SEARCH),
    protocols.WindowRetrieval(**vars(protocols.retrieval(*SEARCH)), people="open", frames=6),
    protocols.verification(*SEARCH),
    protocols.open_set(*SEARCH),
    STRANGERS,
)


def of(*results, **changes):
    settings = Settings("walkers", **changes)
    return evaluation.Evaluation(settings, "validation walks", {"test": ["anna/1"]}, {"test": list(results)})


def test_every_protocol_is_read_as_it_was_written(tmp_path):
    assert {type(figures) for figures in FIGURES} == set(protocols.PROTOCOLS.values())
    whole = of(*(evaluation.Result("AGE", "walks", figures) for figures in FIGURES))
    whole.write(tmp_path)
    assert evaluation.Evaluation.read(tmp_path) == whole
    results = json.loads((tmp_path / "evaluation.json").read_text())["tests"]["test"]
    assert [list(result)[:3] for result in results] == [["method", "protocol", "of"]] * len(FIGURES)
    assert [result["samples"] for result in results] == [figures.samples for figures in FIGURES]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "guessing"}, "tests.test[0].protocol: expected one of closed-set recognition, "),
        ({"method": None}, "tests.test[0].method: expected text, found None."),
        ({"samples": "many"}, "tests.test[0].samples: expected a whole number, found 'many'."),
        ({"rank": {"first": 0.5}}, "tests.test[0].rank.first: expected a whole number as a name."),
        ({"cmc": [0.5, None]}, "tests.test[0].cmc[1]: expected a number, found None."),
        ({"cmc": "gone"}, "tests.test[0].cmc: expected a list, found none."),
        ({"rank": "gone"}, "tests.test[0].rank: expected an object, found none."),
        ({"gallery": 5}, "tests.test[0].gallery: expected no such name."),
    ],
)
def test_what_is_damaged_is_named(tmp_path, change, words):
    of(evaluation.Result("AGE", "walks", FIGURES[0])).write(tmp_path)
    file = tmp_path / "evaluation.json"
    written = json.loads(file.read_text())
    result = {**written["tests"]["test"][0], **change}
    written["tests"]["test"] = [{name: value for name, value in result.items() if value != "gone"}]
    file.write_text(json.dumps(written))
    with pytest.raises(ValueError, match=re.escape(f"{file}: {words}")):
        evaluation.Evaluation.read(tmp_path)


def test_results_of_other_methods_are_kept_if_they_are_of_the_same_tests(tmp_path):
    own, other = (evaluation.Result(method, "walks", FIGURES[0]) for method in ("AGE", "raw MLP"))
    now = of(own)
    assert now.with_earlier(tmp_path) == now  # there is none
    of(own, other).write(tmp_path)
    assert now.with_earlier(tmp_path) == of(own, other)
    again = of(other, own)
    assert again.with_earlier(tmp_path) == again
    better = dataclasses.replace(own, figures=dataclasses.replace(own.figures, nauc_roc=1.0))
    for changed in (of(better), of(own, seed=1), dataclasses.replace(now, left_out={"test": []})):
        assert changed.with_earlier(tmp_path) == changed
