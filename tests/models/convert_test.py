"""Weights of the published TensorFlow 1 code, read into the models, and the figures the published code prints for them.

Further checkpoints are tried with AGEGAIT_REFERENCE=folder, laid out as ../shared/reference: checkpoints/<run>/,
authors_layout/Datasets/ and, for each figure, a line `| IAS-A | rank-1 | nAUC |` in expected.md.
"""

import os
import re

import numpy as np
import pytest
import tensorflow as tf
from support.outside import REFERENCE, needs_reference

from agegait import convert, data, metrics
from agegait.evaluation import protocols

AXES = ("x", "y", "z")


def published_variables(units=3, joints=4, seed=0):
    """Variables of one axis under their published names, of any values."""
    draw = np.random.default_rng(seed).standard_normal
    wrapper = "decode/decoder/Attention_Wrapper"
    shapes = {
        "rnn/multi_rnn_cell/cell_0/lstm_cell/kernel": (joints + units, 4 * units),
        "rnn/multi_rnn_cell/cell_0/lstm_cell/bias": (4 * units,),
        "rnn/multi_rnn_cell/cell_1/lstm_cell/kernel": (2 * units, 4 * units),
        "rnn/multi_rnn_cell/cell_1/lstm_cell/bias": (4 * units,),
        "memory_layer/kernel": (units, units),
        f"{wrapper}/multi_rnn_cell/cell_0/lstm_cell/kernel": (joints + 2 * units, 4 * units),
        f"{wrapper}/multi_rnn_cell/cell_0/lstm_cell/bias": (4 * units,),
        f"{wrapper}/multi_rnn_cell/cell_1/lstm_cell/kernel": (2 * units, 4 * units),
        f"{wrapper}/multi_rnn_cell/cell_1/lstm_cell/bias": (4 * units,),
        f"{wrapper}/attention_layer/kernel": (2 * units, units),
        "decode/decoder/dense/kernel": (units, joints),
        "decode/decoder/dense/bias": (joints,),
    }
    return {name: draw(shape).astype("float32") for name, shape in shapes.items()}


def recognition_network(size, units=3, persons=5):
    draw = np.random.default_rng(1).standard_normal
    shapes = {"W1": (size, units), "b1": (units,), "W": (units, persons), "Variable": (persons,)}
    return {name: draw(shape).astype("float32") for name, shape in shapes.items()}


def write_checkpoint(folder, variables):
    """A checkpoint in TensorFlow 1's own format, as its Saver writes it."""
    folder.mkdir(parents=True)
    names, part = sorted(variables), str(folder / "part")
    tf.raw_ops.SaveV2(
        prefix=part,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(variables[name]) for name in names],
    )
    prefix = str(folder / "trained_model.ckpt")
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[part], destination_prefix=prefix)
    return folder


@pytest.fixture
def folders(tmp_path):
    axes = [write_checkpoint(tmp_path / axis, published_variables(seed=seed)) for seed, axis in enumerate(AXES)]
    return axes, write_checkpoint(tmp_path / "recognizer", recognition_network(9))


def test_sizes_are_read_off_the_checkpoints(folders):
    encoder, recognizer = convert.load_reference(*folders)
    assert (encoder.units, encoder.joints, encoder.num_layers) == (3, 4, 2)
    assert (recognizer.num_persons, recognizer.manner, recognizer.units) == (5, "ap", 3)
    logits = recognizer(encoder(np.ones((2, 6, 4, 3), "float32"))["ages"])
    assert logits.shape == (2, 5)


def test_each_axis_has_its_own_weights_and_names_do_as_well_as_order(folders):
    axes, recognizer = folders
    by_order, _ = convert.load_reference(axes, recognizer)
    by_name, _ = convert.load_reference(dict(zip(reversed(AXES), reversed(axes), strict=True)), recognizer)
    for ours, same in zip(by_order.weights, by_name.weights, strict=True):
        np.testing.assert_array_equal(ours, same)
        assert not np.array_equal(ours[0], ours[1])


def test_a_network_for_joined_frames_is_of_manner_sc(folders, tmp_path):
    joined = write_checkpoint(tmp_path / "sc", recognition_network(54))
    _, recognizer = convert.load_reference(folders[0], joined)
    assert recognizer.manner == "sc"


