"""What is printed is text, whatever files, people and servers are called: no markup, no control of the terminal."""

import ast
import io
import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, strategies as st
from rich.table import Table
from rich.text import Text
from rich.tree import Tree
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from agegait import cli, evaluation
from agegait.skeletons import drawing
from agegait.terminal.console import TextConsole
from agegait.terminal.visible_text import visible
from agegait.training.callbacks import ProgressLine
from agegait.training.settings import Settings
from tfds_builders.walkers import generator

ROOT = Path(__file__).parents[2]
NASTY = {
    "[anna]": "[anna]",
    "x[/b]": "x[/b]",
    ":bug:[red]": ":bug:[red]",
    "\x1b[2J\x1b]0;owned\x07": "\\x1b[2J\\x1b]0;owned\\x07",
    "\u202egnp\u2066": "\\u202egnp\\u2066",
    "a\nben: 1.000\r": "a\\nben: 1.000\\r",
    "\x9b31m": "\\x9b31m",
    "\udcff": "\\xff",
    "\u2028\ufeff": "\\u2028\\ufeff",
    "Zoë 李 क\u200dष": "Zoë 李 क\u200dष",
}
"""Names, and how they are shown."""

PEOPLE = [name.strip().replace("/", "") for name in NASTY if name != "\udcff"]
"""What folders of people can be called."""

STYLES = re.compile(r"\x1b\[[\d;]*m")


def printed(*renderables, **options):
    console = TextConsole(file=io.StringIO(), width=200, **options)
    console.print(*renderables, sep="\n")
    return console.file.getvalue()


def assert_harmless(text):
    for line in STYLES.sub("", text).replace("\r\n", "\n").split("\n"):
        assert visible(line) == line


def on_terminal(*words, status=0, **environment):
    """What a command writes to a terminal, output and errors together."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200", **environment}
    command = [os.fsencode(word) for word in (sys.executable, "-m", "agegait", *map(str, words))]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # Linux's way to say that nobody has the terminal any more
                break
    os.close(ours)
    text = shown.decode()
    assert process.returncode == status, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(("name", "shown"), NASTY.items())
def test_what_is_not_to_be_seen_is_shown_as_an_escape(name, shown):
    assert visible(name) == shown
    table = Table(name, title=name, caption=name)
    table.add_row(name)
    tree = Tree(name)
    tree.add(name)
    for renderable in (name, table, tree):
        text = printed(renderable, force_terminal=True)
        assert_harmless(text)
        assert shown in STYLES.sub("", text)
    assert_harmless(printed(Text(f"{name}.", style="bold"), force_terminal=True))


@given(st.text())
def test_no_text_does_anything_to_a_terminal(text):
    shown = visible(text)
    assert visible(shown) == shown
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    if text.isprintable():
        assert shown == text
    assert_harmless(printed(text, force_terminal=True, color_system="truecolor"))


def test_line_breaks_are_those_of_several_strings_and_of_our_own_text():
    assert printed("a\nb", "c") == "a\\nb\nc\n"
    assert printed(Text("a\nb")) == "a\nb\n"


def test_progress_shows_names_as_they_are():
    console = TextConsole(file=io.StringIO(), force_terminal=True, width=200)
    line = ProgressLine("test[/b]\x1b[2J AGEs", 10, console)
    line.set_params({"steps": 2})
    line.on_predict_begin()
    line.on_predict_batch_end(0)
    line.on_predict_end()
    assert "test[/b]\\x1b[2J AGEs" in console.file.getvalue()


def test_tables_of_an_evaluation_show_names_as_they_are():
    figures = evaluation.protocols.Recognition(3, {1: 0.5}, 0.5, 0.5, (0.5, 1.0))
    tests = {"test[/x]\x1b[2J": [evaluation.Result("[red]AGE", "walks", figures)]}
    text = printed(*evaluation.tables(evaluation.Evaluation(Settings("walkers"), "", {}, tests)))
    assert "test[/x]\\x1b[2J" in text
    assert "[red]AGE" in text


def test_a_title_of_a_picture_is_no_formula(tmp_path):
    figure = drawing.skeleton_figure(generator.walk(0, "a", 0)[0][0], title="own/$x_{1$\x1b")
    figure.savefig(tmp_path / "skeleton.png")
    assert figure.get_suptitle() == "own/$x_{1$\\x1b"


def test_all_that_is_printed_goes_through_one_console():
    for path in [*(ROOT / "agegait").rglob("*.py"), *(ROOT / "export").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called.rpartition(".")[2] not in ("Console", "from_markup", "from_ansi"), path
                assert called != "print" or ast.unparse(node.args[0]).startswith("visible("), path
                assert not {"markup", "emoji"} & {
                    word.arg for word in node.keywords if ast.unparse(word.value) == "True"
                }


@pytest.mark.parametrize("name", NASTY)
def test_an_error_names_a_file_as_it_is(tmp_path, name, capfd):
    path = tmp_path / name.replace("\n", "").replace("\r", "")
    assert cli.main(["identify", f"{path}.npy"]) == 1
    _, shown = capfd.readouterr()
    assert_harmless(shown)
    assert visible(f"agegait: {path}.npy: expected a walk's file") in shown


def test_a_wrong_option_is_shown_as_it_is(capfd):
    with pytest.raises(SystemExit):
        cli.main(["identify", "x.npy", "--\x1b[2J"])
    _, shown = capfd.readouterr()
    assert "\x1b" not in shown
    assert "unexpected argument --\\x1b[2J" in shown


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Recordings of people whose names are no names, in a folder that is no better."""
    folder = tmp_path_factory.mktemp("own") / "walks[/b]\x1b[2J"
    for person, name in enumerate(PEOPLE):
        for number in range(2):
            path = folder / name / f"walk[copy] {number}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, generator.walk(person, "a", number)[0])
    return folder


