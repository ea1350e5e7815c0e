"""A page that shows what a run reached: tables, curves, confusions, attention, rebuilt windows, all in one file."""

from agegait.report.observations import Observations
from agegait.report.page import write

__all__ = ["Observations", "write"]
