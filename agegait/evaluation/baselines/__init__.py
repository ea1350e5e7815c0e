"""Baselines: other ways to classify windows, each by its name, with one interface for all."""

from agegait.evaluation.baselines.baseline import Baseline
from agegait.evaluation.baselines.by_name import BASELINES, OF_AN_ENCODER, baseline
from agegait.evaluation.baselines.descriptor_baseline import DescriptorBaseline
from agegait.evaluation.baselines.network_baseline import NETWORK, NetworkBaseline
from agegait.evaluation.baselines.networks import UntrainedAGEs, coordinates, encoder_states, measures

__all__ = [
    "BASELINES",
    "NETWORK",
    "OF_AN_ENCODER",
    "Baseline",
    "DescriptorBaseline",
    "NetworkBaseline",
    "UntrainedAGEs",
    "baseline",
    "coordinates",
    "encoder_states",
    "measures",
]
