"""What an import costs, in a Python of its own. Who may import whom is for import-linter: see pyproject.toml."""

import json
import os
import subprocess
import sys

import pytest

import agegait

# Refuses to talk to anybody, and to write anywhere but where Keras falls back to without a home.
ALONE = """
import sys, time
def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError(f"the network was asked: {event} {args}")
sys.addaudithook(refuse)
"""
HEAVY = {
    "absl",
    "google",
    "grpc",
    "keras",
    "keras_tuner",
    "matplotlib",
    "numpy",
    "rich",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "tensorflow",
}


def run_alone(code):
    """What `code` prints as JSON, run without a network and without a home that could be made or written."""
    environment = {**os.environ, "HOME": "/proc/nonexistent", "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("KERAS_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", ALONE + code], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


LOADED = "import json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def test_importing_agegait_costs_nothing():
    seconds = run_alone("start = time.process_time(); import agegait; print(time.process_time() - start)")
    assert seconds < 0.5  # a few milliseconds on a quiet machine
    assert HEAVY.isdisjoint(run_alone("import agegait; dir(agegait); agegait.__version__;" + LOADED))


TENSORFLOW = {"keras", "sklearn", "tensorflow", "tensorflow_datasets"}


def test_what_imports_do_not_load():
    imports = {  # in one process, one after another: what one loads is loaded for those behind it too
        "import agegait.cli": {"grpc", "numpy", *TENSORFLOW},
        "import agegait.skeletons": TENSORFLOW,
        "import agegait.metrics": TENSORFLOW,
        "from agegait.serving import Client": TENSORFLOW,
        "from agegait import Gallery": TENSORFLOW,
    }
    found = run_alone(f"""
import json
found = {{}}
for code in {list(imports)}:
    exec(code)
    found[code] = sorted({{name.partition('.')[0] for name in sys.modules}})
print(json.dumps(found))
""")
    assert {code: without & set(found[code]) for code, without in imports.items()} == {code: set() for code in imports}


def test_the_builders_import_no_keras():
    assert "keras" not in run_alone(f"import tfds_builders; {LOADED}")


@pytest.mark.slow
def test_all_public_names_resolve():
    homes = run_alone("""
import agegait, json
print(json.dumps({name: getattr(getattr(agegait, name), "__module__", None) for name in agegait.__all__}))
""")
    assert set(homes) == set(agegait.__all__) == set(dir(agegait))
    assert homes["GaitEncoder"].startswith("agegait.models")
    assert homes["ReverseDecoder"].startswith("agegait.layers")


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="No agegait attribute Gait"):
        agegait.Gait  # noqa: B018
