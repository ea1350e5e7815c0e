"""What the command line says to those who do not know it yet."""

import io
import json
import re
import time
from contextlib import nullcontext

import numpy as np
import pytest
from support.walk_writing import frame_text, kinect_v2, wide_text

from agegait import cli
from agegait.cli.names import in_options
from agegait.cli.parser import make_parser
from agegait.skeletons import STANDING
from agegait.terminal.console import TextConsole
from agegait.terminal.heartbeat import Heartbeat
from tfds_builders.walkers import generator


def printed(capsys, *words, status=0):
    """What a command prints, output and errors."""
    try:
        ended = cli.main([str(word) for word in words])
    except SystemExit as stop:
        ended = stop.code
    read = capsys.readouterr()
    assert ended == status, read
    return read


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("words", [(), ("help",), ("--help",)])
def test_help_lists_every_command_within_the_terminal(capsys, monkeypatch, words, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = printed(capsys, *words).out
    for command in make_parser().commands:
        assert re.search(rf"^  {command}\s", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= columns


def test_help_of_a_command_has_defaults_and_examples(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = printed(capsys, "help", "train").out
    assert text.startswith("usage: agegait train [OPTION ...] --out RUN\n")
    assert "agegait train --dataset walkers --out runs/walkers" in text
    assert "none to leave it out (best 8, paper none)" in " ".join(text.split())
    assert printed(capsys, "train", "--help").out == text


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("trian",), "agegait: unknown command trian. Did you mean train?"),
        (("--versio",), "agegait: unknown option --versio. Did you mean --version?"),
        (("train", "--epoch", "3"), "agegait train: unknown option --epoch. Did you mean --epochs?"),
        (("train", "--stride", "x"), "agegait train: --stride: expected a whole number or none, received 'x'."),
        (("train", "--dropout", "x"), "agegait train: --dropout: expected a number, received 'x'."),
        (("train", "--epochs"), "agegait train: --epochs: expected one value, received none."),
        (("evaluate", "x", "--report=3"), "agegait evaluate: --report: expected no value, received '3'."),
        (
            ("train", "--preset", "paper", "--from-tuning", "x", "--out", "y"),
            "agegait train: --from-tuning: expected without --preset.",
        ),
        (("export", "x", "--ot", "y", "--out", "y"), "agegait export: unknown option --ot. Did you mean --out?"),
        (("stored", "x", "--nobody"), "agegait stored: unknown option --nobody."),
        (("evaluate", "x", "y"), "agegait evaluate: unexpected argument y."),
        (
            ("train", "--preset", "bes", "--out", "x"),
            "agegait train: --preset: expected one of best, paper, received bes. Did you mean best?",
        ),
        (("train",), "agegait train: expected --out, received none."),
        (("train", "--frames", "x", "--out", "x"), "agegait train: --frames: expected a whole number, received 'x'."),
        (("help", "trian"), "agegait: unknown command trian. Did you mean train?"),
    ],
)
def test_a_typo_is_two_lines(capsys, words, first):
    read = printed(capsys, *words, status=2)
    assert read.out == ""
    one, other = read.err.splitlines()
    assert one.startswith(first)
    assert other.startswith("See agegait")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x.csv: missing="interpolate" would fill gaps.', "x.csv: --missing interpolate would fill gaps."),
        ("x.csv: frame_rate=30 states it.", "x.csv: --frame-rate 30 states it."),
        ("frame_rate: expected more than 0", "--frame-rate: expected more than 0"),
        ("units: expected one of m, cm\nunits: x", "--units: expected one of m, cm\nunits: x"),
        ("give `token_file` or a units column", "give --token-file or a units column"),
        ("/data/frame_rate/x.csv: missing joints", "/data/frame_rate/x.csv: missing joints"),
    ],
)
def test_errors_speak_of_options(text, expected):
    assert in_options(text, make_parser().commands["identify"].option_names) == expected


