"""Hyperparameter search with keras-tuner, in one process or with a chief and workers."""

from agegait.tuning.oracles import METHODS
from agegait.tuning.results import best, best_settings, table
from agegait.tuning.search import tune
from agegait.tuning.search_space import SearchSpace

__all__ = ["METHODS", "SearchSpace", "best", "best_settings", "table", "tune"]
