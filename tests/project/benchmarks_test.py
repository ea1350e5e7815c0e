"""The benchmarks in small: that they run to their end and say what they promise. How fast is not for a test to say."""

import dataclasses
import importlib
import itertools
import json
import math
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import forked

from agegait.training import Settings, recipes
from agegait.training.run_record import RunRecord

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def modules():
    """Opens a benchmark as a module, as the benchmarks open each other."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def run(modules, tmp_path, monkeypatch, capsys):
    """Gives `run(name, word, ...)`: what a benchmark prints, and the JSON that it writes."""
    monkeypatch.setattr(modules("timing"), "subprocess", forked)

    def run(name, *words):
        path, script = tmp_path / f"{name}.json", BENCHMARKS / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(script), "--quick", "--json", str(path), *words])
        runpy.run_path(str(script), run_name="__main__")
        return capsys.readouterr().out, json.loads(path.read_text())

    return run


def positive(found, *names):
    for name in names:
        values = found[name].values() if isinstance(found[name], dict) else [found[name]]
        assert values
        assert all(math.isfinite(value) and value > 0 for value in values), name


def same_environment(printed, environment):
    assert environment["cores"] == os.cpu_count()
    assert {"python", "tensorflow", "keras"} <= set(environment["versions"])
    assert printed.splitlines()[-1].startswith(f"{environment['date']}; {environment['processor']}")


def leave_run(folder, preset, batch_size, losses, rank=None):
    """What `benchmarks/steps.py` reads of a finished run that trained on 100 windows."""
    recipe = recipes.recipe(preset, batch_size=batch_size)
    settings = dataclasses.asdict(Settings("walkers", preset=preset, recipe=recipe))
    trained = {"encoder": {"epochs": len(losses), "seconds": 5.0}, "recognizer": {"epochs": 1, "seconds": 1.0}}
    (folder / "history").mkdir(parents=True)
    split = {"train": ["ann/1"], "validation": ["ann/2"], "windows": {"train": 100, "validation": 10}}
    record = {
        "format": RunRecord.FORMAT,
        "settings": settings,
        "trained": trained,
        "normalization": {"center": 0, "unit": "m"},
        "versions": dict.fromkeys(("agegait", "keras", "tensorflow", "numpy", "python"), "1"),
        "machine": {"processor": "one", "cores": 2, "system": "one"},
        "data": {
            "name": "walkers",
            "version": "1.0.0",
            "persons": ["ann", "bob"],
            "licence": "",
            "preparation": {},
            "held_out": 0.2,
            "notes": [],
            "split": split,
        },
    }
    (folder / "run.json").write_text(json.dumps(record))
    lines = [f"{epoch},{loss}" for epoch, loss in enumerate(losses)]
    (folder / "history" / "encoder.csv").write_text("\n".join(["epoch,val_reconstruction_loss", *lines]))
    if rank is not None:
        result = {"method": "AGE", "protocol": "closed-set recognition", "of": "windows", "rank": {"1": rank}}
        (folder / "evaluation.json").write_text(json.dumps({"tests": {"test": [result]}}))
    return folder


def steps(*words):
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "steps.py"), *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_steps_to_the_loss_of_the_first_run(tmp_path):
    first = leave_run(tmp_path / "first", "paper", 50, [4.0, 3.0, 2.5, 2.0], 0.5)  # two steps an epoch
    second = leave_run(tmp_path / "second", "best", 30, [3.0, 2.0, 1.0])  # four
    slow = leave_run(tmp_path / "slow", "best", 100, [5.0, 2.1])
    done = steps(first, second, slow, "--plot", tmp_path / "steps.svg")
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    assert rows == [
        ["paper", "8", "400", "2.0000", "8", "50.0 %"],
        ["best (second)", "12", "300", "1.0000", "8", ""],
        ["best (slow)", "2", "200", "2.1000", "never", ""],
    ]
    assert (tmp_path / "steps.svg").read_text().count("<svg") == 1


@pytest.mark.slow
def test_steps_of_a_run_that_is_not_finished(tmp_path):
    folder = leave_run(tmp_path / "run", "best", 50, [1.0])
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "trained": {}}))
    done = steps(folder)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("run: expected a finished run.")


@pytest.mark.slow
def test_the_encoder_beside_its_products(run):
    printed, found = run("encoder")
    same_environment(printed, found["environment"])
    assert list(found["encoder"]) == [
        f"{what}, {precision}" for precision in ("float32", "mixed_bfloat16") for what in ("training", "features")
    ]
    for part in found["encoder"].values():
        if "skipped" not in part:
            positive(part, "windows_per_second", "gflops", "product_gflops", "square_gflops", "share")
            positive(part, "share_of_processor_time")
            # One round, so that the median of a ratio is the ratio of the medians.
            assert part["share"] == pytest.approx(part["gflops"] / part["product_gflops"])
            assert part["share_of_square"] == pytest.approx(part["gflops"] / part["square_gflops"])
            assert part["peak_mib"] >= part["imported_mib"] > 100


@pytest.mark.slow
def test_the_recognizer_beside_its_products_and_keras_adam(run):
    printed, found = run("recognizer")
    same_environment(printed, found["environment"])
    trainings = found["recognizer"]["trainings"]
    assert list(trainings)[:2] == ["float32", "float32, Keras's Adam"]
    assert trainings["float32"]["of_float32"] == 1
    for training in trainings.values():
        positive(training, "frames_per_second", "gflops", "product_gflops", "share", "of_float32")
        assert training["share"] == pytest.approx(training["gflops"] / training["product_gflops"])


@pytest.mark.slow
def test_walks_named_in_process(run):
    printed, found = run("identify", "--people", "7")
    same_environment(printed, found["environment"])
    (part,) = found["identify"].values()
    assert part["people"] == 7
    positive(part, "milliseconds_of_one_walk", "walks_per_second", "gflops", "product_gflops", "share", "peak_mib")


@pytest.mark.slow
def test_a_running_answer_and_its_embedding(run):
    printed, results = run("watch")
    same_environment(printed, results["environment"])
    assert list(results["watch"]["models"]) == ["starter", "embedder"]
    for figures in results["watch"]["models"].values():
        positive(figures, "answer", "embed", "running")


@pytest.mark.slow
def test_one_window_in_both_orders(run):
    printed, results = run("window")
    same_environment(printed, results["environment"])
    assert set(results["window"]["windows"]) == {"1", "2"}
    for found in results["window"]["windows"].values():
        positive(found, "many_ms", "few_ms", "signature_ms", "few_of_many")


@pytest.mark.slow
def test_loading_once_and_again(run, tmp_path):
    text = tmp_path / "text" / "Person001"
    text.mkdir(parents=True)
    from agegait import skeletons

    frame = "".join(f"{joint};0.1;0.2;3.0\n" for joint in skeletons.KGBD)
    (text / "1.txt").write_text(frame * 13)
    _, found = run("loading", "--kgbd-text", str(text.parent), "--data-dir", str(tmp_path / "data"))
    assert (tmp_path / "data" / "walkers").is_dir()
    first, second, read = (found["loading"][part] for part in ("first", "second", "text"))
    assert first["windows"] == second["windows"] > 100
    assert read["walks"] == 1
    assert read["windows_per_second"] * read["load_seconds"] == pytest.approx(2)  # 13 frames
    for part in (first, second, read):
        positive(part, "load_seconds", "windows_per_second", "mib", "peak_mib")


@pytest.mark.slow
def test_training_from_each_pipeline(run):
    _, found = run("pipeline")
    pipelines = found["pipeline"]["pipelines"]
    assert len(pipelines) == 4
    for part in pipelines.values():
        positive(part, "windows_per_second", "of_held")
    assert pipelines["one batch, held in memory"]["of_held"] == 1


@pytest.mark.slow
def test_help_and_imports_load_no_tensorflow(run):
    _, found = run("startup")
    for name, start in found["startup"].items():
        positive(start, "seconds")
        assert {"tensorflow", "keras", "tensorflow_datasets", "sklearn"}.isdisjoint(start["loads"]), name
    assert found["startup"]["import agegait"]["loads"] == []


@pytest.mark.parametrize("feed", ["zeros", "previous"])
def test_the_count_of_flop_is_that_of_a_walk_through_the_method(modules, feed):
    flops = modules("flops")
    frames, joints, k, layers = 3, 4, 5, 3
    sizes = SimpleNamespace(AXES=3, frames=frames, joints=joints, units=k, num_layers=layers, feed=feed)
    forward = gradients = 0

    def product(rows, columns, learned_input=True):
        """One multiplication after another, of a vector with a matrix, and of what its gradient needs."""
        nonlocal forward, gradients
        for _ in itertools.product(range(rows), range(columns)):
            forward += 2
            gradients += 2 + 2 * learned_input

    for _axis in range(3):
        for layer, frame in itertools.product(range(layers), range(frames)):
            product(k if layer else joints, 4 * k, learned_input=layer > 0)
            if frame:
                product(k, 4 * k)
        for _frame in range(frames):
            product(k, k)  # attention's key
        for step in range(frames):
            for layer in range(layers):
                if layer or step:
                    product(k if layer or feed == "zeros" else joints + k, 4 * k)
                product(k, 4 * k)
            product(k, frames)  # scores
            product(frames, k)  # context
            product(2 * k, k)
            product(k, joints)
    assert sum(flops.forward(sizes).values()) == forward
    assert flops.training(sizes) == forward + gradients


def test_products_say_the_flop_they_take(modules):
    timing = modules("timing")
    work, flop = timing.products([((3, 2, 5), (3, 5, 7), None), ((3, 2, 7), (3, 5, 7), "right")], "float32", repeats=4)
    work()
    assert flop == 2 * 4 * 2 * (3 * 2 * 5 * 7)
    _, of_gradient = timing.products([((3, 2, 5), (3, 2, 7), "left")], "float32", repeats=1)
    assert of_gradient == 2 * 3 * 5 * 2 * 7


def test_ratios_are_taken_round_by_round(modules):
    timing = modules("timing")
    # The machine is three times slower in the second round: the ratio does not see it.
    assert timing.ratio([2.0, 6.0, 2.2], [1.0, 3.0, 1.0]) == 2.0
    order = []
    times = timing.by_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2)
    assert "".join(order) == "ababab"
    assert {name: len(taken) for name, taken in times.items()} == {"a": 2, "b": 2}


def test_a_turn_knows_its_processor_time_too(modules):
    timing = modules("timing")
    works = {"waits": lambda: time.sleep(0.1), "computes": lambda: sum(range(10**6))}
    ((waited,), (computed,)) = timing.by_turns(works, rounds=1).values()
    assert 0 <= waited.processor < 0.05 < 0.1 <= waited
    assert computed.processor > 0


def test_a_backend_that_is_not_there_is_said_so(modules, monkeypatch):
    timing = modules("timing")
    monkeypatch.setattr(timing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="backend: expected JAX to be installed"):
        timing.in_child(BENCHMARKS / "encoder.py", "part", "jax")


def test_a_part_that_fails_says_why(modules, monkeypatch, tmp_path):
    timing = modules("timing")
    with pytest.raises(SystemExit, match=r"loading.py, text: ended with status 1:(.|\n)*found none in"):
        timing.in_child(BENCHMARKS / "loading.py", "text", folder=str(tmp_path), walks=1)


@pytest.mark.slow
def test_growth_at_three_sizes_and_its_plot(run, tmp_path):
    _, found = run("growth", "--plot", str(tmp_path / "growth.svg"))
    assert list(found["growth"]) == ["people", "windows", "units"]
    for axis in found["growth"].values():
        assert axis["sizes"] == sorted(axis["sizes"])
        for values in axis.values():
            assert len(values) == 3
            assert all(math.isfinite(value) and value > 0 for value in values)
    assert (tmp_path / "growth.svg").read_text().rstrip().endswith("</svg>")
