from . import baselines as baselines, protocols as protocols, report as report
from .evaluate import (
    BATCH as BATCH,
    COORDINATES as COORDINATES,
    FEWEST_PEOPLE as FEWEST_PEOPLE,
    FIGURES as FIGURES,
    TITLES as TITLES,
    WINDOW_RECOGNIZER as WINDOW_RECOGNIZER,
    as_result as as_result,
    comparison as comparison,
    evaluate as evaluate,
    logits_by_method as logits_by_method,
    of_people_trained_on as of_people_trained_on,
    recognition as recognition,
    tables as tables,
)
