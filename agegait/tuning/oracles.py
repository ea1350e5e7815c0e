"""keras-tuner's ways to choose the next trial, by name."""

import math
import warnings
from typing import Any

import numpy as np
from keras_tuner import Objective, oracles
from sklearn.exceptions import ConvergenceWarning

from agegait.tuning.search_oracle import SearchOracle
from agegait.tuning.search_space import SearchSpace

OBJECTIVE = Objective("validation_accuracy", "max")
TRIALS = 20
"""As many as a search makes where nobody says how many."""


class _Random(SearchOracle, oracles.RandomSearchOracle):
    pass


class _Bayesian(SearchOracle, oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        # From the trial's number, so that a resumed search draws what one that was never stopped does.
        self._random_state = np.random.RandomState(self.seed + len(self.trials))
        with warnings.catch_warnings():
            # A few trials seldom tell how far apart points have to be to differ, and need not.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().populate_space(trial_id)


class _Hyperband(SearchOracle, oracles.HyperbandOracle):
    @property
    def planned(self) -> int:
        rounds = [(bracket, number) for bracket in range(self._get_num_brackets()) for number in range(bracket + 1)]
        whole = self.hyperband_iterations * sum(self._get_size(*round) for round in rounds)
        return min(whole, self.max_trials or whole)

    @property
    def drawn(self) -> int:
        """Trials that are drawn anew, not taken further."""
        return self.hyperband_iterations * sum(self._get_size(number, 0) for number in range(self._get_num_brackets()))


METHODS = ("hyperband", "bayesian", "random")


def oracle(method: str, space: SearchSpace, trials: int | None = None, sweeps: int = 1, **options: Any) -> SearchOracle:
    """An oracle by name.

    Args:
        method: One of `METHODS`.
        space: Gives the epochs of a whole trial and the seed.
        trials: At most so many; `TRIALS` where absent, with Hyperband those of its sweeps.
        sweeps: Hyperband's, each over all its brackets.
        **options: As for `SearchOracle`.

    Raises:
        ValueError: An unknown method, a number that makes no sense, or too few combinations for Hyperband.
    """
    for name, number in (("trials", trials), ("sweeps", sweeps)):
        if number is not None and number < 1:
            raise ValueError(f"{name}: expected at least 1, received {number}.")
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, received {method!r}.")
    options |= {"objective": OBJECTIVE, "seed": space.base.seed + 1}  # 0 would be another seed each time
    if method == "hyperband":
        made = _Hyperband(max_epochs=space.epochs, hyperband_iterations=sweeps, **options)
        made.max_trials = trials
        if space.combinations < made.drawn:
            raise ValueError(
                f"search: expected at least {made.drawn} combinations, as many as Hyperband draws for {space.epochs} "
                f"epochs, received {space.combinations}: vary more, or search at random."
            )
        return made
    trials = trials or TRIALS
    if method == "random":
        return _Random(max_trials=trials, **options)
    # Left alone, keras-tuner draws three times as many points as there are dimensions before it looks at any result.
    drawn = min(3 * len(space.dimensions), math.ceil(trials / 3))
    return _Bayesian(max_trials=trials, num_initial_points=drawn, **options)
