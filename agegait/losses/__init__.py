"""The losses that models here are trained with, beside Keras's own."""

from agegait.losses.additive_margin_softmax import AdditiveMarginSoftmax
from agegait.losses.consecutive_contrast import ConsecutiveContrast
from agegait.losses.smoothed_crossentropy import SmoothedCrossentropy
from agegait.losses.supervised_contrastive import SupervisedContrastive

__all__ = ["AdditiveMarginSoftmax", "ConsecutiveContrast", "SmoothedCrossentropy", "SupervisedContrastive"]
