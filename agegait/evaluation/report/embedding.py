"""Features in two dimensions, by t-SNE."""

from typing import TYPE_CHECKING

import numpy as np

from agegait.evaluation.report.observations import Tested, Walks
from agegait.pages.picture import COLORS, Picture, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PERPLEXITY = 30
DIMENSIONS = 50
"""What features are brought to first, by their principal components, as is the custom with t-SNE."""

FEWEST = 5


def walks(training: Walks, test: Tested, seed: int) -> Picture | None:
    """The mean features of the walks trained on and tested; None where there are too few."""
    from matplotlib.figure import Figure

    places = _places(np.concatenate([training.features, test.walks.features]), training.features, seed)
    if places is None:
        return None
    known, tested = np.split(places, [len(training.names)])
    right = test.walks.persons == test.walks_named
    figure = Figure(figsize=(5.4, 5.0), layout="constrained")
    ax = figure.subplots()
    for place, person in zip(tested, test.walks.persons, strict=True):
        own = known[training.persons == person]
        if len(own):
            nearest = own[np.linalg.norm(own - place, axis=1).argmin()]
            ax.plot(*np.stack([place, nearest]).T, color="0.8", linewidth=0.7, zorder=1, rasterized=True)
    for dots, size, color, marker, label in (
        (known, 9, "0.6", "o", "trained on"),
        (tested[right], 22, COLORS[0], "o", "tested, named rightly"),
        (tested[~right], 30, COLORS[1], "^", "tested, named wrongly"),
    ):
        ax.scatter(
            dots[:, 0], dots[:, 1], s=size, color=color, marker=marker, label=label, linewidths=0, rasterized=True
        )
    _finish(figure, ax)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, handletextpad=0.1)
    return Picture(
        vector(figure),
        f"t-SNE of the mean features of {len(known)} training walks and {len(tested)} test walks, "
        f"{int(right.sum())} of which are named rightly.",
        "A dot is a walk. A thin line leads from each test walk to the nearest training walk of the same person.",
    )


def windows(test: Tested, training: Walks, persons: list[str], seed: int) -> Picture | None:
    """The features of windows of a few people; None where there are too few."""
    from matplotlib.figure import Figure

    features, labels = test.picked
    places = _places(features, training.features, seed)
    if places is None:
        return None
    figure = Figure(figsize=(5.4, 5.0), layout="constrained")
    ax = figure.subplots()
    legend = []
    people = sorted(np.unique(labels).tolist(), key=lambda label: persons[label])
    for number, label in enumerate(people):
        color, shape = COLORS[number % 6], ("circle", "triangle")[number // 6 % 2]
        own = places[labels == label]
        marker = {"circle": "o", "triangle": "^"}[shape]
        ax.scatter(own[:, 0], own[:, 1], s=16, color=color, marker=marker, linewidths=0, alpha=0.8, rasterized=True)
        legend.append((color, shape, persons[label]))
    _finish(figure, ax)
    return Picture(
        vector(figure),
        f"t-SNE of the features of {len(labels)} test windows of {len(people)} people, a colour and shape each.",
        "A mark is a window; whose, its colour and shape say.",
        tuple(legend),
    )


def _places(features: np.ndarray, gallery: np.ndarray, seed: int) -> np.ndarray | None:
    """Places `[M, 2]` of features, which are standardised over the gallery as searches have it."""
    from sklearn.decomposition import PCA  # scikit-learn takes a second to import
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    if len(features) < FEWEST or not features.std(axis=0).any():
        return None
    features = StandardScaler().fit(gallery).transform(features)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    # So few points are done by one thread before several have agreed who does what, and come out the same every time.
    with threadpool_limits(1):
        features = PCA(min(DIMENSIONS, *features.shape), random_state=seed).fit_transform(features)
        return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features)


def _finish(figure: "Figure", ax: "Axes") -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[["left", "bottom"]].set_visible(False)
