"""Reproductions of the built-in walkers, small: what they leave, how they go on, what they keep apart."""

import dataclasses
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import time

import numpy as np
import pytest
from support import forked
from support.tiny_run import TINY, WORDS, tiny_settings
from support.walk_writing import kinect_v2, wide_text

from agegait import datasets, evaluation, reproduction, training
from agegait.data import WalkFormat
from agegait.datasets import Windows
from agegait.evaluation import protocols
from agegait.reproduction import published, report
from agegait.reproduction.few_labels import labelled
from agegait.reproduction.records import About, Published, Reproduction, ReproductionData, Spread, ToCome
from agegait.training import recipes, stages
from tfds_builders.walkers import generator

ROWS = ("age-ap", "age-sc", "age-embedder", "d13-knn", "labels-1")
ROWS_AGAIN = ("age-sc", "d13-knn")
"""Those of the second seed."""
DONE = [*((row, 0) for row in ROWS), *((row, 1) for row in ROWS if row in ROWS_AGAIN)]
ROW_OF = {"AGE": "age-ap", "AGE + embedder": "age-embedder", "embedder": None}
SEEDS = (0, 1)
IN_REPRODUCTIONS = set(protocols.PROTOCOLS) - {protocols.Strangers.protocol, protocols.WindowRetrieval.protocol}
"""The others have rows of their own, see embedder_rows_test.py: no run may have seen those who are tested."""

MARK = "published protocol (chosen on the test walks)"


def settings(dataset="walkers", preset="best", walk_format=None, **changes):
    recipe = recipes.recipe(preset, **{**TINY, "epochs": 1, **changes})
    # Frames as `agegait reproduce` has them, which has no option for them.
    return tiny_settings(dataset, frames=6, preset=preset, recipe=recipe, walk_format=walk_format or WalkFormat())


@pytest.fixture(scope="module")
def data_dir(walkers_dir):
    return walkers_dir


@pytest.fixture(scope="module")
def out(data_dir, made_once):
    """A reproduction. Only to be read, and copied."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stages, "BATCHES_AN_EPOCH", 1)
            reproduction.reproduce(settings(), folder, SEEDS[:1], ROWS, data_dir)
            reproduction.reproduce(settings(), folder, SEEDS, ROWS_AGAIN, data_dir)

    return made_once("reproduction", make)


@pytest.fixture
def found(out):
    return Reproduction.read(out)


def result(out, row, seed):
    return json.loads((out / "results" / row / f"seed-{seed}.json").read_text())


def of(found, row, protocol="closed-set recognition", test="test", kind="windows"):
    """A row's line of the summary."""
    key = (protocol, test, kind, row)
    (line,) = (line for line in found.summary if (line.protocol, line.test, line.of, line.row) == key)
    return line


@pytest.mark.slow
def test_rows_that_share_an_encoder_train_it_once(out):
    assert len(list((out / "encoders").iterdir())) == len(SEEDS)
    trained = {
        (row, seed): (out / "runs" / row / f"seed-{seed}" / "encoder.keras").read_bytes()
        for row, seed in DONE
        if row != "d13-knn"
    }
    assert len(set(trained.values())) == len(SEEDS)
    assert trained["age-ap", 0] == trained["age-sc", 0] == trained["labels-1", 0] != trained["age-sc", 1]


@pytest.mark.slow
def test_a_row_is_what_train_and_evaluate_give(out, data_dir, tmp_path, monkeypatch):
    # Exactly, so neither sharing the encoder nor watching the test windows has touched anything.
    monkeypatch.setattr(stages, "BATCHES_AN_EPOCH", 1)
    run = training.train(settings(embedder_epochs=8), tmp_path / "run", data_dir)
    alone = json.loads(json.dumps(evaluation.evaluate(run, data_dir).to_plain()))["tests"]
    for test, results in alone.items():
        for one in results:
            row = ROW_OF[one["method"]]
            if row is None:
                continue
            ours = result(out, row, 0)["tests"][test]
            match = {(other["protocol"], other["of"]): other for other in ours}[one["protocol"], one["of"]]
            assert match == {**one, "method": row}
    assert (
        result(out, "age-ap", 0)["trained"]["recognizer"]["chosen_epoch"]
        == run.record.trained["recognizer"].chosen_epoch
    )


