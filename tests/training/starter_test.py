import functools

import numpy as np
import pytest

from agegait.gallery import Calibration
from agegait.models import GaitEmbedder
from agegait.training import EmbedderTraining, starter
from tfds_builders.walkers.crowd import Crowd

TINY = {"units": 4, "embedding_size": 3, "dilations": ()}
SMALL = Crowd(persons=4, walks=2), Crowd(persons=5, walks=2, sensors=2, seed=1)
QUICK = EmbedderTraining("persons", batches=2, warmup=1, labels_per_batch=4, frames=(64, 64), embedder=TINY)

pytestmark = pytest.mark.usefixtures("eagerly")


@functools.cache
def trained():
    return starter.train_starter(*SMALL, QUICK)


@pytest.mark.slow
def test_the_seed_says_all():
    walks = SMALL[1].recorded().skeletons
    np.testing.assert_array_equal(starter.train_starter(*SMALL, QUICK).embed(walks), trained().embed(walks))


def test_the_shipped_one_has_the_architecture_that_the_module_trains():
    shipped = GaitEmbedder.from_preset("walkers")
    settings = {**starter.TRAINING.embedder}
    assert {name: shipped.get_config()[name] for name in settings} == settings


@pytest.mark.slow
def test_the_command_writes_a_preset(monkeypatch, tmp_path):
    embedder = trained()  # before its name is another's
    strangers = Crowd(persons=24, walks=2, sensors=2, seed=2)
    monkeypatch.setattr(starter, "train_starter", lambda: embedder)
    monkeypatch.setattr(starter.calibrate_starter, "__defaults__", (strangers, 12))
    path = tmp_path / "new.keras"
    assert starter.main(["--out", str(path)]) == 0
    walk = np.random.default_rng(0).normal(size=(20, 20, 3))
    np.testing.assert_array_equal(GaitEmbedder.from_preset(path).embed(walk), embedder.embed(walk))
    beside = path.with_suffix(".calibration.json")
    first = Calibration.load(beside)
    assert (first.fingerprint, first.people, first.generated) == (embedder.fingerprint(), 12, True)
    beside.unlink()
    monkeypatch.delattr(starter, "train_starter")
    assert starter.main(["--out", str(path), "--calibrate"]) == 0
    assert Calibration.load(beside) == first


@pytest.mark.parametrize("name", ["new.h5", "nowhere/new.keras"])
def test_the_command_refuses_what_it_cannot_write(name, tmp_path, capsys):
    with pytest.raises(SystemExit):
        starter.main(["--out", str(tmp_path / name)])
    assert "--out: expected a file" in capsys.readouterr().err
