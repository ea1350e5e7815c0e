"""In processes of their own; that `load_model` needs no more than `import agegait` is tried with the models."""

import subprocess
import sys

import pytest


def run(program):
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout.strip()


def test_a_layers_module_may_be_what_brings_keras_in():
    program = (
        "import agegait.layers.reverse_decoder, agegait.models, keras; print(keras.saving.{}('agegait>GaitEncoder'))"
    )
    assert "gait_encoder.GaitEncoder" in run(program.format("get_registered_object"))


@pytest.mark.parametrize("order", ["agegait, keras", "keras, agegait"])
@pytest.mark.parametrize(("module", "name"), [("losses", "SmoothedCrossentropy"), ("optimizers", "FusedAdam")])
def test_import_agegait_is_enough_for_what_models_are_compiled_with(order, module, name):
    program = f"import {order}; print(keras.saving.get_registered_object('agegait>{name}'))"
    assert f"{module}.{name}" in run(program)


def test_import_agegait_costs_no_keras():
    assert run("import sys, agegait; print({'keras', 'tensorflow', 'numpy'} & set(sys.modules))") == "set()"


def test_a_missing_keras_is_reported_as_ever():
    program = """
import sys, agegait
sys.path[:] = [place for place in sys.path if "site-packages" not in place]
try:
    import keras
except ModuleNotFoundError as error:
    print(error)
"""
    assert run(program) == "No module named 'keras'"
