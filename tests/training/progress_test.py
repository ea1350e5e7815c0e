import io

import keras
import numpy as np
import pytest
from rich.console import Console

from agegait.training.callbacks import ProgressLine, progress_line as progress


def console(terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=120)


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    return model


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


ROWS = np.ones((6, 2), "float32")


def begun(output, epochs=2, steps=3):
    line = ProgressLine("encoder", samples=60, console=output)
    line.set_params({"epochs": epochs, "steps": steps})
    line.on_train_begin()
    return line


def test_away_from_a_terminal_it_prints_a_line_an_epoch(model):
    output = console(terminal=False)
    line = ProgressLine("encoder", samples=6, console=output)
    history = model.fit(ROWS, ROWS[:, :1], validation_data=(ROWS, ROWS[:, :1]), epochs=2, verbose=0, callbacks=[line])
    losses = zip(history.history["loss"], history.history["val_loss"], strict=True)
    assert output.file.getvalue().splitlines() == [
        f"encoder: epoch {epoch} of 2  loss {loss:.4g}  val loss {val_loss:.4g}"
        for epoch, (loss, val_loss) in enumerate(losses, 1)
    ]


def test_a_prediction_away_from_a_terminal_prints_nothing(model):
    output = console(terminal=False)
    model.predict(ROWS, verbose=0, callbacks=[ProgressLine("AGEs", samples=6, console=output)])
    assert output.file.getvalue() == ""


def test_a_terminal_shows_how_far_how_fast_and_how_well(clock):
    output = console(terminal=True)
    line = begun(output)
    line.on_epoch_begin(1)
    clock.now += 4
    line.on_train_batch_end(1, {"loss": 0.25, "other": 1.0})
    line.on_train_end()
    shown = output.file.getvalue()
    # Two of three steps of the second epoch: five of six, forty of sixty windows in four seconds.
    assert "encoder" in shown
    assert "83%" in shown
    assert "epoch 2/2  loss 0.25  10 windows/s" in shown
    assert "other" not in shown


def test_a_prediction_on_a_terminal(model):
    output = console(terminal=True)
    line = ProgressLine("AGEs", samples=6, console=output, unit="rows")
    model.predict(ROWS, batch_size=2, verbose=0, callbacks=[line])
    assert "100%" in output.file.getvalue()
    assert "rows/s" in output.file.getvalue()


def test_a_training_taken_up_again_shows_the_whole():
    output = console(terminal=True)
    line = begun(output, epochs=4, steps=5)
    line.on_epoch_begin(2)
    line.on_train_batch_end(0, {})
    line.on_train_end()
    assert "55%" in output.file.getvalue()


def test_the_validation_of_the_last_epoch_stays_on_the_line():
    output = console(terminal=True)
    line = begun(output)
    line.on_epoch_begin(0)
    line.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75, "val_accuracy": 0.5})
    line.on_epoch_begin(1)
    line.on_train_batch_end(0, {"loss": 0.25})
    line.on_train_end()
    assert "epoch 2/2  loss 0.25  val loss 0.75  val accuracy 0.5" in output.file.getvalue()


def test_the_line_fits_80_columns(clock):
    output = Console(file=io.StringIO(), force_terminal=True, width=80)
    line = begun(output, epochs=400, steps=1000)
    line.on_epoch_begin(0)
    line.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.7512})
    line.on_epoch_begin(1)
    clock.now += 4
    line.on_train_batch_end(0, {"loss": 0.2512})
    line.on_train_end()
    assert "epoch 2/400  loss 0.2512  val loss 0.7512" in output.file.getvalue()


def test_away_from_a_terminal_nobody_waits_longer_than_20_seconds(clock):
    output = console(terminal=False)
    line = begun(output, epochs=3, steps=10)
    line.on_epoch_begin(1)  # resumed
    for batch in range(4):
        clock.now += 12
        line.on_train_batch_end(batch, {"loss": 0.25})
    assert output.file.getvalue().splitlines() == [
        "encoder: batch 2 of 10  epoch 2/3  loss 0.25  0 windows/s  4 min left",
        "encoder: batch 4 of 10  epoch 2/3  loss 0.25  0 windows/s  3 min left",
    ]


def test_a_long_prediction_away_from_a_terminal_says_how_far_it_is(clock):
    output = console(terminal=False)
    line = ProgressLine("AGEs", samples=60, console=output)
    line.set_params({"steps": 3})
    line.on_predict_begin()
    clock.now += 21
    line.on_predict_batch_end(0)
    assert output.file.getvalue().splitlines() == ["AGEs: batch 1 of 3  1 windows/s  42 s left"]


def test_data_of_unknown_length():
    output = console(terminal=True)
    line = begun(output, steps=None)
    line.on_epoch_begin(0)
    line.on_train_batch_end(2, {"loss": 0.25})
    line.on_train_end()
    shown = output.file.getvalue()
    assert "loss 0.25" in shown
    assert "windows/s" not in shown


HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def test_a_training_that_breaks_off_gives_the_cursor_back(monkeypatch):
    at_exit = []
    monkeypatch.setattr(progress.atexit, "register", at_exit.append)
    output = console(terminal=True)
    begun(output)
    assert HIDE in output.file.getvalue()
    assert SHOW not in output.file.getvalue()
    for function in at_exit:
        function()
    assert SHOW in output.file.getvalue()


def test_a_training_that_ends_leaves_nothing_for_the_exit(monkeypatch):
    registered, unregistered = [], []
    monkeypatch.setattr(progress.atexit, "register", registered.append)
    monkeypatch.setattr(progress.atexit, "unregister", unregistered.append)
    output = console(terminal=True)
    begun(output).on_train_end()
    assert SHOW in output.file.getvalue()
    assert len(registered) == 1
    assert unregistered == registered
