"""A run keeps the frame rate that it was trained at, whatever is added to its folder."""

import numpy as np
import pytest
from support.frame_rates import walk_at

from agegait import training
from agegait.training import train_run


def record(folder, person, number, rate):
    path = folder / person / f"{number}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, skeleton=walk_at(rate, 20 * ord(person[0]) + number), frame_rate=float(rate))


def frames(dataset):
    return {walk["walk"].decode(): len(walk["skeleton"]) for part in dataset.parts for walk in _walks(dataset, part)}


def _walks(dataset, part):
    return dataset.read(part).as_numpy_iterator()


@pytest.mark.parametrize("resumed", [False, True])
def test_walks_that_were_added_are_brought_to_it(tmp_path, monkeypatch, resumed):
    for person in ("ben", "cleo"):
        for number in range(3):
            record(tmp_path / "walks", person, number, 30)
    settings = training.Settings(str(tmp_path / "walks"))
    run, _, _ = train_run.begin(settings.load(), settings, tmp_path / "run")
    assert run.record.data.frame_rate == 30
    for number in range(3, 12):
        record(tmp_path / "walks", "ben", number, 15)
    if resumed:
        monkeypatch.setattr(train_run, "train_on", lambda dataset, *_: dataset)
        dataset = training.train(settings, tmp_path / "run")
    else:
        dataset = run.load_data()
    assert dataset.frame_rate == 30
    assert set(frames(dataset).values()) == {91}
    assert settings.load().frame_rate == 15  # what most walks have now
    assert any("9 of 15 walks, at 15 Hz, are resampled to 30 Hz" in text for _, text in dataset.notes)
