from collections import Counter, deque

import numpy as np

from agegait.serving.client.walks import Identification


class RunningAnswer:
    """What the windows of a walk say together, as they come: what the server would conclude of them all at once.

    Attributes:
        windows: Windows behind `found`.
        bodiless: Windows that show no body and have no say, of those that count.
        found: Who it is; None before the first window.
    """

    def __init__(self) -> None:
        self.found: Identification | None = None
        self.windows = self.bodiless = 0
        self._sum: np.ndarray | float = 0.0
        self._faults: Counter[str] = Counter()
        self._recent: deque[tuple[np.ndarray, str]] = deque()

    def add(self, answered: list[tuple[np.ndarray, str]], persons: list[str], most: int | None) -> None:
        """Counts windows in.

        Args:
            answered: The logits of each, and its fault, empty for none.
            persons: Of the logits.
            most: How many windows count, the newest; None for all, of which a sum is kept.
        """
        if most is not None:
            self._recent.extend(answered)
            while len(self._recent) > most:
                self._recent.popleft()
            answered = list(self._recent)
            self._sum, self._faults = 0.0, Counter()
        self._sum = self._sum + sum(logits for logits, fault in answered if not fault)
        self._faults.update(fault for _, fault in answered)
        self.windows = self._faults[""]
        self.bodiless = self._faults.total() - self.windows
        self.found = self._conclusion(persons)

    def _conclusion(self, persons: list[str]) -> Identification:
        """As the server concludes of whole walks, see `GaitIdentifier`."""
        if self.bodiless > self.windows:
            nobody = np.zeros(len(persons), np.float32)
            fault = max(filter(None, self._faults), key=lambda fault: self._faults[fault])
            return Identification(None, 0.0, nobody, nobody.copy(), fault)
        mean = np.asarray(self._sum / self.windows)
        likelihoods = np.exp(mean - np.max(mean))
        probabilities = likelihoods / likelihoods.sum()
        best = int(np.argmax(mean))
        return Identification(
            persons[best],
            float(probabilities[best]),
            np.asarray(mean, np.float32),
            probabilities.astype(np.float32),
        )
