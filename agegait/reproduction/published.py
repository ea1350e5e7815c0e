"""The published figures that ours stand beside, by data set, test split and row."""

from typing import NamedTuple

SOURCE = (
    "Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention for Person Re-Identification, IJCAI 2020"
)

SHORT_SOURCE = "Rao et al., IJCAI 2020"

NOTES = {
    "kgbd": "KGBD has no official split: the test is one random walk of each person there and here, not the same ones.",
    "biwi": "The paper tests on Walking. Our validation walks are the ends of the training walks, so trainings see a "
    "fifth less than the paper's.",
    "ias": "Our validation walks are the ends of the training walks, so trainings see a fifth less than the paper's.",
}
"""What else sets published figures apart from ours, by data set."""

ALL_NOTES = (
    "The published figures of D13, D16, the LSTMs and PoseGait are those of the paper's table; how these were trained "
    "is not known here, and our D16 holds three lengths of our own choice (see `agegait.skeletons.descriptors`)."
)


class Figures(NamedTuple):
    """Published figures in per cent: of windows, chosen on the test walks, nAUC being the area under an ROC curve."""

    rank_1: float
    nauc: float


# The paper's table: BIWI (Walking), IAS-A, IAS-B and KGBD.
_TABLE = {
    "age-ap": ((59.1, 86.5), (56.1, 81.7), (58.2, 85.3), (87.7, 96.3)),
    "d13-knn": ((39.3, 64.3), (33.8, 63.6), (40.5, 71.1), (46.9, 90.0)),
    "d16-adaboost": ((41.8, 74.1), (27.4, 65.5), (39.2, 78.2), (69.9, 90.6)),
    "lstm": ((15.8, 65.8), (20.0, 65.9), (19.1, 68.4), (39.8, 87.2)),
    "lstm-multilayer": ((36.1, 75.6), (34.4, 72.1), (30.9, 71.9), (46.2, 89.8)),
    "PoseGait": ((33.3, 81.8), (41.4, 79.9), (37.1, 74.8), (90.6, 97.8)),
}

# The paper's ablation, on BIWI alone.
_ABLATION = {
    "encoder and decoder": (41.5, 80.1),
    "encoder and decoder, in reverse": (46.7, 81.5),
    "basic-forward": (45.7, 84.1),
    "basic": (55.1, 85.2),
    "states": (57.7, 85.8),
    "forward": (57.2, 85.7),
}

_COLUMNS = (("biwi", "walking"), ("ias", "test_a"), ("ias", "test_b"), ("kgbd", "test"))

PUBLISHED: dict[tuple[str, str], dict[str, Figures]] = {
    column: {row: Figures(*figures[number]) for row, figures in _TABLE.items()}
    for number, column in enumerate(_COLUMNS)
}
"""By data set and test split: figures by the name of our row, or by what the paper calls what we have no row for."""

PUBLISHED["biwi", "walking"] |= {row: Figures(*figures) for row, figures in _ABLATION.items()}


class WindowFigures(NamedTuple):
    """Published figures of retrieval by single windows, in per cent; `people` is that of `WindowRetrieval`."""

    rank_1: float
    rank_5: float
    rank_10: float
    mean_average_precision: float
    people: str = "closed"


WINDOW_SOURCE = (
    "the table in the README of Kali-Hac/SimMC (Rao and Miao, SimMC: Simple Masked Contrastive Learning of Skeleton "
    "Representations for Unsupervised Person Re-Identification, IJCAI 2022)"
)

WINDOW_NOTE = (
    "In these papers, too, one random walk of each person is the probe and two others are the gallery, and the further "
    "walks of the same people are trained on (`Preprocess.py` of Kali-Hac/TranSG, by the same authors): closed."
)

WINDOWS: dict[str, dict[str, WindowFigures]] = {
    "kgbd": {
        "D13 descriptors": WindowFigures(17.0, 34.4, 44.2, 1.9, "not trained"),
        "D16 descriptors": WindowFigures(31.2, 50.9, 59.8, 4.0, "not trained"),
        "AGE": WindowFigures(2.9, 5.6, 7.5, 0.9),
        "SGELA (CAGE)": WindowFigures(38.1, 53.5, 60.0, 4.5),
        "SM-SGE": WindowFigures(38.2, 54.2, 60.7, 4.4),
        "MG-SCR": WindowFigures(44.0, 58.7, 64.6, 6.9),
        "PoseGait": WindowFigures(50.6, 67.0, 72.6, 13.9),
        "SGELA + SimMC": WindowFigures(51.7, 62.7, 67.9, 15.1),
        "SimMC": WindowFigures(54.9, 66.2, 70.6, 11.7),
    }
}
"""Published figures of windows of six frames, by data set and by what `WINDOW_SOURCE` calls the method."""