def test_a_gap_is_told_in_the_words_of_the_command_line(capsys, recording):
    text = recording.read_text().splitlines()
    cells = text[5].split(",")
    recording.write_text("\n".join([*text[:5], ",".join(["", "", "", *cells[3:]]), *text[6:]]) + "\n")
    error = printed(capsys, "inspect", recording, "--units", "mm", status=1).err
    assert "--missing interpolate would fill gaps" in error
    printed(capsys, "inspect", recording, "--units", "mm", "--missing", "interpolate")
    error = printed(capsys, "inspect", recording, "--missing", "interpolate", "--resample", 15, status=1).err
    assert "--frame-rate 30 states it" in error
    assert "_" not in error.removeprefix(f"agegait: {recording}")


def test_missing_data_give_instructions_line_by_line(capsys, tmp_path):
    words = ("train", "--dataset", "biwi", "--data-dir", tmp_path, "--out", tmp_path / "run")
    error = printed(capsys, *words, status=1).err
    lines = error[error.index("agegait: biwi: could not be") :].splitlines()
    assert "  * `Training/000` and so on, a folder for each person," in lines
    assert lines[-1] == "  Then say where it is: --manual-dir PATH."
    assert not (tmp_path / "run").exists()


def test_silence_is_broken_elsewhere_than_on_a_terminal():
    for terminal in (False, True):
        stream = io.StringIO()
        console = TextConsole(file=stream, force_terminal=terminal, width=80)
        with Heartbeat("agegait tune", 0.01, console):
            deadline = time.monotonic() + (0.1 if terminal else 60)
            while stream.getvalue().count("\n") < 3 and time.monotonic() < deadline:
                time.sleep(0.005)
        lines = stream.getvalue().splitlines()
        assert all(re.fullmatch(r"agegait tune: still running, \d+ s", line) for line in lines), lines
        assert not lines if terminal else len(lines) >= 3


def test_a_command_has_a_heartbeat(capsys, monkeypatch, recording):
    tasks = []
    monkeypatch.setattr("agegait.terminal.heartbeat.Heartbeat", lambda task: tasks.append(task) or nullcontext())
    printed(capsys, "inspect", recording, "--units", "mm")
    printed(capsys, "evaluate", recording, status=1)
    assert tasks == ["agegait evaluate"]


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("command", make_parser().commands)
def test_help_of_a_command_fits_the_terminal(capsys, monkeypatch, columns, command):
    monkeypatch.setenv("COLUMNS", str(columns))
    text, _, examples = printed(capsys, "help", command).out.partition("\nexamples:")
    assert "\n  agegait " in examples or command == "help"
    long = [line for line in text.splitlines() if len(line) > columns]
    assert all(len(line.split()) <= 2 for line in long), long  # an option that is longer than the terminal is wide


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("evaluate", "nowhere"), "nowhere: expected a run's folder with run.json, found none."),
        (("export", "nowhere", "--out", "x"), "nowhere: expected a run's folder with run.json, found none."),
        (("serve", "nowhere"), "nowhere"),
        (("serve", "nowhere", "--token-file", "gone"), "--token-file: gone"),
        (("identify", "nowhere.npy"), "nowhere.npy"),
        (("identify", "holiday.jpg"), "holiday.jpg: expected a file that ends in "),
        (
            ("train", "--dataset", "casia", "--out", "x"),
            "--dataset: expected one of biwi, ias, kgbd, walkers, or a folder of walks, received 'casia'.",
        ),
        (("train", "--dataset", "kgbd", "--encoder-units", "0", "--out", "x"), "--encoder-units: expected at least 1,"),
        (("train", "--dataset", "kgbd", "--frames", "1", "--out", "x"), "--frames: expected at least 2, received 1."),
        (
            ("identify", "x.npy", "--units", "ft"),
            "agegait: --units: expected one of auto, m, cm, mm, in, or how many metres one is, received 'ft'.",
        ),
        (("inspect", "casia"), "agegait: PATH: expected one of biwi, ias, kgbd, walkers, or a folder of walks"),
        (("serve", "x", "--tls-cert", "y"), "expected both --tls-cert and --tls-key."),
        (("train", "--out", "x"), "--dataset: expected, or --from-tuning, received neither."),
        (("train", "--from-tuning", "nowhere", "--out", "x"), "nowhere: expected a search's folder with best.json"),
        (("tune", "--dataset", "kgbd", "--search", "unit=8", "--out", "x"), "--search: expected one of frames, "),
        (
            ("reproduce", "--dataset", "kgbd", "--rows", "age", "--out", "x"),
            "--rows: expected some of table, baselines, ",
        ),
        (("reproduce", "--dataset", "kgbd", "--seeds", "-1", "--out", "x"), "--seeds: expected whole numbers from 0"),
        (("train", "--dataset", "kgbd", "--epochs", "-1", "--out", "x"), "--epochs: expected at least 0, received -1."),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    stdout, stderr = printed(capsys, *words, status=1)
    assert stdout == ""
    assert len(stderr.splitlines()) == 1
    assert message in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "anna" / "1.csv"
    path.parent.mkdir()
    path.write_text(wide_text(1000 * kinect_v2(generator.walk(0, "a", 0)[0])))
    return path


