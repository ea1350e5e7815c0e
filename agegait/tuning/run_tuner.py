import contextlib
import io
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import keras
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FailedTrialError, FatalRuntimeError

from agegait.terminal.console import errors
from agegait.training.run import Run
from agegait.training.settings import Settings
from agegait.tuning.results import PROJECT, reason
from agegait.tuning.search_oracle import ENDED, SearchOracle
from agegait.tuning.search_space import SearchSpace

IDLE_SECONDS = 0.5


class RunTuner(BaseTuner):
    """Runs trials, each the whole training of a run in a folder of its own.

    A resumed trial continues where its training was. The models of the best trial are kept, those of others deleted as
    soon as they are known not to be it.

    Args:
        oracle: Says what to try.
        space: What is varied.
        folder: Of the search.
        train: Trains a run of some settings in a folder.
        heartbeat: Seconds after which a worker tells its chief that it still lives.
    """

    def __init__(
        self,
        oracle: SearchOracle,
        space: SearchSpace,
        folder: Path,
        train: Callable[[Settings, Path], Run],
        heartbeat: float = 60.0,
    ) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # "Reloading Tuner"
            super().__init__(oracle, space, directory=str(folder), project_name=PROJECT)
        self.train = train
        self.heartbeat = heartbeat
        self.answered = True

    def pre_create_trial(self) -> None:
        """Waits a little where the last answer was that there is no trial yet: keras-tuner would ask without end."""
        if not self.answered:
            time.sleep(IDLE_SECONDS)
        self.answered = False

    def on_trial_begin(self, trial: Trial) -> None:
        """Frees what the trial before has left in Keras's hands."""
        self.answered = True
        keras.utils.clear_session()

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Trains a run and returns its accuracy over the validation windows, among others.

        Raises:
            FailedTrialError: The data do not allow of these settings, or the memory does not.
            FatalRuntimeError: The disk is full, or the like, so that other trials would fail as well.
        """
        settings = self.hypermodel.settings(trial.hyperparameters)
        began = time.monotonic()
        try:
            with self._beating(trial.trial_id):
                run = self.train(settings, self.run_folder(trial.trial_id))
        except (ValueError, tf.errors.ResourceExhaustedError) as error:
            raise FailedTrialError(" ".join(str(error).split())) from error
        except OSError as error:
            raise FatalRuntimeError(str(error)) from error
        reached = run.record.trained["recognizer"]
        if reached.validation_accuracy is None or reached.chosen_epoch is None:
            raise FailedTrialError("recognizer: expected a validation accuracy, found none")
        return {
            self.oracle.objective.name: reached.validation_accuracy,
            "chosen_epoch": reached.chosen_epoch,
            "seconds": time.monotonic() - began,
        }

    def on_trial_end(self, trial: Trial) -> None:
        """Tells the oracle, then deletes the models of trials that are not the best."""
        if trial.message:  # said here, since a chief does not hear of it
            errors().print(f"trial {trial.trial_id} failed: {reason(trial)}", soft_wrap=True)
        super().on_trial_end(trial)
        (best,) = self.oracle.get_best_trials(1)
        self.keep_models_of(best)

    def keep_models_of(self, best: Trial) -> None:
        """Deletes the models of the trials that have ended, but for the best one's."""
        for record in Path(self.project_dir).glob("trial_*/*/run.json"):
            folder = record.parent.parent
            status = json.loads((folder / "trial.json").read_text())["status"]
            if status in ENDED and (status != TrialStatus.COMPLETED or folder.name != f"trial_{best.trial_id}"):
                _delete_models(record.parent)

    def run_folder(self, trial_id: str) -> Path:
        """Where this worker trains a trial: two that believe they have it do not write into one folder."""
        return Path(self.get_trial_dir(trial_id)) / self.tuner_id

    def save(self) -> None:
        """Has the oracle write its state; there is no other."""
        if not self._is_worker():
            self.oracle.save()

    def reload(self) -> None:
        """Has the oracle read its state."""
        if not self._is_worker():
            self.oracle.reload()

    def _get_tuner_fname(self) -> str:
        # The same for all, so that a chief can resume a search begun alone.
        return str(Path(self.project_dir) / "oracle.json")

    @contextlib.contextmanager
    def _beating(self, trial_id: str) -> Iterator[None]:
        if not self._is_worker():
            yield
            return
        done = threading.Event()

        def beat() -> None:
            while not done.wait(self.heartbeat):
                with contextlib.suppress(grpc.RpcError):  # a chief that comes back is told by the next one
                    self.oracle.get_trial(trial_id)

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            done.set()


def _delete_models(folder: Path) -> None:
    """Leaves the tables of losses; run.json goes first, so that nobody takes what is left for a run."""
    (folder / "run.json").unlink(missing_ok=True)
    for model in folder.glob("*.keras"):
        model.unlink(missing_ok=True)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
