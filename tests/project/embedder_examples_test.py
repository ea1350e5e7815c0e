"""The examples in the docstrings of the embedder and of what it is trained with."""

import doctest
import importlib

import numpy as np
import pytest

import agegait

MODULES = (
    "data.balanced_clips",
    "data.padding",
    "layers.body_coordinates",
    "layers.cosine_classifier",
    "layers.frame_encodings",
    "layers.frame_features",
    "layers.joint_distances",
    "layers.joint_velocities",
    "layers.statistics_pooling",
    "layers.temporal_block",
    "losses.additive_margin_softmax",
    "losses.supervised_contrastive",
    "models.gait_embedder",
    "training.walk_clusters",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(f"agegait.{name}")
    outcome = doctest.testmod(module, extraglobs={"agegait": agegait, "np": np})
    assert outcome.attempted
    assert not outcome.failed
