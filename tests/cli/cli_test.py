"""The command line as a user has it: real files, a real socket, and real processes where these are quick, or slow."""

import json
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from support import forked
from support.frame_rates import walk_at
from support.small_identifier import PERSONS
from support.tiny_run import WORDS
from support.walk_writing import kinect_v2, wide_text

from agegait import cli, datasets, training
from agegait.serving import Server
from agegait.serving.client import retries
from tfds_builders.walkers import generator


def agegait(*words, status=0, timeout=600, start=subprocess.run):
    """Runs a command in a process of its own, where nothing else may be heard, TensorFlow least of all."""
    done = start(
        [sys.executable, "-m", "agegait", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    # On a machine that is busy enough, any command takes half a minute.
    done.stderr = "".join(line for line in done.stderr.splitlines(True) if ": still running, " not in line)
    for noise in ("oneDNN", "cuda", "absl", "TF-TRT", "cpu_feature_guard", "UserWarning"):
        assert noise not in done.stderr, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def here(capfd):
    """Runs a command in this process, which has imported TensorFlow already."""

    def run(*words, status=0):
        assert cli.main(list(map(str, words))) == status
        return capfd.readouterr()

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("job")


@pytest.fixture(scope="module")
def places(walkers_dir):
    return "--data-dir", walkers_dir


@pytest.fixture(scope="module")
def run(tiny_run):
    return tiny_run


@pytest.fixture(scope="module")
def exported(folder, run):
    agegait("export", run, "--out", folder / "served")
    return folder / "served"


@pytest.fixture(scope="module")
def walk(folder, places):
    """The file of a test walk."""
    example = next(iter(datasets.builder("walkers", places[1]).as_dataset(split="test").as_numpy_iterator()))
    np.save(folder / "walk.npy", example["skeleton"])
    return folder / "walk.npy"


@pytest.fixture(scope="module")
def server(body_export):
    with Server(body_export / "identifier", port=0) as server:
        yield server.address


@pytest.mark.slow
def test_evaluate_prints_a_table_for_each_protocol(run, places):
    stdout, _ = agegait("evaluate", run, *places)
    assert "closed-set recognition" in stdout
    assert "retrieval" in stdout
    assert re.search(r"test_b\s+AGE\s+walks\s+40", stdout)
    assert json.loads((run / "evaluation.json").read_text())["tests"]["test"]
    assert not (run / "report.html").exists()


@pytest.mark.slow
def test_evaluate_writes_a_page_if_asked(here, run, places):
    stdout, _ = here("evaluate", run, *places, "--report")
    assert stdout.splitlines()[-1] == f"written: {run / 'report.html'}"
    assert f"agegait evaluate {run} --data-dir {places[1]} --report" in (run / "report.html").read_text()


@pytest.mark.slow
def test_a_search_leaves_what_trains_again(here, folder, places):
    tiny = ("--epochs", 1, "--recognizer-epochs", 1, "--batch-size", 256, "--recognizer-units", 16)
    tiny += ("--embedder-epochs", "none", "--num-layers", 1)
    tiny += ("--stride", "none", "--no-mirror")
    search = ("--search", "units=8", "frames=4", "--method", "random", "--trials", 1, "--out", folder / "tuned")
    stdout, _ = agegait("tune", "--dataset", "walkers", *tiny, *search, *places, start=forked.run)
    assert "1 of 1 trials" in stdout
    assert f"again, as a run of its own: agegait train --from-tuning {folder / 'tuned'} --out RUN" in stdout
    here("train", "--from-tuning", folder / "tuned", "--seed", 3, *places, "--out", folder / "again")
    best = json.loads((folder / "tuned" / "best.json").read_text())
    again = json.loads((folder / "again" / "run.json").read_text())
    assert again["settings"] == {**best["settings"], "seed": 3}
    assert again["settings"]["recipe"]["units"] == 8
    here("evaluate", folder / "tuned" / best["run"], *places)


def test_identify_names_whom_the_model_names(body_identifier, walk, server):
    stdout, _ = agegait("identify", walk, walk, "--server", server)
    (expected,) = body_identifier.identify(np.load(walk))
    assert stdout.splitlines() == [f"{walk}: {expected.person}, {expected.score:.3f}"] * 2


@pytest.mark.slow
def test_identify_takes_a_run_or_an_export_in_place_of_a_server(here, run, exported, walk):
    slow = walk.with_name("slow.npz")
    np.savez(slow, skeleton=walk_at(15), frame_rate=15.0)
    identifier = training.load_run(run).identifier
    (expected,), (expected_slow,) = identifier.identify(np.load(walk)), identifier.identify(walk_at(15), frame_rate=15)
    for where, rate in ((("--run", run), " 30 Hz"), (("--model", exported), "")):
        stdout, stderr = agegait("identify", walk, slow, *where, "--json", start=forked.run)
        assert stderr == f"{walk}: frame rate not known, taken as the model's{rate}; --frame-rate says it\n"
        answer, other = map(json.loads, stdout.splitlines())
        assert answer.pop("score") == pytest.approx(expected.score, abs=1e-3)
        assert answer == {"file": str(walk), "person": expected.person, "fault": None}
        assert other["score"] == pytest.approx(expected_slow.score, abs=1e-3)
    stdout, stderr = here("identify", walk, "--model", exported, "--frame-rate", "30", "--json")
    assert stderr == ""
    assert json.loads(stdout)["score"] == pytest.approx(expected.score, abs=1e-3)


def test_identify_brings_walks_to_the_rate_of_the_servers_model(body_identifier, server, tmp_path):
    slow, bare = tmp_path / "slow.npz", tmp_path / "bare.npy"
    np.savez(slow, skeleton=walk_at(15), frame_rate=15.0)
    np.save(bare, walk_at(15))
    (expected,) = body_identifier.identify(walk_at(15), frame_rate=15)
    for words in ((slow,), (slow, "--frame-rate", 15), (bare, "--frame-rate", 15)):
        stdout, stderr = agegait("identify", *words, "--json", "--every", 20, "--server", server)
        assert stderr == ""
        *running, last = map(json.loads, stdout.splitlines())
        assert [one["frames"] for one in running] == [20, 40]
        assert last["score"] == pytest.approx(expected.score, abs=1e-5)
        (after,) = body_identifier.identify(walk_at(15)[:40], frame_rate=15)
        assert running[-1]["score"] == pytest.approx(after.score, abs=1e-5)
    (unresampled,) = body_identifier.identify(walk_at(15))
    stdout, stderr = agegait("identify", bare, slow, "--json", "--server", server)
    assert stderr == f"{bare}: frame rate not known, taken as the model's; --frame-rate says it\n"
    one, other = map(json.loads, stdout.splitlines())
    assert one["score"] == pytest.approx(unresampled.score, abs=1e-5)
    assert other["score"] == pytest.approx(expected.score, abs=1e-5)


@pytest.fixture
def predicting(server):
    """A server that passes Predict on, and has no other method."""
    path = "/tensorflow.serving.PredictionService/Predict"
    with grpc.insecure_channel(server) as channel, ThreadPoolExecutor(1) as threads:
        predict = channel.unary_unary(path)
        handler = grpc.unary_unary_rpc_method_handler(lambda request, context: predict(request))
        passing = grpc.server(threads)
        *_, service, method = path.split("/")
        passing.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {method: handler})])
        port = passing.add_insecure_port("127.0.0.1:0")
        passing.start()
        yield f"127.0.0.1:{port}"
        passing.stop(None).wait()


