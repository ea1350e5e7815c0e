"""Who may import whom. The sources are read, not run, so an import inside a function counts too."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agegait

ROOT = Path(__file__).parent.parent

# The names that `agegait` itself hands on from one of its packages.
HANDED_ON = {**dict.fromkeys(agegait._LAYERS, "agegait.layers"), **dict.fromkeys(agegait._MODELS, "agegait.models")}

# part: the parts of agegait that it may import besides itself. A part that is not named here may import every part but
# those of LAST, each of which is open to the parts named beside it alone.
OWN = {
    "agegait.skeletons": set(),
    "agegait.metrics": set(),
    "agegait.losses": set(),
    "agegait.limbs": {"agegait.skeletons"},
    "agegait.descriptors": {"agegait.skeletons"},
    "agegait.protocols": {"agegait.metrics"},
    "agegait.data": {"agegait.skeletons", "agegait.limbs"},
    "agegait.layers": {"agegait.skeletons", "agegait.limbs"},
    "agegait.models": {"agegait.skeletons", "agegait.limbs", "agegait.layers", "agegait.data"},
    "agegait.training": {
        "agegait.console",
        "agegait.data",
        "agegait.datasets",
        "agegait.disk_full",
        "agegait.layers",
        "agegait.losses",
        "agegait.models",
        "agegait.private_files",
        "agegait.visible_text",
        "agegait.whole_file",
    },
    "tfds_builders": {"agegait.skeletons", "agegait.data"},
}
LAST = {
    "agegait.export": {"agegait.cli", "agegait.serving"},
    "agegait.serving": {"agegait.cli"},
    "agegait.cli": {"agegait.__main__"},
    "agegait.tuning": {"agegait.cli"},
    "agegait.reproduction": {"agegait.cli"},
}

# part: the only packages of others that it may import.
FOREIGN = {
    "agegait.skeletons": {"numpy"},
    "agegait.metrics": {"numpy", "sklearn"},
    "agegait.limbs": {"numpy"},
    "agegait.descriptors": {"numpy"},
    "agegait.protocols": {"numpy", "sklearn"},
    "agegait.data": {"numpy", "keras", "tensorflow", "pyarrow"},
    "agegait.layers": {"numpy", "keras"},
    "agegait.losses": {"keras"},
    "agegait.models": {"numpy", "keras"},
}
NEVER = {"tfds_builders": {"keras", "keras_tuner"}}


def sources():
    """Dotted name and path of every module of the library, those that come later included."""
    for folder, package in (("agegait", "agegait"), ("export", "agegait.export"), ("tfds_builders", "tfds_builders")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def imported(text, module, is_package):
    """All modules that a source imports, as dotted names: `from agegait import data` gives agegait.data."""
    package = module if is_package else module.rpartition(".")[0]
    tree = ast.parse(text)
    names, aliases = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names.add(alias.name)
                if alias.asname is None or alias.name == "agegait":
                    aliases[alias.asname or alias.name.partition(".")[0]] = alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names.update(str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
    for node in ast.walk(tree):  # import agegait; agegait.models.GaitEncoder
        if isinstance(node, ast.Attribute) and aliases.get(ast.unparse(node.value)) == "agegait":
            names.add(f"agegait.{node.attr}")
    return {HANDED_ON.get(name.removeprefix("agegait."), name) for name in names}


def part_of(name):
    """agegait.layers.axis_lstm -> agegait.layers; keras.ops -> keras."""
    depth = 2 if name.startswith("agegait.") else 1
    return ".".join(name.split(".")[:depth])


def complaints(module, text, is_package=False):
    """What the house rules say against a source, one line an import."""
    part, found = part_of(module), []
    for name in sorted(imported(text, module, is_package)):
        other = part_of(name)
        if other in (part, "agegait") or other.partition(".")[0] in sys.stdlib_module_names:
            continue
        own = other.startswith("agegait.") or other == "tfds_builders"
        if own and part in OWN:
            allowed = other in OWN[part]
        elif own:
            allowed = part in LAST.get(other, {part})
        else:
            allowed = other in FOREIGN.get(part, {other}) and other not in NEVER.get(part, ())
        if not allowed:
            found.append(f"{module} imports {name}")
    return found


SOURCES = dict(sources())


@pytest.mark.parametrize("module", [name for name in SOURCES if name != "agegait"])  # its table names every part
def test_imports_go_one_way(module):
    path = SOURCES[module]
    assert complaints(module, path.read_text(encoding="utf-8"), path.name == "__init__.py") == []


def test_all_parts_are_there():
    assert {part_of(module) for module in SOURCES} >= {*OWN, "agegait.cli", "agegait.export", "agegait.serving"}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("agegait.layers.x", "import tensorflow as tf"),
        ("agegait.layers.x", "def f():\n    from tensorflow import math"),
        ("agegait.layers.x", "from agegait.models import GaitEncoder"),
        ("agegait.layers.x", "from ..models import gait_encoder"),
        ("agegait.layers.x", "from agegait import GaitEncoder"),
        ("agegait.models.x", "from agegait import runs"),
        ("agegait.models.x", "import agegait.cli"),
        ("agegait.models.x", "import agegait\nagegait.training.load_run()"),
        ("agegait.models.x", "import agegait as house\nhouse.export.save()"),
        ("agegait.models.x", "if TYPE_CHECKING:\n    import tensorflow"),
        ("agegait.data.x", "from agegait.layers import SkeletonNormalization"),
        ("agegait.data.x", "import pandas"),
        ("agegait.metrics", "from agegait import skeletons"),
        ("agegait.skeletons", "import keras"),
        ("agegait.training", "import importlib\nimportlib.import_module('agegait.export')"),
        ("agegait.training", "from agegait import tuning"),
        ("agegait.training", "from agegait import evaluation"),
        ("agegait.training", "from agegait.cli import main"),
        ("agegait.serving.server.server", "from agegait.cli import main"),
        ("tfds_builders.kgbd.x", "import keras"),
        ("tfds_builders.kgbd.x", "from keras import ops"),
        ("tfds_builders.kgbd.x", "from agegait.layers import SkeletonNormalization"),
        ("tfds_builders.kgbd.x", "from agegait import metrics"),
    ],
)
def test_a_wrong_import_is_found(module, text):
    assert len(complaints(module, text)) > 0


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("agegait.layers.x", "import keras\nfrom keras import ops\nfrom agegait.layers.y import Z\nfrom . import y"),
        ("agegait.models.x", "from agegait.layers import AxisLSTM\nfrom agegait import skeletons\nimport numpy as np"),
        ("agegait.data.x", "import tensorflow as tf\nfrom agegait.skeletons import JOINTS\nimport os.path"),
        ("agegait.metrics", "def f():\n    from sklearn.metrics import roc_auc_score"),
        ("agegait.tuning", "import keras_tuner\nfrom agegait import GaitEncoder, runs"),
        ("agegait.cli", "def f():\n    from agegait.serving import Server\n    from agegait import tuning"),
        ("agegait.serving.server.server", "import agegait\nfrom agegait.serving import client\nimport tensorflow"),
        ("tfds_builders.kgbd.x", "import tensorflow_datasets\nfrom agegait.data import files\nfrom . import split"),
    ],
)
def test_a_right_import_is_left_alone(module, text):
    assert complaints(module, text) == []


# What follows runs in a Python of its own: here, everything has been imported long since.

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
    seconds = run_alone("start = time.perf_counter(); import agegait; print(time.perf_counter() - start)")
    assert seconds < 0.5  # a few milliseconds on a quiet machine
    assert HEAVY.isdisjoint(run_alone("import agegait; dir(agegait); agegait.__version__;" + LOADED))


@pytest.mark.parametrize(
    ("code", "without"),
    [
        ("import agegait.skeletons", {"keras", "tensorflow", "sklearn"}),
        ("import agegait.metrics", {"keras", "tensorflow", "sklearn"}),
        ("from agegait.serving import Client", {"keras", "tensorflow", "tensorflow_datasets", "sklearn"}),
        ("import agegait.cli", {"keras", "tensorflow", "numpy", "grpc", "sklearn"}),
        ("import tfds_builders", {"keras"}),
    ],
)
def test_what_an_import_does_not_load(code, without):
    assert without.isdisjoint(run_alone(f"{code}; {LOADED}"))


def test_all_public_names_resolve():
    homes = run_alone("""
import agegait, json
print(json.dumps({name: getattr(getattr(agegait, name), "__module__", None) for name in agegait.__all__}))
""")
    assert set(homes) == set(agegait.__all__) == set(dir(agegait))
    for name, home in HANDED_ON.items():
        assert homes[name].startswith(home)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="module 'agegait' has no attribute 'Gait'"):
        agegait.Gait  # noqa: B018
