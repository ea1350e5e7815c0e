"""Records and models that somebody has cut short or written into: one line that names the file."""

import copy
import dataclasses
import json
import re
from typing import ClassVar

import pytest

from agegait import cli, training, tuning
from agegait.storage.records import OPTIONAL, Record, from_record
from agegait.training import recipes
from agegait.training.run_record import RunRecord

TINY = recipes.recipe("best", epochs=1, recognizer_epochs=1, embedder_epochs=None, num_layers=1, units=8)


def record():
    return {
        "format": RunRecord.FORMAT,
        "settings": dataclasses.asdict(training.Settings("walkers", preset="best", recipe=TINY)),
        "data": {
            "name": "walkers",
            "version": "1.0.0",
            "persons": ["anna", "ben"],
            "licence": "MIT",
            "preparation": {},
            "held_out": 0.0,
            "notes": [["units", "m"]],
            "split": {"train": ["anna/1"], "validation": ["ben/1"], "windows": {"train": 3, "validation": 4}},
        },
        "normalization": {"center": 0, "unit": "m"},
        "versions": {"agegait": "0.1.0", "keras": "3", "tensorflow": "2", "numpy": "2", "python": "3.11"},
        "machine": {"processor": "x86_64", "cores": 2, "system": "Linux"},
        "trained": {"encoder": {"epochs": 1, "seconds": 1.5}},
    }


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(record()))
    return folder


COMMANDS = {
    "train": lambda folder: ("train", "--dataset", "walkers", "--out", folder),
    "evaluate": lambda folder: ("evaluate", folder),
    "export": lambda folder: ("export", folder, "--out", folder / "served"),
}

DAMAGES = {
    b"": "expected JSON: ",
    b'{"format": 4, "sett': "expected JSON: ",
    b"\x89PNG\r\n\x1a\n\x00\xff": "expected JSON: ",
    b"[" * 100_000: "expected JSON: ",
    b"[1, 2]": "expected an object, found [1, 2].",
    b'"run"': "expected an object, found 'run'.",
    b"null": "expected an object, found None.",
    b'{"format": 4}': "settings: expected an object, found none.",
}


def refuses(words, capsys):
    assert cli.main([str(word) for word in words]) == 1
    out, shown = capsys.readouterr()
    assert out == ""
    (line,) = shown.splitlines()
    return line.removeprefix("agegait: ")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: ascii(damage[:12]))
def test_a_damaged_record_is_a_line_that_names_the_file(folder, capsys, command, damage):
    (folder / "run.json").write_bytes(damage)
    line = refuses(COMMANDS[command](folder), capsys)
    assert line.startswith(f"{folder / 'run.json'}: {DAMAGES[damage]}")
    assert [path.name for path in folder.iterdir()] == ["run.json"]


