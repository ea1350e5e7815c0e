"""Keras callbacks of a run's training."""

from agegait.training.callbacks.best_weights import BestWeights
from agegait.training.callbacks.early_stopping import EarlyStopping
from agegait.training.callbacks.progress_line import ProgressLine
from agegait.training.callbacks.training_checkpoint import TrainingCheckpoint

__all__ = ["BestWeights", "EarlyStopping", "ProgressLine", "TrainingCheckpoint"]