def test_inspect_takes_a_file_and_a_folder_of_one_person(capsys, recording):
    for path in (recording, recording.parent, recording.parents[1]):
        text = printed(capsys, "inspect", path, "--units", "mm").out
        assert "limb lengths are those of bodies" in text
        assert "training takes two people or more" in " ".join(text.split())


def test_inspect_takes_a_folder_of_frames_and_says_what_it_leaves_alone(capsys, tmp_path):
    clip = tmp_path / "anna" / "clip"
    clip.mkdir(parents=True)
    for number, frame in enumerate(np.asarray(generator.walk(0, "a", 0)[0][:40])):
        (clip / f"0_{number:06d}_skel.txt").write_text(frame_text(frame))
    (tmp_path / "anna" / "README.txt").write_text("one walk")
    for path in (clip, clip.parent, tmp_path):
        found = json.loads(printed(capsys, "inspect", path, "--json").out)
        assert (found["walks"], found["faults"]) == ({"train": 1}, [])
    assert [person["name"] for person in found["people"]] == ["anna"]
    (tmp_path / "loose.csv").touch()
    said = printed(capsys, "inspect", tmp_path).out
    assert "left alone, as in no person's folder: loose.csv" in " ".join(said.split())


def test_inspect_prints_json(capsys, recording):
    found = json.loads(printed(capsys, "inspect", recording, "--units", "mm", "--json").out)
    assert found["walks"] == {"train": 1}
    assert found["people"][0]["name"] == "anna"
    assert found["faults"] == []
    assert found["limbs"]["left thigh"] == pytest.approx(0.43, abs=0.1)
    assert json.loads(printed(capsys, "inspect", recording, "--json", status=1).out)["faults"]


def test_what_cannot_be_trained_leaves_no_folder(capsys, tmp_path):
    for person, place in (("anna", 0), ("ben", 1)):
        for number in range(3):
            path = tmp_path / "own" / person / f"{number}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, np.repeat(STANDING[None], 20, 0) + [place, 0, 0.01 * number])
    out = tmp_path / "out"
    for command in (("train",), ("tune", "--method", "random", "--search", "units=8")):
        words = (*command, "--dataset", tmp_path / "own", "--frames", 100, "--out", out)
        assert "expected walks of at least 100 frames" in printed(capsys, *words, status=1).err
        assert not out.exists()


@pytest.mark.slow
def test_a_data_set_that_is_prepared_first_leaves_json_alone(capsys, tmp_path):
    read = printed(capsys, "inspect", "walkers", "--data-dir", tmp_path, "--json")
    assert json.loads(read.out)["people"]
    assert "prepared" in read.err