def test_identify_asks_a_server_that_can_do_no_more(body_identifier, predicting, tmp_path):
    walk = tmp_path / "slow.npz"
    np.savez(walk, skeleton=walk_at(15), frame_rate=15.0)
    (expected,) = body_identifier.identify(walk_at(15))
    stdout, stderr = agegait("identify", walk, "--json", "--server", predicting)
    assert json.loads(stdout)["score"] == pytest.approx(expected.score, abs=1e-5)
    assert "walks are taken as they are" in stderr


def test_identify_says_which_walk_is_not_a_body_and_why(here, walk, server, tmp_path):
    np.save(tmp_path / "millimetres.npy", 1000 * np.load(walk))
    np.save(tmp_path / "zeros.npy", 0 * np.load(walk))
    three = (tmp_path / "millimetres.npy", walk, tmp_path / "zeros.npy")
    stdout, stderr = here("identify", *three, "--server", server, status=1)
    unseen = f"{len(np.load(walk)) * 20} places of joints are (0, 0, 0), as if not seen: --missing interpolate would"
    assert f"{tmp_path / 'zeros.npy'}: {unseen} fill them\n" in stderr
    assert stderr.endswith("\nagegait: 2 of 3 walks show no body, see above.\n")
    one, other, last = stdout.splitlines()
    assert one == f"{tmp_path / 'millimetres.npy'}: not a body: expected a body of 0.8 to 2.2 m, received a larger one"
    assert re.fullmatch(rf"({'|'.join(PERSONS)}), 0\.\d+", other.removeprefix(f"{walk}: "))
    assert last == f"{tmp_path / 'zeros.npy'}: not a body: expected a body of 0.8 to 2.2 m, received a smaller one"
    stdout, _ = here("identify", tmp_path / "zeros.npy", "--every", 50, "--server", server, status=1)
    assert "zeros.npy: 50 frames: not a body: " in stdout