@pytest.mark.slow
def test_mean_and_spread_are_those_of_the_seeds(out, found):
    line = of(found, "age-sc")
    values = [
        next(one for one in result(out, "age-sc", seed)["tests"]["test"] if one["of"] == "windows")["rank"]["1"]
        for seed in SEEDS
    ]
    assert values[0] != values[1]
    assert line.seeds == list(SEEDS)
    assert line.figures["Rank-1"] == Spread(
        mean=pytest.approx(np.mean(values)),
        deviation=pytest.approx(np.std(values, ddof=1)),
        least=min(values),
        most=max(values),
        seeds=2,
        values=values,
    )


def test_spread_over_any_number_of_seeds():
    values = np.random.default_rng(0).random(7).tolist()
    found = Spread.of(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert (found.least, found.most, found.seeds) == (min(values), max(values), 7)
    assert Spread.of([0.25]) == Spread(0.25, None, 0.25, 0.25, 1, [0.25])


@pytest.mark.slow
def test_protocols_are_never_in_one_table(found):
    kinds = {(line.protocol, line.test, line.of) for line in found.summary}
    tables = report.by_protocol(found.summary, found.data.name)
    assert len(tables) == len(kinds)
    assert {protocol for protocol, _ in tables} == IN_REPRODUCTIONS
    for protocol, table in tables:
        assert table.title.startswith(f"{protocol}: ")
        # A name is a table's once: a second row of one name would be a second protocol's.
        assert len({row[0] for row in table.rows}) == len(table.rows)


@pytest.mark.slow
def test_the_published_protocol_has_seen_every_epoch_and_the_honest_one_none_of_it(out, found):
    for row, candidates in (("age-ap", 3), ("d13-knn", 1)):
        tests = result(out, row, 0)["tests"]["test"]
        (flattering,) = (one for one in tests if one["protocol"] == MARK)
        assert flattering["candidates"] == candidates
        assert 1 <= flattering["chosen"] <= candidates
    assert of(found, "age-ap", MARK).samples < of(found, "age-ap").samples
    assert not (out / "watched" / "age-ap" / "seed-0").exists()


def test_of_watched_epochs_the_best_over_test_windows_is_reported():
    def logits():
        for number in (1, 2, 3):
            fixed = np.random.default_rng(number).normal(size=(60, 3))
            fixed[np.arange(60), persons] += (0, 3, 1)[number - 1]
            yield fixed

    persons = np.repeat([0, 1, 2], 20)
    found = protocols.published(logits(), persons)
    assert (found.candidates, found.chosen) == (3, 2)


@pytest.mark.slow
def test_search_and_thresholds_are_of_features_that_all_walks_taught(found):
    first_seed = {
        row: {name: spread.values[0] for name, spread in of(found, row, "retrieval", kind="walks").figures.items()}
        for row in ("age-ap", "age-sc")
    }
    assert first_seed["age-ap"] == first_seed["age-sc"]
    rows = {line.row for line in found.summary if line.protocol == "retrieval"}
    assert rows == {"age-ap", "age-sc", "age-embedder"}


def tables(text):
    """The tables of a Markdown text, each a list of rows of cells."""
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        yield [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()]


@pytest.mark.slow
def test_the_markdown_has_whole_tables(out, found):
    text = (out / "reproduction.md").read_text()
    read = list(tables(text))
    assert len(read) == len(report.by_protocol(found.summary, found.data.name)) + 2
    for header, rule, *rows in read:
        assert all(re.fullmatch(r" -{3}:? ", cell) for cell in rule)
        assert rows
        assert {len(row) for row in (header, rule, *rows)} == {len(header)}
    figure = of(found, "age-sc").figures["Rank-1"]
    assert f"| {100 * figure.mean:.1f} ± {100 * figure.deviation:.1f} (" in text
    assert text.count("\n## ") == len(IN_REPRODUCTIONS) + 3
    assert "published Rank-1" not in text  # nobody has published figures of the walkers


@pytest.mark.slow
def test_the_report_says_how_it_was_made(out, found):
    assert found.data.name == "walkers"
    assert {part: len(walks) for part, walks in found.data.split.items()} == {
        "train": 80,
        "validation": 20,
        "test": 20,
        "test_b": 40,
    }
    assert len(result(out, "labels-1", 0)["labelled"]) == 20
    for one in json.loads((out / "reproduction.json").read_text())["results"]:
        assert set(one) >= {"format", "settings", "versions", "machine", "seconds"}
    by_row = sorted(DONE, key=lambda done: ROWS.index(done[0]))
    assert [(one.row, one.seed) for one in found.results] == by_row


@pytest.mark.slow
def test_more_rows_and_seeds_are_added_and_nothing_is_done_again(out, data_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    before = {path: path.stat().st_mtime_ns for path in copy.glob("results/*/*.json")}
    more = ("states", "untrained", "age-ap", "mlp-labels-1")
    found = reproduction.reproduce(settings(), copy, (0,), more, data_dir)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list((copy / "encoders").iterdir())) == len(SEEDS) + 1  # that of age-ap, found again, and the untrained
    assert result(copy, "untrained", 0)["trained"]["encoder"]["epochs"] == 0
    order = list(dict.fromkeys(one.row for one in found.results))
    assert order == [
        "age-ap",
        "age-sc",
        "age-embedder",
        "untrained",
        "d13-knn",
        "states",
        "labels-1",
        "mlp-labels-1",
    ]
    assert found.to_come == []
    (flattering,) = (one for one in result(copy, "mlp-labels-1", 0)["tests"]["test"] if one["protocol"] == MARK)
    assert flattering["candidates"] == 20
    assert of(found, "mlp-labels-1", kind="walks").figures["Rank-1"].mean > 0.3  # chance: 0.05
    rows = {line.row for line in found.summary if line.protocol == "retrieval"}
    assert rows == {"age-ap", "age-sc", "age-embedder", "states", "untrained"}
    assert of(found, "states").seeds == [0]
    assert of(found, "states").figures["Rank-1"].deviation is None
    assert of(found, "age-sc").seeds == [0, 1]
    found = reproduction.reproduce(settings(), copy, (2,), ("d13-knn",), data_dir, command="agegait reproduce")
    assert of(found, "d13-knn").seeds == [0, 1, 2]
    assert "Under way" not in report.markdown(found)
    assert "Under way: 1 runs are still to come, of mlp." in report.markdown(
        dataclasses.replace(found, to_come=[ToCome("mlp", 0)])
    )
    assert "- Command: `agegait reproduce`" in (copy / "reproduction.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (settings(preset="paper"), "holds a reproduction of other settings: .*preset 'best', not 'paper'"),
        (settings(units=8), "holds a reproduction of other settings: encoder_units 16, not 8"),
    ],
)
def test_a_folder_of_other_settings_is_refused(out, data_dir, asked, message):
    with pytest.raises(ValueError, match=message):
        reproduction.reproduce(asked, out, SEEDS, ROWS, data_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "0.0.1"}, r"other settings: agegait 0\.0\.1, not "),
        ({"format": 99}, "expected format 4, as this version of agegait writes, found 99"),
        ({"data": {"version": "0.9.0"}}, r"holds a reproduction of walkers 0\.9\.0, not 1"),
    ],
)
def test_a_folder_of_another_version_is_refused(out, data_dir, tmp_path, change, message):
    about = json.loads((out / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(
        json.dumps({**about, **change, "data": {**about["data"], **change.get("data", {})}})
    )
    with pytest.raises(ValueError, match=message):
        reproduction.reproduce(settings(), tmp_path, SEEDS, ROWS, data_dir)


@pytest.mark.slow
def test_other_walks_than_before_are_refused(out, data_dir, tmp_path):
    about = json.loads((out / "settings.json").read_text())
    about["data"]["split"]["train"].pop()
    (tmp_path / "settings.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match="holds what other walks of walkers have made"):
        reproduction.reproduce(settings(), tmp_path, (5,), ("d13-knn",), data_dir)


def test_the_command_of_before_is_kept_and_a_damaged_record_named(tmp_path):
    about = About("1", settings(), ReproductionData("walkers", "1", 20, "", 0.0, []))
    assert report.write(tmp_path, about, "agegait reproduce").command == "agegait reproduce"
    assert report.write(tmp_path, about).command == "agegait reproduce"
    (tmp_path / Reproduction.FILE).write_text("[1]")
    with pytest.raises(ValueError, match=r"reproduction\.json: expected an object, found \[1\]"):
        report.write(tmp_path, about)


def test_what_is_no_reproduction_is_refused(data_dir, tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="or a reproduction to resume, found something else"):
        reproduction.reproduce(settings(), tmp_path, SEEDS, ROWS, data_dir)


@pytest.mark.parametrize(
    ("seeds", "rows", "message"),
    [
        ((), ROWS, "seeds: expected whole numbers from 0"),
        ((-1,), ROWS, "seeds: expected whole numbers from 0"),
        ((0,), ("age",), "rows: expected some of table, baselines, .*, received 'age'"),
        ((0,), (), "rows: expected some of table, baselines, .*, received none"),
    ],
)
def test_seeds_and_rows_that_make_no_sense_are_refused(data_dir, tmp_path, seeds, rows, message):
    with pytest.raises(ValueError, match=message):
        reproduction.reproduce(settings(), tmp_path / "out", seeds, rows, data_dir)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_do_not_work_in_one_folder(out, data_dir):
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another reproduction is at work in this folder"):
            reproduction.reproduce(settings(), out, SEEDS, ROWS, data_dir)


@pytest.mark.slow
def test_killed_anywhere_it_goes_on_to_the_same_figures(out, data_dir, tmp_path):
    words = list(WORDS)
    frames = words.index("--frames")
    del words[frames : frames + 2]
    command = [sys.executable, "-m", "agegait", "reproduce", "--dataset", "walkers", *words, "--epochs", "1"]
    command += [
        "--seeds",
        "0",
        "--rows",
        "age-ap",
        "age-sc",
        "--data-dir",
        str(data_dir),
        "--out",
        str(tmp_path / "out"),
    ]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    for stage in ("encoders/*/checkpoints/encoder-*", "runs/age-sc/*/checkpoints/recognizer-*"):
        process = forked.Popen(command, env=environment, stderr=forked.DEVNULL)
        deadline = time.monotonic() + 600  # of a busy machine
        while not list((tmp_path / "out").glob(stage)):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "out" / "results" / "age-sc" / "seed-0.json").exists()
    done = forked.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"{MARK}: " in " ".join(done.stdout.split())
    assert "written:" in done.stdout
    for row in ("age-ap", "age-sc"):
        assert result(tmp_path / "out", row, 0)["tests"] == result(out, row, 0)["tests"]


@pytest.mark.slow
def test_a_folder_of_ones_own_is_a_data_set_like_any_other(tmp_path):
    for person, name in enumerate(("anna", "ben", "cleo", "dora")):
        for number in range(3):
            path = tmp_path / "own" / name / f"{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wide_text(1000 * kinect_v2(generator.walk(person, "a", number)[0])))
    asked = settings(str(tmp_path / "own"), walk_format=WalkFormat("kinect_v2", "mm"))
    found = reproduction.reproduce(asked, tmp_path / "out", (0,), ("d13-knn",))
    assert of(found, "d13-knn", kind="walks").samples == 4
    assert found.published.figures == {}
    with pytest.raises(ValueError, match="expected people with more training walks, found at most 1"):
        reproduction.reproduce(asked, tmp_path / "other", (0,), ("labels-1",))
    assert not (tmp_path / "other").exists()


def test_labelled_walks_are_as_many_as_asked_of_each_and_fewer_are_among_more():
    persons = np.repeat([0, 0, 0, 0, 1, 1, 2], 5)
    walks = np.repeat(["a", "b", "c", "d", "e", "f", "g"], 5)
    windows = Windows(np.zeros((35, 6, 20, 3), "float32"), persons, walks)
    one, two, three = (labelled(windows, count, seed=4) for count in (1, 2, 3))
    for count, known in ((1, one), (2, two), (3, three)):
        for person, most in ((0, 4), (1, 2), (2, 1)):
            assert len(set(walks[known & (persons == person)])) == min(count, most)
    assert not np.any(one & ~two)
    assert not np.any(two & ~three)
    assert len({labelled(windows, 1, seed).tobytes() for seed in range(20)}) > 1
    with pytest.raises(ValueError, match=r"labels of 4 walks a person: expected .* found at most 4\."):
        labelled(windows, 4, seed=0)


# As the paper's table has them: Rank-1 and nAUC on BIWI, IAS-A, IAS-B and KGBD.
PAPER = """
age-ap           59.1 86.5  56.1 81.7  58.2 85.3  87.7 96.3
d13-knn          39.3 64.3  33.8 63.6  40.5 71.1  46.9 90.0
d16-adaboost     41.8 74.1  27.4 65.5  39.2 78.2  69.9 90.6
lstm             15.8 65.8  20.0 65.9  19.1 68.4  39.8 87.2
lstm-multilayer  36.1 75.6  34.4 72.1  30.9 71.9  46.2 89.8
PoseGait         33.3 81.8  41.4 79.9  37.1 74.8  90.6 97.8
"""
PAPER_ABLATION = """
basic-forward    45.7 84.1
basic            55.1 85.2
states           57.7 85.8
forward          57.2 85.7
age-ap           59.1 86.5
"""


def test_published_figures_are_those_of_the_paper():
    columns = [("biwi", "walking"), ("ias", "test_a"), ("ias", "test_b"), ("kgbd", "test")]
    assert list(published.PUBLISHED) == columns
    for line in PAPER.split("\n")[1:-1]:
        row, *figures = line.split()
        for number, column in enumerate(columns):
            assert published.PUBLISHED[column][row] == tuple(float(text) for text in figures[2 * number :][:2])
    for line in PAPER_ABLATION.split("\n")[1:-1]:
        row, *figures = line.split()
        assert published.PUBLISHED["biwi", "walking"][row] == tuple(float(text) for text in figures)
    for dataset, test in columns:
        assert test in datasets.SPLITS[dataset].tests
        assert dataset in published.NOTES


@pytest.mark.slow
def test_published_figures_stand_beside_ours_by_the_same_protocol_and_marked_by_another(found):
    kgbd = dataclasses.replace(found, data=dataclasses.replace(found.data, name="kgbd"))
    tables = {
        (protocol, table.title.endswith("windows of test")): table
        for protocol, table in report.by_protocol(kgbd.summary, "kgbd")[:6]
    }
    same, other = tables[MARK, True], tables["closed-set recognition", True]
    headings = ["published Rank-1", "published nAUC (ROC)"]
    assert [column.heading for column in same.columns[-2:]] == headings
    assert [column.heading for column in other.columns[-2:]] == [f"{name} (by another protocol)" for name in headings]
    names = []
    for table in (same, other):
        rows = {row[0].text: [cell.text for cell in row[-2:]] for row in table.rows}
        assert rows["age-ap"] == ["87.7", "96.3"]
        assert rows["d13-knn"] == ["46.9", "90.0"]
        assert rows["age-sc"] == ["-", "-"]
        names.append(set(rows))
    assert names[0] - names[1] == {"PoseGait"}
    text = report.markdown(dataclasses.replace(kgbd, published=Published(published.SOURCE, {"test": {}})))
    assert published.SOURCE in text
    assert published.NOTES["kgbd"] in text
    # Nothing is published of walks, of searches or of other test splits.
    for _, table in report.by_protocol(kgbd.summary, "kgbd"):
        assert any("published" in column.heading for column in table.columns) == (table in (same, other))


@pytest.mark.parametrize("preset", recipes.PRESETS)
def test_every_row_is_a_run_that_can_be_asked_for(preset):
    base = training.Settings("kgbd", preset=preset, recipe=recipes.recipe(preset, "kgbd"))
    for name, row in reproduction.ROWS.items():
        assert row.name == name
        own = row.of(base, 7)
        before, after = dataclasses.asdict(base), dataclasses.asdict(own)
        assert {field for field in after if after[field] != before[field]} <= {*row.settings, "recipe", "seed"}
        assert own.seed == 7
    for names in reproduction.GROUPS.values():
        assert [row.name for row in reproduction.find(names)] == [row for row in reproduction.ROWS if row in names]


def test_the_ablations_are_all_there():
    base = training.Settings("kgbd")
    asked = [row.of(base, 0) for row in reproduction.find(["ablations"])]
    for name, values in {
        "attention": {"LA", "BA", "MBAS"},
        "direction": {"reverse", "forward"},
        "features": {"ages", "states"},
        "feed": {"zeros", "previous", "target"},
        "frames": {4, 6, 8, 10},
    }.items():
        assert {getattr(own, name) for own in asked} == values
    assert {row.labelled_walks for row in reproduction.find(["few-labels"])} == {None, 1, 2, 3}
