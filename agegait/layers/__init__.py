"""Layers, written with keras.ops: they run on Keras's TensorFlow, JAX and PyTorch backends."""

from agegait.layers.axis_lstm import AxisLSTM
from agegait.layers.basic_attention import BasicAttention
from agegait.layers.body_check import BodyCheck
from agegait.layers.body_coordinates import BodyCoordinates
from agegait.layers.cosine_classifier import CosineClassifier
from agegait.layers.frame_encodings import FrameEncodings
from agegait.layers.frame_features import FrameFeatures
from agegait.layers.joint_distances import JointDistances
from agegait.layers.joint_velocities import JointVelocities
from agegait.layers.locality_aware_attention import LocalityAwareAttention
from agegait.layers.masked_basic_attention import MaskedBasicAttention
from agegait.layers.reverse_decoder import ReverseDecoder
from agegait.layers.skeleton_encoder import SkeletonEncoder
from agegait.layers.skeleton_normalization import SkeletonNormalization
from agegait.layers.standardization import Standardization
from agegait.layers.statistics_pooling import StatisticsPooling
from agegait.layers.temporal_block import TemporalBlock
from agegait.layers.whitening import Whitening
from agegait.layers.window_measures import WindowMeasures

__all__ = [
    "AxisLSTM",
    "BasicAttention",
    "BodyCheck",
    "BodyCoordinates",
    "CosineClassifier",
    "FrameEncodings",
    "FrameFeatures",
    "JointDistances",
    "JointVelocities",
    "LocalityAwareAttention",
    "MaskedBasicAttention",
    "ReverseDecoder",
    "SkeletonEncoder",
    "SkeletonNormalization",
    "Standardization",
    "StatisticsPooling",
    "TemporalBlock",
    "Whitening",
    "WindowMeasures",
]
