import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from agegait.storage.records import write_record

ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)


class SearchOracle(keras_tuner.Oracle):
    """What the oracles of a search have beside what keras-tuner gives them.

    Their files are whole or not there, so that a search killed at any moment can be resumed. A worker that falls silent
    loses its trial to another. Three failures in a row end the search instead of raising, since keras-tuner would keep
    its lock and let a chief hang.

    Args:
        on_trial_end: Called with the oracle after each trial.
        patience: Seconds after which a silent worker is given up; None where there are none.
        **kwargs: As for keras-tuner's own.
    """

    FAILURES = 3

    trials: dict[str, Trial]

    def __init__(
        self,
        on_trial_end: Callable[["SearchOracle"], None] = lambda oracle: None,
        patience: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(max_consecutive_failed_trials=None, **kwargs)
        self.on_trial_end = on_trial_end
        self.patience = patience
        self.failures = 0
        self.heard: dict[str, float] = {}
        self.last_heard = time.monotonic()
        self.verbose = 0

    @property
    def planned(self) -> int:
        """Trials of the whole search."""
        return self.max_trials

    @property
    def ended(self) -> list[Trial]:
        """The trials that have come to an end, in the order of their start."""
        return [self.trials[trial_id] for trial_id in self.start_order if self.trials[trial_id].status in ENDED]

    @property
    def best(self) -> Trial | None:
        """The best trial so far; the first of several that are as good."""
        best = self.get_best_trials(1)
        return best[0] if best and best[0].status == TrialStatus.COMPLETED else None

    @property
    def idle(self) -> bool:
        """Whether no worker has a trial or could ask for one, and none waits to be done again."""
        return not (self.ongoing_trials or self.tuner_ids or self._unfinished())

    def create_trial(self, tuner_id: str) -> Trial:
        """As keras-tuner's, after which the worker is known to live."""
        self._hear(tuner_id)
        self._give_up_the_silent()
        self._retry_queue = self._unfinished()
        return super().create_trial(tuner_id)

    def get_trial(self, trial_id: str) -> Trial:
        """As keras-tuner's, after which the trial's worker is known to live."""
        for tuner_id, trial in self.ongoing_trials.items():
            if trial.trial_id == trial_id:
                self._hear(tuner_id)
        return super().get_trial(trial_id)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """As keras-tuner's, and an end after too many failures."""
        if self.failures >= self.FAILURES:
            return {"status": TrialStatus.STOPPED}
        return super().populate_space(trial_id)

    def end_trial(self, trial: Trial) -> None:
        """As keras-tuner's, then calls `on_trial_end`."""
        super().end_trial(trial)
        completed = self.trials[trial.trial_id].status == TrialStatus.COMPLETED
        self.failures = 0 if completed else self.failures + 1
        self.save()  # keras-tuner has saved it as still going on
        self.on_trial_end(self)

    def save(self) -> None:
        """Writes the oracle's state, whole or not at all."""
        write_record(Path(self._get_oracle_fname()), self.get_state())

    def reload(self) -> None:
        """Reads state and trials; what was killed as it was given out is given out anew."""
        super().reload()
        for trial_id in set(self.trials) - set(self.start_order):
            shutil.rmtree(self._get_trial_dir(trial_id))
        self.trials = {trial_id: self.trials[trial_id] for trial_id in self.start_order}

    def _save_trial(self, trial: Trial) -> None:
        write_record(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def _unfinished(self) -> list[str]:
        """The trials to be done again, but for those that ended all the same."""
        return [trial_id for trial_id in self._retry_queue if self.trials[trial_id].status not in ENDED]

    def _hear(self, tuner_id: str) -> None:
        self.heard[tuner_id] = self.last_heard = time.monotonic()

    def _give_up_the_silent(self) -> None:
        if self.patience is None:
            return
        for tuner_id, heard in list(self.heard.items()):
            if time.monotonic() - heard > self.patience:
                del self.heard[tuner_id]
                self.tuner_ids.discard(tuner_id)
                if trial := self.ongoing_trials.pop(tuner_id, None):
                    self._retry_queue.append(trial.trial_id)
