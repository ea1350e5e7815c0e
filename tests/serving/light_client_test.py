"""The client on a machine without TensorFlow: what docs/serving.md says to install there, against a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from support.export_walker import export

from agegait.serving import Server
from tfds_builders.walkers import generator

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-client.lock"

ASK = """
import json, sys
import numpy as np
from agegait.serving import AsyncClient, Client
with Client(sys.argv[1], timeout=60, token=sys.argv[2]) as client:
    (found,) = client.identify(np.load(sys.argv[3]))
    ready = client.ready()
print(json.dumps([found.person, found.score, ready, sorted(sys.modules)]))
"""


def test_the_clients_packages_are_some_of_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    client = project["dependency-groups"]["client"]
    assert set(client) <= set(project["project"]["dependencies"])
    locked = re.findall(r"^([\w-]+)==(\S+)", LOCK.read_text(), re.MULTILINE)
    needed = ["grpcio", "lazy-loader", "numpy", "packaging", "protobuf", "typing-extensions"]
    assert sorted(name for name, _ in locked) == needed
    assert set(locked) <= set(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))


def run(*command, **options):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in command]
    return subprocess.run(
        command, env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=300, **options
    )


def done(*command):
    result = run(*command)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """The programs of an environment with the client's packages and nothing else."""
    folder = tmp_path_factory.mktemp("light")
    source = folder / "source"
    for part in ("agegait", "export", "tfds_builders"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    done(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source)
    done(sys.executable, "-m", "venv", folder / "environment")
    programs = folder / "environment/bin"
    pip = (programs / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
    done(*pip, "--require-hashes", "--only-binary", ":all:", "-r", LOCK)
    done(*pip, "--no-deps", next(folder.glob("agegait-*.whl")))
    return programs


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "identifier").mkdir()
    export(folder / "identifier", 1, joints=20)
    (folder / "token").write_text(f"light: {'l' * 32}")
    np.save(folder / "walk.npy", generator.walk(0, next(iter(generator.CONDITIONS)), 0)[0])
    with Server(folder, port=0, token="l" * 32) as server:
        yield server.address, folder


@pytest.mark.slow
def test_the_client_works_without_tensorflow(light, served):
    address, folder = served
    person, score, ready, modules = json.loads(
        done(light / "python", "-c", ASK, address, "l" * 32, folder / "walk.npy").splitlines()[-1]
    )
    walk = np.load(folder / "walk.npy")
    assert (person, ready) == (str(int(walk.mean() > 0)), True)
    assert score == pytest.approx(float(walk.mean()), rel=1e-4)
    assert {"tensorflow", "keras", "agegait.serving.server", "rich"}.isdisjoint(modules)
    told = done(light / "python", "-m", "agegait.serving.client.ready", "--server", address)
    assert told == f"{address}: ready\n"


@pytest.mark.slow
def test_the_command_line_works_with_rich_alone(light, served):
    address, folder = served
    identify = (light / "agegait", "identify", folder / "walk.npy", "--server", address, "--token-file")
    without = run(*identify, folder / "token")
    assert (without.returncode, without.stdout) == (1, "")
    assert without.stderr == "agegait: this needs the package rich: install agegait with its dependencies.\n"
    done(light / "python", "-m", "pip", "install", "-q", f"rich=={metadata.version('rich')}")
    assert re.fullmatch(rf"{re.escape(str(folder))}/walk.npy: [01], -?\d\.\d+\n", done(*identify, folder / "token"))
    heavy = run(light / "agegait", "export", folder, "--out", folder / "out")
    assert heavy.returncode == 1
    assert heavy.stderr == "agegait: this needs the package tensorflow: install agegait with its dependencies.\n"
