"""A model says the same of inputs of a wrong shape, whether it has seen others before or not."""

import re

import numpy as np
import pytest

import agegait
from agegait.models import ContrastiveGaitEncoder, WalkEncodings

F, J, K = 4, 5, 6
ENCODER = {"frames": F, "joints": J, "units": K, "num_layers": 1}

MODELS = {
    "encoder": lambda: agegait.GaitEncoder(**ENCODER),
    "contrastive": lambda: ContrastiveGaitEncoder(**ENCODER),
    "identifier": lambda: agegait.GaitIdentifier(agegait.GaitEncoder(**ENCODER), agegait.GaitRecognizer(3, units=5)),
    "embedder": lambda: agegait.GaitEmbedder(units=8, embedding_size=4, hips=(1, 2)),
    "encodings": lambda: WalkEncodings(agegait.GaitEncoder(**ENCODER)),
}


@pytest.fixture(scope="module", params=MODELS)
def pair(request):
    """A model that has seen windows, which are walks of that many frames, and what makes another."""
    make = MODELS[request.param]
    seen = make()
    seen(np.zeros((1, F, J, 3), "float32"))
    return make, seen


def refusal(model, shape):
    with pytest.raises(ValueError, match="inputs: expected") as refused:
        model(np.zeros(shape, "float32"))
    return re.search(r"inputs: .*?\.(?=\s|\x1b|$)", str(refused.value)).group()


@pytest.mark.parametrize("shape", [(2, 8, J, 2), (8, J, 3), (2, 8), (2, 8, J, 3, 1), (2, 0, J, 3)])
def test_refused_before_and_after_it_is_built(pair, shape):
    make, seen = pair
    new = refusal(make(), shape)
    assert f"received a shape of {shape}." in new
    assert new.replace("T, J, 3]", f"T, {J}, 3]") == refusal(seen, shape)  # an embedder takes any joints at first


def test_other_joints_than_before_are_refused(pair):
    _, seen = pair
    assert f"{J}, 3]" in refusal(seen, (2, F, J - 1, 3))
