"""Docstrings of layers, models and what they are compiled with: in Keras's order, with an example that runs."""

import doctest
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import agegait
from agegait.models.weighted_logits import weighted_logits
from agegait.training.optimizers import FusedAdam

CLASSES = [
    *(getattr(agegait.layers, name) for name in agegait.layers.__all__),
    *(getattr(agegait.models, name) for name in agegait.models.__all__),
    *(getattr(agegait.losses, name) for name in agegait.losses.__all__),
]
FUNCTIONS = [agegait.data.padded, agegait.data.windows, agegait.training.walk_clusters, weighted_logits]
GALLERY = [
    getattr(agegait.gallery, name)
    for name in agegait.gallery.__all__
    if name != "Embedder" and not name.endswith("Error")
]
ORDER = ["Args:", "Attributes:", "Call arguments:", "Returns:", "Raises:", "Example:", "Reference:"]

EVERY = [*CLASSES, *FUNCTIONS, *GALLERY, FusedAdam, agegait.data.BalancedClips]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("public", EVERY, ids=lambda public: public.__name__)
def test_the_example_runs(public):
    run(public)


@pytest.mark.slow
@pytest.mark.parametrize("public", agegait.models.__all__)
def test_the_example_of_a_model_runs_compiled(public):
    run(getattr(agegait.models, public))


def run(public):
    names = {"agegait": agegait, "keras": keras, "np": np, "tf": tf}
    (example,) = doctest.DocTestFinder(recurse=False).find(public, public.__name__, globs=names)
    assert example.examples
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("public", CLASSES, ids=lambda public: public.__name__)
def test_sections_are_in_order(public):
    sections = [line.strip() for line in inspect.getdoc(public).splitlines() if line.strip() in ORDER]
    assert sections == sorted(sections, key=ORDER.index)
    called = {"Call arguments:", "Returns:"} if hasattr(public, "call") else set()
    assert {"Example:", *called} <= set(sections)
    ours = public.__init__.__module__.startswith("agegait.")  # or it is Keras's own
    arguments = set(inspect.signature(public.__init__).parameters) - {"self", "kwargs", "name"} if ours else set()
    assert ("Args:" in sections) == bool(arguments)
    assert [name for name in arguments if f"\n    {name}: " not in inspect.getdoc(public)] == []
