"""What a gallery's thresholds follow from, under the names that a gallery has for it."""

from agegait.thresholds.calibration import Calibration as Calibration
from agegait.thresholds.embedder import Embedder as Embedder
from agegait.thresholds.score_tail import ScoreTail as ScoreTail
from agegait.thresholds.threshold import Threshold as Threshold
from agegait.thresholds.uncalibrated_error import UncalibratedError as UncalibratedError