def paths(value, path=()):
    """Where in a record something is."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from paths(inner, (*path, key))


def changed(path, change):
    there = copy.deepcopy(record())
    inner = there
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return there


@pytest.mark.parametrize("path", [path for path in paths(record()) if path and path != ("format",)])
def test_what_is_gone_or_of_another_kind_is_named(folder, path):
    name = ".".join(path)

    def replace(inner, key):
        inner[key] = [{"x": [1]}]

    def read(there):
        (folder / "run.json").write_text(json.dumps(there))
        run = training.load_run(folder)
        return run.settings, run.normalization

    if path[:2] != ("data", "preparation"):
        with pytest.raises(ValueError, match=re.escape(f"{folder / 'run.json'}: ")) as caught:
            read(changed(path, replace))
        assert f"{name}: expected " in str(caught.value) or f"{name}[0]: expected " in str(caught.value)
    optional = {("trained", "encoder"), ("data", "preparation")}
    if path in optional or (path[0] == "settings" and len(path) > 1):
        return
    with pytest.raises(ValueError, match=re.escape(f"{folder / 'run.json'}: {name}: expected ")):
        read(changed(path, lambda inner, key: inner.pop(key)))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("data", "persons"), ["anna", 5], "data.persons[1]: expected text, found 5."),
        (("settings", "frames"), "6", "settings.frames: expected a whole number, found '6'."),
        (("settings", "frames"), True, "settings.frames: expected a whole number, found True."),
        (("settings", "frames"), 1, "frames: expected at least 2, received 1."),
        (("settings", "frame"), 1, "settings.frame: expected no such name."),
        (("settings", "recipe", "epochs"), None, "settings.recipe.epochs: expected a whole number, found None."),
        (("settings", "walk_format", "resample"), "3", "expected a number or null, found '3'."),
        (("normalization", "colour"), 1, "normalization.colour: expected no such name."),
    ],
)
def test_values_are_named(folder, path, value, words):
    (folder / "run.json").write_text(json.dumps(changed(path, lambda inner, key: inner.update({key: value}))))
    with pytest.raises(ValueError, match=re.escape(f"{folder / 'run.json'}: ")) as caught:
        getattr(training.load_run(folder), path[0])
    assert words in str(caught.value)


def test_what_is_whole_is_read_as_it_was_written(folder):
    run = training.load_run(folder)
    assert run.settings == training.Settings("walkers", preset="best", recipe=TINY)
    assert run.persons == ["anna", "ben"]


def test_a_run_that_is_hardly_begun_can_be_taken_up(folder):
    there = record()
    del there["data"]["split"]
    there["trained"] = {}
    (folder / "run.json").write_text(json.dumps(there))
    assert training.load_run(folder).settings.frames == 6


def test_numbers_may_be_whole_where_they_need_not_be():
    assert from_record(recipes.Recipe, {"learning_rate": 1}).learning_rate == 1
    with pytest.raises(ValueError, match="learning_rate: expected a number, found True"):
        from_record(recipes.Recipe, {"learning_rate": True})


def test_a_file_in_the_place_of_a_folder_is_a_line(tmp_path, capsys):
    (tmp_path / "run").write_text("no folder")
    assert refuses(("evaluate", tmp_path / "run"), capsys) == (
        f"{tmp_path / 'run'}: expected a run's folder with run.json, found none."
    )


def test_a_record_that_cannot_be_read_is_a_line(folder, capsys):
    record = folder / "run.json"
    record.unlink()
    record.symlink_to("run.json")  # a loop, which stops root too
    assert refuses(("evaluate", folder), capsys) == f"{record}: Too many levels of symbolic links"


@pytest.mark.parametrize(
    "damage", [lambda whole: b"", lambda whole: whole[: len(whole) // 2], lambda whole: b"PK" * 99]
)
def test_a_damaged_model_is_named(folder, damage):
    run = training.load_run(folder)
    encoder = training.make_encoder(run.settings, 20)
    encoder.build((None, 6, 20, 3))
    run.save_model("encoder", encoder)
    path = folder / "encoder.keras"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=re.escape(f"{path}: expected a model as agegait writes it")):
        run.load_model("encoder")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "expected JSON: "),
        ("[]", "expected an object, found []."),
        ('{"format": 3}', "trial: expected text, found none."),
        (
            '{"format": 3, "trial": "0", "validation_accuracy": 0.5, "run": null, "settings": {"frames": 6}}',
            "settings.dataset: expected text, found none.",
        ),
    ],
)
def test_a_damaged_search_is_a_line_that_names_the_file(tmp_path, text, words):
    (tmp_path / "best.json").write_text(text)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'best.json'}: {words}")):
        tuning.best_settings(tmp_path)


@dataclasses.dataclass
class Part:
    b: float | None


@dataclasses.dataclass
class Whole(Record):
    FILE: ClassVar = "record.json"
    FORMAT: ClassVar = 3

    a: list[Part]
    c: int | None = dataclasses.field(default=None, metadata=OPTIONAL)


def test_a_record_says_what_is_expected_where(tmp_path):
    path = tmp_path / "record.json"
    path.write_text('{"format": 3, "a": [{"b": 1.5}, {"b": "x"}]}')
    with pytest.raises(ValueError, match=re.escape(f"{path}: a[1].b: expected a number or null, found 'x'.")):
        Whole.read(tmp_path)
    Whole([Part(None)]).write(tmp_path)
    assert json.loads(path.read_text()) == {"format": 3, "a": [{"b": None}]}
    assert Whole.read(tmp_path) == Whole([Part(None)])
