"""What the encoder has to beat: other ways to name windows, each by its name, all trained and used alike."""

from agegait.baselines.baseline import Baseline
from agegait.baselines.by_name import BASELINES, baseline
from agegait.baselines.descriptor_baseline import DescriptorBaseline
from agegait.baselines.network_baseline import NETWORK, NetworkBaseline
from agegait.baselines.networks import coordinates, coordinates_and_distances, encoder_states

__all__ = [
    "BASELINES",
    "NETWORK",
    "Baseline",
    "DescriptorBaseline",
    "NetworkBaseline",
    "baseline",
    "coordinates",
    "coordinates_and_distances",
    "encoder_states",
]
