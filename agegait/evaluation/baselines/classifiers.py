"""The classifiers of descriptors, of scikit-learn, which takes a second to import."""

from typing import Any

NEIGHBOURS = 5
ESTIMATORS = 50
LEAF = 5
"""Least frames of a leaf: without it trees learn frames by heart, and stumps are too weak for many people."""


def neighbours(_seed: int) -> Any:
    """Nearest neighbours on standardised descriptors; nothing is drawn."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # In 16 dimensions a tree takes twice as long as looking at everything.
    nearest = KNeighborsClassifier(NEIGHBOURS, algorithm="brute", n_jobs=-1)
    return make_pipeline(StandardScaler(), nearest)


def adaboost(seed: int) -> Any:
    """AdaBoost on trees, drawn by a seed."""
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    # A few features a split: trees that differ, in a quarter of the time.
    tree = DecisionTreeClassifier(min_samples_leaf=LEAF, max_features="sqrt")
    return AdaBoostClassifier(tree, n_estimators=ESTIMATORS, random_state=seed)
