"""What the encoder has to beat: other ways to name windows, each by its name, all trained and used alike."""

from agegait.baselines.baseline import Baseline
from agegait.baselines.by_name import BASELINES, OF_AN_ENCODER, baseline
from agegait.baselines.descriptor_baseline import DescriptorBaseline
from agegait.baselines.network_baseline import NETWORK, NetworkBaseline
from agegait.baselines.networks import UntrainedAGEs, coordinates, encoder_states, skeletons

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
    "skeletons",
]
