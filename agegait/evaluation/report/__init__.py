"""A page that shows what a run reached: tables, curves, confusions, attention, rebuilt windows, all in one file."""

from agegait.evaluation.report.observations import Observations
from agegait.evaluation.report.page import write

__all__ = ["Observations", "write"]
