"""Rows of embedders: strangers, and single windows."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from support.tiny_run import TINY, tiny_settings
from support.walk_writing import kinect_v2, wide_text

from agegait import evaluation, reproduction
from agegait.data import WalkFormat, Walks
from agegait.evaluation import protocols
from agegait.reproduction import embedders, published, report
from agegait.skeletons import STANDING
from agegait.training import EmbedderTraining, EncodingTraining, recipes
from tfds_builders.walkers import generator

SMALL = {"units": 4, "embedding_size": 4, "dilations": ()}


def row(name):
    return reproduction.ROWS[name]


@pytest.fixture(scope="module")
def dataset():
    random = np.random.default_rng(0)
    persons = np.repeat([f"p{number}" for number in range(10)], 4)
    sizes = dict(zip(np.unique(persons), 1 + 0.1 * random.normal(size=(10, 20, 1)), strict=True))
    skeletons = [
        (STANDING * sizes[person] + random.normal(0, 0.01, (45, 20, 3))).astype("float32") for person in persons
    ]
    walks = Walks(skeletons, persons, np.array([f"walk-{number}" for number in range(40)]))
    return SimpleNamespace(whole_walks=lambda: walks, frame_rate=30.0)


@pytest.fixture
def trained(monkeypatch):
    """The trainings that took place; each is a small one."""
    done = []

    def small(asked, settings, _dataset):
        done.append(asked.name)
        return EmbedderTraining(batches=1, seed=settings.seed, embedder=SMALL)

    monkeypatch.setattr(embedders, "_training", small)
    monkeypatch.setattr(embedders, "DIVISIONS", 2)
    return done


@pytest.mark.slow
def test_strangers_are_tested_in_each_division_and_a_trained_embedder_is_not_trained_again(dataset, trained, tmp_path):
    asked = row("strangers-persons")
    settings = asked.of(tiny_settings(), 3)
    found = embedders.tests(asked, settings, dataset, tmp_path / "kept")["strangers"]
    assert [one.of for one in found] == [
        f"{probe}, gallery of {gallery}" for probe in ("walks", "1 s") for gallery in protocols.GALLERIES
    ]
    assert {(one.method, one.protocol, one.figures.divisions) for one in found} == {
        ("strangers-persons", "strangers", 2)
    }
    assert all(len(one.figures.intervals["rank_1"]) == 2 for one in found)
    assert trained == ["strangers-persons"] * 2
    kept = sorted((tmp_path / "kept").iterdir())
    assert [path.name for path in kept] == ["division-0.keras", "division-1.keras"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    kept[1].unlink()  # as if it had been killed in the second training
    again = embedders.tests(asked, settings, dataset, tmp_path / "kept")["strangers"]
    assert trained == ["strangers-persons"] * 3
    assert again == found


@pytest.mark.parametrize("name", ["windows-persons", "windows-strangers"])
@pytest.mark.usefixtures("eagerly")
def test_windows_say_whether_their_people_were_trained_on(dataset, trained, tmp_path, name):
    asked = row(name)
    (found,) = embedders.tests(asked, asked.of(tiny_settings(frames=6), 0), dataset, tmp_path)["windows"]
    assert (found.protocol, found.figures.people, found.figures.frames) == ("window retrieval", asked.windows_of, 6)
    assert found.figures.samples == (10 if asked.windows_of == "closed" else 4) * 7


def test_each_row_is_trained_as_it_says():
    base = tiny_settings(recipe=recipes.recipe("best", embedder_epochs=3), frames=6)
    dataset = SimpleNamespace(frame_rate=25.0)
    for name in (*reproduction.GROUPS["strangers"], *reproduction.GROUPS["windows"]):
        settings = row(name).of(base, 5)
        training = embedders._training(row(name), settings, dataset)
        assert (training.learning, training.seed) == (row(name).learning, 5)
        if row(name).learning in EncodingTraining.LEARNING:
            assert training.recipe == settings.recipe
            assert settings.recipe.embedder_epochs is None
        elif row(name).windows_of:
            assert (training.frames, training.batches) == ((6, 6), 600)
        else:
            assert (training.frames, training.batches) == (EmbedderTraining.frames, 300)
            assert training.embedder == {"frame_rate": 25.0}
    without = tiny_settings(recipe=recipes.recipe("paper"))
    assert row("strangers-persons").of(without, 0).recipe.embedder_epochs == recipes.PRESETS["best"].embedder_epochs


def stranger_result(seed, value):
    ends = dict.fromkeys(("rank_1", "mean_average_precision", "equal_error_rate"), (value - 0.1, value + 0.05))
    figures = protocols.Strangers(
        *("walks", "one walk", 640, 9999, 0, 4.0, 1, {1: value}, value, value, value, {}, {}, ends, (value,)),
        protocols.Curve((1.0,), (1.0,)),
    )
    one = evaluation.Result("strangers-walks", "walks, gallery of one walk", figures)
    return SimpleNamespace(row="strangers-walks", seed=seed, tests={"strangers": [one]})


def window_result(people, value):
    ranks = dict.fromkeys((1, 5, 10), value)
    figures = protocols.WindowRetrieval(70, 140, ranks, value, value, (value,), people, 6)
    one = evaluation.Result(f"windows-{people}", "windows", figures)
    return SimpleNamespace(row=f"windows-{people}", seed=0, tests={"windows": [one]})


def by_protocol(results, name="kgbd"):
    return report.by_protocol(report.summary(results), name)


def test_a_table_of_strangers_has_intervals_over_people():
    ((protocol, table),) = by_protocol([stranger_result(0, 0.8), stranger_result(1, 0.7)])
    assert protocol == "strangers"
    assert table.title == "strangers: walks, gallery of one walk"
    assert [column.heading for column in table.columns][:5] == ["row", "seeds", "Rank-1", "mAP", "EER"]
    assert str(table.rows[0][2]) == "75.0 ± 7.1 (65.0 to 80.0)"
    assert "by resampling people" in table.caption
    ((_, one),) = by_protocol([stranger_result(0, 0.8)])
    assert str(one.rows[0][2]) == "80.0 (70.0 to 85.0)"


def test_a_table_of_windows_has_the_published_figures_and_says_who_was_trained_on():
    ((protocol, table),) = by_protocol([window_result("closed", 0.8), window_result("open", 0.6)])
    assert protocol == "window retrieval"
    rows = {cells[0].text: [cell.text for cell in cells[1:]] for cells in table.rows}
    assert rows["windows-closed"] == ["closed", "70", "1", "80.0", "80.0", "80.0", "80.0"]
    assert rows["windows-open"][0] == "open"
    assert rows["published: SimMC"] == ["closed", "-", "-", "54.9", "66.2", "70.6", "11.7"]
    assert rows["published: D13 descriptors"][0] == "not trained"
    assert {name for name in rows if name.startswith("published")} == {
        f"published: {name}" for name in published.WINDOWS["kgbd"]
    }
    assert published.WINDOW_SOURCE in table.caption
    ((_, other),) = by_protocol([window_result("closed", 0.8)], "walkers")
    assert len(other.rows) == 1
    assert not other.caption


@pytest.mark.slow
def test_encoders_are_rows_of_a_whole_reproduction(monkeypatch, tmp_path):
    monkeypatch.setattr(embedders, "DIVISIONS", 1)
    for person in range(5):
        for number in range(4):
            path = tmp_path / "own" / f"person{person}" / f"{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wide_text(1000 * kinect_v2(generator.walk(person, "a", number)[0])))
    recipe = recipes.recipe("best", **{**TINY, "epochs": 1})
    settings = tiny_settings(str(tmp_path / "own"), recipe=recipe, frames=6, walk_format=WalkFormat("kinect_v2", "mm"))
    names = ("strangers-ages", "windows-cages")
    found = reproduction.reproduce(settings, tmp_path / "out", (0,), names)
    assert {line.protocol for line in found.summary} == {"strangers", "window retrieval"}
    text = (tmp_path / "out" / "reproduction.md").read_text()
    assert "## Strangers" in text
    assert "by resampling people" in text
    path = tmp_path / "out" / "results" / "windows-cages" / "seed-0.json"
    before, kept = json.loads(path.read_text()), tmp_path / "out/embedders/windows-cages/seed-0/division-0.keras"
    written = kept.stat().st_mtime_ns
    path.unlink()
    reproduction.reproduce(settings, tmp_path / "out", (0,), names)
    assert kept.stat().st_mtime_ns == written
    assert json.loads(path.read_text())["tests"] == before["tests"]
