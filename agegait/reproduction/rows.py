"""The rows of the tables, and groups of them, by name."""

from collections.abc import Iterable

from agegait.evaluation.baselines import BASELINES, OF_AN_ENCODER
from agegait.reproduction.row import Row

FRAMES = (4, 6, 8, 10)
LABELLED = (1, 2, 3)

_METHOD = (
    Row("age-ap", "the method: AGEs of a reverse encoder with locality-aware attention; frames named, then averaged"),
    Row("age-sc", "the same encoder; the frames of a window joined, then named", {"manner": "sc"}),
    Row(
        "age-embedder",
        "age-ap and an embedder, which sees a walk as a whole; both answers are averaged",
        embedder=True,
    ),
    Row("untrained", "AGEs of an encoder as it was drawn, never trained; frames averaged", recipe={"epochs": 0}),
)
_BASELINES = tuple(Row(name, title, baseline=name) for name, title in BASELINES.items() if name not in OF_AN_ENCODER)
_ABLATIONS = (
    Row("basic", "basic attention (BA): no locality in the loss", {"attention": "BA"}),
    Row("masked", "basic attention whose weights are masked by the locality (MBAS)", {"attention": "MBAS"}),
    Row("forward", "windows reconstructed in their own order, not in reverse", {"direction": "forward"}),
    Row("basic-forward", "both: basic attention, own order", {"attention": "BA", "direction": "forward"}),
    Row("states", "the encoder's states in place of AGEs", {"features": "states"}),
    Row("feed-previous", "the decoder is fed what it reconstructed last, not zeros", {"feed": "previous"}),
    Row("feed-target", "the decoder is fed the right frame before, not zeros", {"feed": "target"}),
    *(Row(f"frames-{count}", f"windows of {count} frames", {"frames": count}) for count in FRAMES if count != 6),
)
_FEW_LABELS = tuple(
    row
    for count in LABELLED
    for row in (
        Row(
            f"labels-{count}",
            f"AGEs; the encoder sees all training walks, the recognizer the labels of {count} a person",
            labelled_walks=count,
        ),
        Row(
            f"mlp-labels-{count}",
            f"{BASELINES['mlp']} on the labels of {count} training {'walks' if count > 1 else 'walk'} a person",
            baseline="mlp",
            labelled_walks=count,
        ),
    )
)
_RECIPES = (
    Row("ages-as-they-come", "AGEs neither standardised nor whitened", recipe={"normalize": None}),
    Row("standardised", "AGEs standardised, not whitened", recipe={"normalize": "standardize"}),
    Row("whitened", "AGEs whitened", recipe={"normalize": "whiten"}),
    Row("stride-papers", "training windows cut as the papers have it", recipe={"stride": None}),
    Row("stride-3", "a training window every third frame", recipe={"stride": 3}),
    Row("stride-2", "a training window every second frame", recipe={"stride": 2}),
    Row("not-mirrored", "training windows alone, without their mirror images", recipe={"mirror": False}),
    Row("mirrored", "training windows and their mirror images", recipe={"mirror": True}),
    Row("no-dropout", "no dropout in the recognizer", recipe={"dropout": 0.0}),
    Row("dropout", "half the recognizer's hidden units dropped in training", recipe={"dropout": 0.5}),
    Row("hard-labels", "no label smoothing", recipe={"label_smoothing": 0.0}),
    Row("label-smoothing", "label smoothing of 0.1", recipe={"label_smoothing": 0.1}),
    Row("narrow", "1024 hidden units of the recognizer", recipe={"recognizer_units": 1024}),
    Row("wide", "2048 hidden units of the recognizer", recipe={"recognizer_units": 2048}),
    Row("longer", "three epochs of the encoder", recipe={"epochs": 3}),
    Row("constant-rates", "learning rates that do not fall", recipe={"decay": False}),
)

_STRANGERS = (
    Row("strangers-persons", "an embedder trained with labels of people", learning="persons"),
    Row("strangers-clusters", "an embedder trained by clusters of walks, without labels", learning="clusters"),
    Row("strangers-contrast", "an embedder trained by contrast between walks, without labels", learning="contrast"),
    Row("strangers-walks", "an embedder trained with each walk as a class, without labels", learning="walks"),
    Row("strangers-ages", "mean of whitened AGEs, the encoder trained by reconstruction", learning="reconstruction"),
    Row("strangers-cages", "mean of whitened contrastive AGEs, of the paper's successor", learning="cage"),
)
_WINDOWS = (
    Row(
        "windows-persons",
        "an embedder trained with labels, on clips of a window",
        learning="persons",
        windows_of="closed",
    ),
    Row("windows-clusters", "the same, without labels, by clusters of walks", learning="clusters", windows_of="closed"),
    Row("windows-ages", "mean of whitened AGEs of a window", learning="reconstruction", windows_of="closed"),
    Row("windows-cages", "mean of whitened contrastive AGEs of a window", learning="cage", windows_of="closed"),
    Row(
        "windows-strangers",
        "as windows-persons, of people who are not trained on",
        learning="persons",
        windows_of="open",
    ),
)

ROWS = {row.name: row for row in (*_METHOD, *_BASELINES, *_ABLATIONS, *_FEW_LABELS, *_RECIPES, *_STRANGERS, *_WINDOWS)}
"""Every row by its name, in the order in which tables have them."""


def _names(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(row.name for row in rows)


GROUPS = {
    "table": (
        *_names(_METHOD),
        *("mlp", "mlp-whitened", "mlp-distances", "d13-knn", "d16-adaboost"),
    ),
    "baselines": _names(_BASELINES),
    "ablations": ("age-ap", "untrained", *_names(_ABLATIONS)),
    "few-labels": ("age-ap", "mlp", *_names(_FEW_LABELS)),
    "recipes": ("age-ap", *_names(_RECIPES)),
    "strangers": _names(_STRANGERS),
    "windows": _names(_WINDOWS),
    "all": tuple(ROWS),
}
"""Groups of rows."""


def find(names: Iterable[str]) -> list[Row]:
    """Rows by their names or their groups', each once, in the order of `ROWS`.

    Raises:
        ValueError: An unknown name, or none.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in GROUPS and name not in ROWS:
            raise ValueError(f"rows: expected some of {', '.join((*GROUPS, *ROWS))}, received {name!r}.")
        wanted.update(GROUPS.get(name, (name,)))
    if not wanted:
        raise ValueError(f"rows: expected some of {', '.join((*GROUPS, *ROWS))}, received none.")
    return [row for row in ROWS.values() if row.name in wanted]
