"""Runs: what one was asked to do, and the folder that it leaves.

A run's folder holds `run.json` (settings, data, split, versions, what was reached), `encoder.keras`, `recognizer.keras`
and perhaps `window_recognizer.keras`, `history/` with a table of losses for each training, and, while a training is
under way, `checkpoints/` to resume it from.
"""

from agegait.runs.encoding import FEATURE_BATCH, encode
from agegait.runs.read_record import check_shape, read_record
from agegait.runs.run import FORMAT, Run, load
from agegait.runs.settings import Settings
from agegait.runs.write_aside import write_aside

__all__ = ["FEATURE_BATCH", "FORMAT", "Run", "Settings", "check_shape", "encode", "load", "read_record", "write_aside"]
