"""`models.config` of TensorFlow Serving in place of a folder: its labels hold after a restart."""

import os
import shutil
import subprocess
import sys

import grpc
import pytest
from support.export_walker import Plain, changed, export, refused, serving, until
from tensorflow_serving.apis import model_management_pb2

from agegait import cli
from agegait.serving import ModelOptions, Server

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original") / "walker"
    folder.mkdir()
    for version in (1, 2, 3):
        export(folder, version)
    return folder


@pytest.fixture
def config(original, tmp_path):
    """A file that serves versions 1 and 3 of `walker`, labelled."""
    (tmp_path / "models.config").write_text(text(original))
    return tmp_path / "models.config"


def text(base_path, labels=(("stable", 1), ("canary", 3)), policy="specific { versions: 1 versions: 3 }"):
    words = "".join(f'    version_labels {{ key: "{label}" value: {version} }}\n' for label, version in labels)
    return (
        f'# as tensorflow/serving takes it\nmodel_config_list {{\n  config {{\n    name: "walker"\n'
        f'    base_path: "{base_path}"\n    model_platform: "tensorflow"\n'
        f"    model_version_policy {{ {policy} }}\n{words}  }}\n}}\n"
    )


def labelled(label):
    return changed(lambda request: setattr(request.model_spec, "version_label", label))


def served(plain, label):
    return plain.predict(labelled(label)).model_spec.version.value


def test_labels_hold_after_a_restart(config):
    for _ in range(2):
        with serving(None, model_config_file=config) as (server, plain):
            assert (served(plain, "stable"), served(plain, "canary")) == (1, 3)
            assert set(plain.states()) == {1, 3}
            assert server.ready
            with refused(Code.INVALID_ARGUMENT, "Unrecognized servable version label: blue"):
                plain.predict(labelled("blue"))


def test_new_versions_are_taken_up_as_the_file_says(original, tmp_path, config):
    base = tmp_path / "walker"
    shutil.copytree(original / "1", base / "1")
    config.write_text(text(base, [("stable", 1)], "latest { num_versions: 2 }"))
    with serving(None, model_config_file=config) as (_, plain):
        assert plain.score() == 1
        for version in (2, 3):
            shutil.copytree(original / str(version), tmp_path / ".aside").rename(base / str(version))
            until(lambda version=version: plain.score() == version)
        until(lambda: plain.states()[1].state == 50)
        # The label stays, and names a version that is gone.
        with refused(Code.NOT_FOUND, "Specific(walker, 1)"):
            plain.predict(labelled("stable"))


def test_a_label_of_a_version_that_does_not_serve_is_refused_at_the_start(original, config):
    config.write_text(text(original, [("stable", 2)]))
    words = "model_config_file: model walker: label stable: expected a version that serves, received 2"
    with pytest.raises(ValueError, match=words):
        Server(ModelOptions(model_config_file=config), port=0).start()


def test_a_label_of_a_version_that_does_not_serve_may_be_allowed(original, config):
    config.write_text(text(original, [("stable", 2)]))
    options = {"model_config_file": config, "allow_version_labels_for_unavailable_models": True, "allow_reload": True}
    with serving(None, **options) as (_, plain):
        with refused(Code.NOT_FOUND, "Specific(walker, 2)"):
            plain.predict(labelled("stable"))
        request = model_management_pb2.ReloadConfigRequest()
        model = request.config.model_config_list.config.add(name="walker", base_path=str(original))
        model.version_labels.update({"stable": 3, "late": 9})
        plain.models.HandleReloadConfigRequest(request, timeout=60)
        assert served(plain, "stable") == 3
        # As tensorflow/serving has it, a label that is in use can't be given away like that.
        model.version_labels["stable"] = 8
        with refused(Code.FAILED_PRECONDITION, "Request to assign label to version 8 of model walker"):
            plain.models.HandleReloadConfigRequest(request, timeout=60)
        assert served(plain, "stable") == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "model_config_list {\n  config { nme: 3 }\n}",
            'models.config, line 2: Message type ".*" has no field named "nme"',
        ),
        ("model_config_list {\n", 'models.config, line 1: Expected "}"'),
        (
            'model_config_list {\n\n config { version_labels { key: "x" value: 9223372036854775808 } } }',
            "line 3: .*range",
        ),
        ("", "models.config: config: expected a model_config_list with at least one model"),
        ("custom_model_config {}", "expected a model_config_list with at least one model"),
        (text("relative"), "models.config: model 'walker': expected a name and a base_path that is an absolute folder"),
        (text("/nowhere/at/all"), "a base_path that is an absolute folder"),
        (text("/tmp").replace('tensorflow"', 'onnx"'), "expected the platform tensorflow, received 'onnx'"),
        (b"\xff\xfe", "expected text in UTF-8"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_line(tmp_path, content, words):
    file = tmp_path / "models.config"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=words) as caught:
        Server(ModelOptions(model_config_file=file))
    assert str(caught.value).startswith(f"model_config_file: {file}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for name, words in (("nowhere", "No such file"), ("fifo", "not a regular file"), (".", "Is a directory|regular")):
        with pytest.raises(ValueError, match=f"model_config_file: .* can't be read: .*({words})"):
            Server(ModelOptions(model_config_file=tmp_path / name))


@pytest.mark.parametrize(("both", "received"), [(True, "both"), (False, "neither")])
def test_a_folder_or_a_file_but_not_both(config, original, both, received, capsys):
    words = [str(original), "--model-config-file", str(config)] if both else []
    with pytest.raises(ValueError, match=f"expected either a folder or model_config_file, received {received}"):
        ModelOptions(original if both else None, model_config_file=config if both else None)
    assert cli.main(["serve", *words]) == 1
    expected = f"DIR: expected either a folder or --model-config-file, received {received}."
    assert capsys.readouterr().err == f"agegait: {expected}\n"


@pytest.mark.slow
def test_the_command_serves_what_the_file_says(config):
    command = [
        sys.executable,
        "-m",
        "agegait",
        "serve",
        "--model-config-file",
        str(config),
        "--port",
        "0",
        "--no-verify",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = next(line for line in process.stderr if line.startswith("serving "))
            assert said.startswith(f"serving {config} on 127.0.0.1:")
            address = said.split(" on ")[1].split(";")[0]
            with grpc.insecure_channel(address) as channel:
                assert served(Plain(None, channel), "stable") == 1
        finally:
            process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