@pytest.fixture(scope="module")
def own(folder):
    """Somebody's own recordings: four people, three walks each, in Kinect v2's joints and millimetres."""
    for person, name in enumerate(("anna", "ben", "Çelik", "dora")):
        for number in range(3):
            path = folder / "own" / name / f"{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wide_text(1000 * kinect_v2(generator.walk(person, "a", number)[0])))
    return folder / "own"


def test_identify_follows_a_walk_frame_by_frame(here, body_identifier, walk, server):
    frames = np.load(walk)
    stdout, _ = here("identify", walk, "--every", 50, "--server", server)
    *running, last = stdout.splitlines()
    assert [line.split(": ")[1] for line in running] == [f"{count} frames" for count in range(50, len(frames) + 1, 50)]
    (expected,) = body_identifier.identify(frames[:50])
    assert running[0] == f"{walk}: 50 frames: {expected.person}, {expected.score:.3f}"
    (expected,) = body_identifier.identify(frames)
    assert last == f"{walk}: {expected.person}, {expected.score:.3f}"


def test_inspect_shows_what_is_understood_of_a_folder(here, own, tmp_path):
    stdout, _ = here("inspect", own, "--units", "mm", "--picture", tmp_path / "skeleton.png")
    assert re.search(r"walks +12: train 4, validation 4, test 4", stdout)
    assert "limb lengths are those of bodies" in stdout
    assert (tmp_path / "skeleton.png").read_bytes().startswith(b"\x89PNG")


def test_inspect_fails_where_limbs_make_no_sense(here, own):
    stdout, stderr = here("inspect", own, status=1)
    assert "lengths look like millimetres" in " ".join(stdout.split())
    assert len(stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_folder_of_ones_own_from_training_to_a_name(here, own, tmp_path):
    run, how = tmp_path / "run", ("--units", "mm", "--joints", "kinect_v2")
    small = (*WORDS, "--recognizer-batch-size", 64)
    agegait("train", "--dataset", own, *how, *small, "--out", run, start=forked.run)
    record = json.loads((run / "run.json").read_text())
    assert record["data"]["persons"] == ["anna", "ben", "dora", "Çelik"]
    assert record["settings"]["walk_format"]["units"] == "mm"
    stdout, _ = here("evaluate", run)
    assert re.search(r"test +AGE +walks +4", stdout)
    np.save(own / "anna" / "late.npy", 1000 * kinect_v2(generator.walk(0, "a", 5)[0]))
    stdout, _ = here("evaluate", run)
    (own / "anna" / "late.npy").unlink()
    assert re.search(r"test +AGE +walks +5", stdout)


def test_training_on_lengths_in_another_unit_is_refused_and_leaves_nothing(here, own, tmp_path):
    _, stderr = here("train", "--dataset", own, "--out", tmp_path / "run", status=1)
    assert "lengths look like millimetres" in stderr
    assert not (tmp_path / "run").exists()


def test_training_that_is_done_is_not_done_again(here, run, places):
    before = (run / "encoder.keras").stat().st_mtime_ns
    stdout, _ = here("train", "--dataset", "walkers", *WORDS, *places, "--out", run)
    assert re.search(r"recognizer \d+\.\d % after epoch \d of 3\. Next: ", stdout, re.MULTILINE)
    assert (run / "encoder.keras").stat().st_mtime_ns == before


def test_a_server_that_is_not_there_is_one_line(here, walk, monkeypatch):
    monkeypatch.setattr(retries, "PATIENCE_SECONDS", 0.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        _, stderr = here("identify", walk, "--server", f"127.0.0.1:{taken.getsockname()[1]}", status=1)
    assert len(stderr.splitlines()) == 1


def test_a_walk_that_is_too_short_is_refused_by_the_server_in_one_line(here, walk, server, tmp_path):
    np.save(tmp_path / "short.npy", np.load(walk)[:3])
    _, stderr = here("identify", tmp_path / "short.npy", "--server", server, status=1)
    (refusal,) = [line for line in stderr.splitlines() if line.startswith("agegait: ")]
    assert "at least 4 frames" in refusal


def test_help_and_version_need_no_tensorflow():
    code = """
import sys, agegait.cli
try:
    agegait.cli.main(["train", "--help"])
finally:
    assert "tensorflow" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for option in (
        "--attention",
        "--direction",
        "--features",
        "--manner",
        "--normalize {none,standardize,whiten}",
        "--recognizer-epochs",
        "--manual-dir",
    ):
        assert option in done.stdout
    stdout, _ = agegait("--version")
    assert stdout.startswith("agegait 0.")