@pytest.mark.slow
def test_inspect_on_a_terminal(own):
    text = on_terminal("inspect", own, COLUMNS="400")
    assert_harmless(text)
    for name in PEOPLE:
        assert visible(name) in STYLES.sub("", text)


class Liar(prediction_service_pb2_grpc.PredictionServiceServicer):
    """A server that answers names which are no names, or refuses with such details."""

    def __init__(self, person, details=""):
        self.person, self.details = person, details

    def GetModelMetadata(self, request, context):  # noqa: N802 (gRPC's name)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.metadata["signature_def"].Pack(get_model_metadata_pb2.SignatureDefMap())
        return answer

    def Predict(self, request, context):  # noqa: N802 (gRPC's name)
        if self.details:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, self.details)
        answer = predict_pb2.PredictResponse()
        answer.model_spec.version.value = 1
        for name, value in (("person", [self.person]), ("score", np.float32([0.5]))):
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        for name in ("logits", "probabilities"):
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(np.float32([[0.5, 0.5]])))
        return answer


@pytest.mark.parametrize("details", ["", "skeletons[/b]: \x1b[2J\u202e\nagegait: all is well"])
def test_identify_on_a_terminal(tmp_path, details):
    person = "[bold]anna[/x]\x1b[2J\nben"
    path = tmp_path / "walk[copy]\x1b]0;owned\x07\u202e.npy"
    np.save(path, generator.walk(0, "a", 0)[0])
    server = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Liar(person, details), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        text = on_terminal("identify", path, "--server", address, status=1 if details else 0)
    finally:
        server.stop(None).wait()
    assert_harmless(text)
    plain = STYLES.sub("", text)
    if details:
        assert "skeletons[/b]: \\x1b[2J\\u202e agegait: all is well" in plain
        assert len(plain.splitlines()) == 1
    else:
        assert plain.splitlines() == [f"{visible(str(path))}: {visible(person)}, 0.500"]


def test_names_that_an_encoding_has_not_stop_nothing(tmp_path):
    text = on_terminal("identify", tmp_path / "李.npy", status=1, PYTHONIOENCODING="ascii")
    assert "\\u674e.npy" in text