def test_wrong_checkpoints_are_refused_by_name(folders, tmp_path):
    axes, recognizer = folders
    with pytest.raises(ValueError, match=r"encoder_dirs: expected three folders, for x, y and z, received 2\."):
        convert.load_reference(axes[:2], recognizer)
    with pytest.raises(ValueError, match=r"nowhere: expected a checkpoint trained_model\.ckpt\.index, found none"):
        convert.load_reference(axes, tmp_path / "nowhere")
    with pytest.raises(ValueError, match="expected 'W1', received"):
        convert.load_reference(axes, axes[0])
    with pytest.raises(ValueError, match=r"W1: expected 9 inputs .* or 54 .*, received 7\."):
        convert.load_reference(axes, write_checkpoint(tmp_path / "odd", recognition_network(7)))
    broken = write_checkpoint(tmp_path / "broken", published_variables())
    (broken / "trained_model.ckpt.index").write_bytes(b"no checkpoint at all")
    with pytest.raises(ValueError, match="expected a TensorFlow 1 checkpoint, but reading it failed"):
        convert.load_reference([broken, *axes[1:]], recognizer)
    other = write_checkpoint(tmp_path / "other", published_variables(units=2))
    with pytest.raises(ValueError, match="shape"):
        convert.load_reference([axes[0], axes[1], other], recognizer)


def test_files_that_are_none_or_too_large_are_refused_unread(folders, tmp_path, monkeypatch):
    axes, recognizer = folders
    index, (values,) = axes[0] / "trained_model.ckpt.index", list(axes[0].glob("*.data-*"))
    monkeypatch.setattr(convert, "MOST_BYTES", values.stat().st_size - 1)
    with pytest.raises(ValueError, match=r"trained_model\.ckpt\.data-00000-of-00001: expected a file of at most"):
        convert.load_reference(axes, recognizer)
    monkeypatch.undo()
    for path in (index, values):
        kept = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(ValueError, match=f"{path.name}: expected a regular file"):
            convert.load_reference(axes, recognizer)
        path.unlink()
        path.write_bytes(kept)
    convert.load_reference(axes, recognizer)


def test_variables_of_text_and_variables_larger_than_the_files(folders, tmp_path):
    text = write_checkpoint(tmp_path / "text", {**recognition_network(9), "W1": np.array(["a", "b"])})
    with pytest.raises(ValueError, match="expected numbers in 'W1', found string"):
        convert.read_checkpoint(text)
    (values,) = list(folders[1].glob("*.data-*"))
    os.truncate(values, values.stat().st_size - 4)  # the index promises more
    with pytest.raises(ValueError, match="expected variables of as many bytes as the files have, found"):
        convert.read_checkpoint(folders[1])


def printed():
    """The figures of expected.md: test, Rank-1, nAUC."""
    if not REFERENCE.exists():
        return []
    text = (REFERENCE / "expected.md").read_text()
    found = re.findall(r"^\| (\w+)-(\w+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    return [(dataset, part, float(rank1), float(nauc)) for dataset, part, rank1, nauc in found]


@pytest.fixture(scope="module")
def reference():
    (run,) = (REFERENCE / "checkpoints").iterdir()
    encoders = {folder.name[-1]: folder for folder in (run / "Gait_Encoding_models").iterdir()}
    (recognizer,) = (run / "AGEs_RN_models").iterdir()
    return convert.load_reference(encoders, recognizer)


@needs_reference
def test_there_are_printed_figures_to_meet():
    assert len(printed()) > 0


@pytest.mark.slow
@needs_reference
@pytest.mark.parametrize(("dataset", "part", "rank1", "nauc"), printed())
def test_published_checkpoints_give_the_printed_figures(reference, dataset, part, rank1, nauc):
    encoder, recognizer = reference
    test = data.load_authors_layout(REFERENCE / "authors_layout" / "Datasets", dataset, part)
    logits = recognizer.predict(encoder.predict(test.windows, verbose=0)["ages"], verbose=0)
    counted = protocols.published_windows(test.persons)
    # To the last digit printed, over the windows that the published evaluation counts.
    assert metrics.rank_k(logits[counted], test.persons[counted]) == pytest.approx(rank1, abs=5e-7)
    assert metrics.nauc_roc(logits[counted], test.persons[counted]) == pytest.approx(nauc, abs=2e-6)
    # Over all windows, near it.
    assert metrics.rank_k(logits, test.persons) == pytest.approx(rank1, abs=0.011)
    assert metrics.nauc_roc(logits, test.persons) == pytest.approx(nauc, abs=0.01)
