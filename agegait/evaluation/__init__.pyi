from . import baselines as baselines, protocols as protocols, report as report
from .evaluate import (
    BATCH as BATCH,
    COORDINATES as COORDINATES,
    FEWEST_PEOPLE as FEWEST_PEOPLE,
    TITLES as TITLES,
    WINDOW_RECOGNIZER as WINDOW_RECOGNIZER,
    as_result as as_result,
    comparison as comparison,
    evaluate as evaluate,
    logits_by_method as logits_by_method,
    of_people_trained_on as of_people_trained_on,
    recognition as recognition,
)
from .figures import FIGURES as FIGURES, Figure as Figure, has_curve as has_curve
from .result_tables import tables as tables
