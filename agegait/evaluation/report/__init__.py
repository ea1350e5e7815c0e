"""The HTML report of a run: tables, curves, confusions, attention, reconstructed windows, all in one file."""

from agegait.evaluation.report.observations import Observations
from agegait.evaluation.report.page import write

__all__ = ["Observations", "write"]
