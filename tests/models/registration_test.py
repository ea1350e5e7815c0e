"""Which import a user needs before `keras.models.load_model`, in a process of its own."""

import json
import subprocess
import sys

import keras
import pytest

import agegait
from agegait.losses import SmoothedCrossentropy
from agegait.training.optimizers import FusedAdam

PROGRAM = """
import importlib, json, sys
hooks = list(sys.meta_path)
import agegait
assert hooks == sys.meta_path and "keras" not in sys.modules
import keras

def loads(name):
    try:
        keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    except TypeError as error:
        assert "make sure they are all imported" in str(error), error  # Keras's own words
        return False
    return True

found = {"agegait": [loads("adam"), loads("fused")]}
for module in ("agegait.models", "agegait.training.optimizers"):
    importlib.import_module(module)
    found[module] = [loads("adam"), loads("fused")]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_the_import_that_load_model_needs(tmp_path):
    for name, optimizer in (("adam", "adam"), ("fused", FusedAdam())):
        model = keras.Sequential(
            [keras.Input((2, 3)), agegait.SkeletonNormalization(), keras.layers.Flatten(), keras.layers.Dense(2)]
        )
        model.compile(optimizer, SmoothedCrossentropy(0.1))
        model.save(tmp_path / f"{name}.keras")
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "agegait": [False, False],
        "agegait.models": [True, False],
        "agegait.training.optimizers": [True, True],
    }
