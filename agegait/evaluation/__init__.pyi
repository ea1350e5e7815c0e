from . import baselines as baselines, protocols as protocols, report as report
from .evaluate import COORDINATES as COORDINATES, evaluate as evaluate
from .evaluate_windows import (
    BATCH as BATCH,
    Gallery as Gallery,
    Logits as Logits,
    embedder_logits as embedder_logits,
    evaluate_windows as evaluate_windows,
    logits_by_method as logits_by_method,
)
from .evaluation import Evaluation as Evaluation
from .figures import FIGURES as FIGURES, Figure as Figure, has_curve as has_curve
from .parts import Parts as Parts
from .result import Result as Result
from .result_tables import STRANGER_FIGURES as STRANGER_FIGURES, tables as tables
