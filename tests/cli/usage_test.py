"""What the command line says to those who do not know it yet."""

import json

import numpy as np
import pytest
from support.walk_writing import kinect_v2, wide_text

from agegait import cli
from agegait.cli.names import in_options
from agegait.cli.parser import make_parser
from agegait.skeletons import STANDING
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


@pytest.mark.parametrize("words", [(), ("help",), ("--help",)])
def test_help_lists_every_command_within_80_columns(capsys, words):
    text = printed(capsys, *words).out
    commands = next(action for action in make_parser()._actions if action.choices).choices
    for command in commands:
        assert f"\n  {command} " in text
    assert max(map(len, text.splitlines())) <= 80


def test_help_of_a_command_has_defaults_and_examples(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = printed(capsys, "help", "train").out
    assert text.startswith("usage: agegait train [OPTION ...] --out RUN\n")
    assert "agegait train --dataset walkers --out runs/walkers" in text
    assert "(best 20, paper 0)" in " ".join(text.split())
    assert printed(capsys, "train", "--help").out == text


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("trian",), "agegait: COMMAND: expected a known name, received trian. Did you mean train?"),
        (("export", "x", "--ot", "y", "--out", "y"), "agegait export: expected no option --ot. Did you mean --out?"),
        (("stored", "x", "--nobody"), "agegait stored: expected no option --nobody."),
        (("evaluate", "x", "y"), "agegait evaluate: expected no argument y."),
        (
            ("train", "--preset", "bes", "--out", "x"),
            "agegait train: --preset: expected one of best, paper, received bes",
        ),
        (("train",), "agegait train: expected --out, received none."),
        (("train", "--frames", "x", "--out", "x"), "agegait train: --frames: invalid int value: 'x'."),
        (("help", "trian"), "agegait help: COMMAND: expected a known name, received trian. Did you mean train?"),
    ],
)
def test_a_typo_is_two_lines(capsys, words, first):
    read = printed(capsys, *words, status=2)
    assert read.out == ""
    one, other = read.err.splitlines()
    assert one.startswith(first)
    assert other.startswith("See agegait")


def test_errors_speak_of_options():
    parser = make_parser().parse_args(["identify", "x"]).parser
    text = 'x.csv: no hands: missing="interpolate" would place them; frame_rate=30 states it'
    assert in_options(text, parser) == [
        "x.csv: no hands: --missing interpolate would place them; --frame-rate 30 states it"
    ]
    assert in_options("frame_rate: expected\n\n  units: x\n", parser) == ["--frame-rate: expected", "  units: x"]


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


def test_inspect_prints_json(capsys, recording):
    found = json.loads(printed(capsys, "inspect", recording, "--units", "mm", "--json").out)
    assert found["walks"] == {"train": 1}
    assert found["people"][0]["name"] == "anna"
    assert found["faults"] == []
    assert found["limbs"]["left thigh"] == pytest.approx(0.43, abs=0.1)
    assert json.loads(printed(capsys, "inspect", recording, "--json", status=1).out)["faults"]


def test_what_cannot_be_trained_leaves_no_folder(capsys, tmp_path):
    for person in ("anna", "ben"):
        for number in range(3):
            path = tmp_path / "own" / person / f"{number}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, np.repeat(STANDING[None], 20, 0) + 0.01 * number)
    run = tmp_path / "run"
    error = printed(capsys, "train", "--dataset", tmp_path / "own", "--frames", 100, "--out", run, status=1).err
    assert "expected walks of at least 100 frames" in error
    assert not run.exists()
