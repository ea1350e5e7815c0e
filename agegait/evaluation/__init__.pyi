from . import baselines as baselines, protocols as protocols, report as report
from .evaluate import COORDINATES as COORDINATES, evaluate as evaluate
from .evaluate_windows import (
    BATCH as BATCH,
    Gallery as Gallery,
    as_result as as_result,
    ensemble as ensemble,
    evaluate_windows as evaluate_windows,
    logits_by_method as logits_by_method,
    window_logits as window_logits,
)
from .figures import FIGURES as FIGURES, Figure as Figure, has_curve as has_curve
from .parts import Parts as Parts
from .result_tables import STRANGER_FIGURES as STRANGER_FIGURES, tables as tables
