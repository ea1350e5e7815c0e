"""Searching for better settings of a run with keras-tuner: alone, or as a chief and its workers."""

from agegait.tuning.oracles import METHODS
from agegait.tuning.results import best, best_settings, table
from agegait.tuning.search import tune
from agegait.tuning.search_space import SearchSpace

__all__ = ["METHODS", "SearchSpace", "best", "best_settings", "table", "tune"]
