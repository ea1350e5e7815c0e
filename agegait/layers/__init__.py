"""Layers, written with keras.ops: they run on Keras's TensorFlow, JAX and PyTorch backends."""

from agegait.layers.axis_lstm import AxisLSTM
from agegait.layers.basic_attention import BasicAttention
from agegait.layers.body_check import BodyCheck
from agegait.layers.locality_aware_attention import LocalityAwareAttention
from agegait.layers.masked_basic_attention import MaskedBasicAttention
from agegait.layers.reverse_decoder import ReverseDecoder
from agegait.layers.skeleton_encoder import SkeletonEncoder
from agegait.layers.skeleton_normalization import SkeletonNormalization
from agegait.layers.standardization import Standardization
from agegait.layers.whitening import Whitening
from agegait.layers.window_measures import WindowMeasures

__all__ = [
    "AxisLSTM",
    "BasicAttention",
    "BodyCheck",
    "LocalityAwareAttention",
    "MaskedBasicAttention",
    "ReverseDecoder",
    "SkeletonEncoder",
    "SkeletonNormalization",
    "Standardization",
    "Whitening",
    "WindowMeasures",
]
