import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import agegait

F, J, K = 4, 5, 6


def tiny(**options):
    return agegait.GaitEncoder(**{"frames": F, "joints": J, "units": K, **options})


def shallow(**options):
    """Half as much to compute, for what has nothing to do with layers that lie upon each other."""
    return tiny(num_layers=1, **options)


def compiled(encoder=None, optimizer="adam"):
    encoder = shallow() if encoder is None else encoder
    encoder.compile(optimizer=optimizer, run_eagerly=True)
    return encoder


def draw_windows(number, seed=0):
    return np.random.default_rng(seed).standard_normal((number, F, J, 3)).astype("float32")


@pytest.fixture(scope="module")
def windows():
    return draw_windows(7)


@pytest.fixture(scope="module")
def encoder(windows):
    """An untrained encoder that nobody trains, its weights far enough from zero to tell inputs apart."""
    encoder = tiny()
    encoder.build(windows.shape)
    random = np.random.default_rng(1)
    encoder.set_weights([0.5 * random.standard_normal(weight.shape) for weight in encoder.weights])
    return encoder


def like(encoder, **options):
    """An encoder with other options and the same weights."""
    twin = tiny(**options)
    twin.build((None, F, J, 3))
    twin.set_weights(encoder.get_weights())
    return twin


@pytest.fixture(scope="module")
def outputs(encoder, windows):
    return {name: np.asarray(output) for name, output in encoder(windows).items()}


@pytest.fixture(scope="module")
def trained(windows):
    encoder = compiled(shallow(units=4, feed="previous", sigma=1.5))
    encoder.fit(windows, verbose=0)
    return encoder


def walks():
    """Two walks of 9 and 8 frames as `tfds.load` gives them, their labels strings and numbers."""

    def generate():
        for name, length in (("ann1", 9), ("bob1", 8)):
            skeleton = np.random.default_rng(length).standard_normal((length, J, 3)).astype("float32")
            yield {"skeleton": skeleton, "tracked": np.ones((length, J), bool), "walk": name, "person": 1}

    spec = {
        "skeleton": tf.TensorSpec([None, J, 3], tf.float32),
        "tracked": tf.TensorSpec([None, J], tf.bool),
        "walk": tf.TensorSpec([], tf.string),
        "person": tf.TensorSpec([], tf.int64),
    }
    return tf.data.Dataset.from_generator(generate, output_signature=spec)


class TestOutputs:
    def test_shapes(self, outputs, windows):
        number = len(windows)
        assert {name: output.shape for name, output in outputs.items()} == {
            "reconstruction": (number, F, J, 3),
            "attention": (number, 3, F, F),
            "ages": (number, F, 3 * K),
        }

    def test_computed_and_symbolic_shapes_are_the_same(self, outputs):
        shapes = {name: (None, *output.shape[1:]) for name, output in outputs.items()}
        assert tiny().compute_output_shape((None, F, J, 3)) == shapes
        assert {name: output.shape for name, output in tiny()(keras.Input((F, J, 3))).items()} == shapes
        features = {"skeleton": keras.Input((F, J, 3)), "person": keras.Input((), dtype="int64")}
        assert {name: output.shape for name, output in tiny()(features).items()} == shapes

    def test_rows_of_the_attention_sum_to_one(self, outputs):
        assert (outputs["attention"] > 0).all()
        np.testing.assert_allclose(outputs["attention"].sum(axis=-1), 1, rtol=1e-5)

    @pytest.mark.usefixtures("eagerly")
    @pytest.mark.parametrize("attention", agegait.GaitEncoder.ATTENTIONS)
    def test_ages_are_the_states_that_the_attention_looks_at(self, encoder, windows, attention):
        twin = like(encoder, attention=attention)
        states = twin.states(windows, batch_size=3, verbose=0)
        assert states.shape == (len(windows), F, 3 * K)
        outputs = {name: np.asarray(output) for name, output in twin(windows).items()}
        for axis in range(3):
            part = slice(axis * K, (axis + 1) * K)
            expected = outputs["attention"][:, axis] @ states[..., part]
            np.testing.assert_allclose(outputs["ages"][..., part], expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.usefixtures("eagerly")
    def test_states_are_the_encoders_outputs_for_x_then_y_then_z(self, encoder, windows):
        memory, _ = encoder.encoder(np.transpose(windows, (3, 0, 1, 2)))
        expected = np.concatenate(list(np.asarray(memory)), axis=-1)
        features = {"skeleton": windows, "walk": np.array(["a"] * len(windows))}
        for data in (windows, features, tf.data.Dataset.from_tensor_slices(features)):
            np.testing.assert_allclose(encoder.states(data, verbose=0), expected, rtol=1e-5, atol=1e-6)

    @pytest.mark.slow
    def test_states_of_an_encoder_that_nobody_called(self, windows):
        encoder = tiny(dtype="mixed_bfloat16")
        states = encoder.states(windows, verbose=0)
        memory, _ = encoder.encoder(np.transpose(windows, (3, 0, 1, 2)))
        expected = np.asarray(memory[2], "float32")
        np.testing.assert_allclose(np.asarray(states[..., -K:], "float32"), expected, rtol=0.02, atol=1e-4)
        encoder(windows)  # builds nothing that was not there
        assert encoder.states(windows, verbose=0).tobytes() == states.tobytes()

    def test_masked_attention_is_the_basic_one_under_the_locality(self, encoder, windows):
        masked = like(encoder, attention="MBAS", sigma=1.0)(windows)["attention"]
        basic = like(encoder, attention="BA")(windows)["attention"]
        nearness = encoder.decoder.attention.locality(F, F)
        # Input feeding lets what was masked before into later steps: only the first is the same under its mask.
        by_hand = np.exp(-((np.arange(F) - (F - 1)) ** 2) / 2)
        np.testing.assert_allclose(masked[:, :, 0], basic[:, :, 0] * by_hand, rtol=1e-5)
        assert nearness[0].argmax() == F - 1
        assert (np.asarray(masked).sum(axis=-1) < 1).all()

    def test_direction_leaves_the_outputs_alone_but_for_masks_and_targets(self, encoder, outputs, windows):
        for attention in ("LA", "BA"):
            forward = like(encoder, attention=attention, direction="forward")(windows)
            for name, output in forward.items():
                np.testing.assert_allclose(output, outputs[name], rtol=1e-5, atol=1e-6)
        forward = like(encoder, attention="MBAS", direction="forward")(windows)["attention"]
        reverse = like(encoder, attention="MBAS")(windows)["attention"]
        assert not np.allclose(forward, reverse)

    @pytest.mark.parametrize("direction", ["reverse", "forward"])
    def test_the_target_fed_in_is_the_frame_rebuilt_before(self, encoder, windows, direction):
        twin = like(encoder, feed="target", direction=direction)
        rebuilt = np.asarray(twin(windows)["reconstruction"])
        for frame in range(F):
            moved = windows.copy()
            moved[:, frame] += 1
            by_axis = np.transpose(windows, (3, 0, 1, 2))
            memory, states = twin.encoder(by_axis)
            order = slice(None, None, -1 if direction == "reverse" else 1)
            target = np.transpose(moved, (3, 0, 1, 2))[:, :, order]
            after = np.transpose(twin.decoder(memory, states, target=target)[0], (1, 2, 3, 0))
            step = F - 1 - frame if direction == "reverse" else frame
            np.testing.assert_allclose(after[:, : step + 1], rebuilt[:, : step + 1], rtol=1e-5, atol=1e-6)
            assert (np.abs(after - rebuilt)[:, step + 1 :].max(axis=(0, 2, 3)) > 1e-3).all()

    @pytest.mark.parametrize("axis", range(3))
    def test_axes_are_independent(self, encoder, outputs, windows, axis):
        moved = windows.copy()
        moved[..., axis] += 1
        after = {name: np.asarray(output) for name, output in encoder(moved).items()}
        by_axis = {
            "reconstruction": lambda value: np.moveaxis(value, -1, 0),
            "attention": lambda value: np.moveaxis(value, 1, 0),
            "ages": lambda value: np.stack(np.split(value, 3, axis=-1)),
        }
        for name, split in by_axis.items():
            for other in range(3):
                equal = np.array_equal(split(after[name])[other], split(outputs[name])[other])
                assert equal == (other != axis), name

    def test_ages_depend_on_the_window_alone(self, encoder, outputs, windows):
        alone = np.concatenate([encoder(window[None])["ages"] for window in windows])
        np.testing.assert_allclose(alone, outputs["ages"], rtol=1e-5, atol=1e-6)

    def test_a_dict_of_features_is_read_by_its_skeleton(self, encoder, outputs, windows):
        features = {"skeleton": windows, "person": np.arange(len(windows))}
        np.testing.assert_array_equal(encoder(features)["ages"], outputs["ages"])

    def test_parts_of_a_functional_model(self, encoder, outputs, windows):
        inputs = keras.Input((F, J, 3))
        model = keras.Model(inputs, encoder(inputs)["ages"])
        np.testing.assert_allclose(model(windows), outputs["ages"], rtol=1e-6)

    def test_mixed_precision_is_close(self, encoder, outputs, windows):
        mixed = tiny(dtype="mixed_bfloat16")
        mixed.build(windows.shape)
        mixed.set_weights(encoder.get_weights())
        for name, output in mixed(windows).items():
            assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
            expected = outputs[name]
            np.testing.assert_allclose(np.asarray(output, "float32"), expected, atol=0.05 * np.abs(expected).max())


def test_parameters_of_the_published_size():
    encoder = agegait.GaitEncoder(frames=6, joints=20, units=256)
    encoder.build((None, 6, 20, 3))
    assert encoder.count_params() == 3 * 2_081_812


class TestLoss:
    @pytest.mark.parametrize("direction", ["reverse", "forward"])
    def test_is_the_mean_over_windows_of_the_published_terms_and_the_weights(
        self, encoder, outputs, windows, direction
    ):
        weighted = like(encoder, locality_weight=0.5, l2=0.01, direction=direction)
        reconstruction = locality = 0.0
        order = range(F) if direction == "forward" else range(F - 1, -1, -1)
        nearness = [np.exp(-((np.arange(F) - rebuilt) ** 2) / (2 * (F / 2) ** 2)) for rebuilt in order]
        for window, rebuilt, attention in zip(windows, outputs["reconstruction"], outputs["attention"], strict=True):
            for step in range(F):
                reconstruction += 0.5 * np.sum((rebuilt[step] - window[order[step]]) ** 2)
                for axis in range(3):
                    locality += 0.5 * np.sum((attention[axis, step] * (1 - nearness[step])) ** 2)
        weights = 0.01 * 0.5 * sum(np.sum(weight**2) for weight in weighted.get_weights())
        expected = (reconstruction + 0.5 * locality) / len(windows) + weights
        compiled(weighted)
        logs = weighted.evaluate(windows, batch_size=len(windows), verbose=0, return_dict=True)
        assert logs["loss"] == pytest.approx(expected, rel=1e-5)
        assert logs["reconstruction_loss"] == pytest.approx(reconstruction / len(windows), rel=1e-5)
        assert logs["locality_loss"] == pytest.approx(locality / len(windows), rel=1e-5)

    @pytest.mark.parametrize("attention", ["BA", "MBAS"])
    def test_only_locality_aware_attention_has_a_locality_term(self, windows, attention):
        encoder = compiled(shallow(attention=attention, l2=0.0))
        logs = encoder.evaluate(windows, batch_size=len(windows), verbose=0, return_dict=True)
        assert set(logs) == {"loss", "reconstruction_loss"}
        assert logs["loss"] == pytest.approx(logs["reconstruction_loss"])

    def test_sample_weights_weigh_windows(self, encoder, windows):
        twin = tiny(l2=0.0)
        twin.build(windows.shape)
        twin.set_weights(encoder.get_weights())
        compiled(twin)
        weights = np.zeros(len(windows), "float32")
        weights[2] = len(windows)
        whole = twin.evaluate(windows, sample_weight=weights, verbose=0, return_dict=True)
        alone = twin.evaluate(windows[2:3], verbose=0, return_dict=True)
        assert whole == pytest.approx(alone, rel=1e-5)

    @pytest.mark.slow
    def test_sample_weights_weigh_training_and_validation(self, windows):
        weights = np.full(len(windows), 2.0, "float32")
        losses = []
        for options in ({}, {"sample_weight": weights}):
            keras.utils.set_random_seed(3)
            held = (windows, None, *options.values())
            encoder = compiled(shallow(l2=0.0), optimizer=keras.optimizers.SGD(0.0))
            history = encoder.fit(windows, validation_data=held, verbose=0, **options).history
            losses.append([history["loss"][0], history["val_loss"][0]])
        np.testing.assert_allclose(losses[1], 2 * np.array(losses[0]), rtol=1e-5)

    def test_does_not_depend_on_the_batch_size(self, windows):
        trained = []
        for copies in (1, 3):
            encoder = shallow()
            keras.utils.set_random_seed(5)
            encoder.build(windows.shape)
            compiled(encoder, optimizer=keras.optimizers.SGD(0.01))
            encoder.train_on_batch(np.concatenate([windows] * copies))
            trained.append(encoder.get_weights())
        for one, other in zip(*trained, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


class TestTraining:
    @pytest.mark.parametrize("built", [False, pytest.param(True, marks=pytest.mark.slow)])
    def test_a_step_is_traced_once(self, windows, built):
        traced = []

        class Counting(agegait.GaitEncoder):
            def train_step(self, data):
                traced.append(data)
                return super().train_step(data)

        windows = windows[:, :2]
        encoder = Counting(frames=2, joints=J, units=2, num_layers=1)
        if built:
            encoder.build(windows.shape)
        encoder.compile("adam")
        encoder.fit(windows, verbose=0)
        assert len(traced) == 1

    def trained_on(self, data, **options):
        keras.utils.set_random_seed(3)
        encoder = compiled(shallow())
        if not isinstance(data, tf.data.Dataset):
            options["shuffle"] = False
        history = encoder.fit(data, epochs=2, verbose=0, **options)
        return history.history["loss"], encoder.get_weights()

    def assert_same(self, first, second):
        np.testing.assert_allclose(first[0], second[0], rtol=1e-5)
        for one, other in zip(first[1], second[1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)

    def test_brings_the_loss_down(self, windows):
        losses, _ = self.trained_on(windows, batch_size=4)
        assert losses[1] < losses[0]

    @pytest.mark.slow
    @pytest.mark.parametrize("options", [{"attention": "MBAS"}, {"direction": "forward"}])
    def test_trains_with_what_the_paper_compares_with(self, windows, options):
        history = compiled(shallow(**options)).fit(windows, epochs=3, verbose=0)
        assert history.history["loss"][-1] < history.history["loss"][0]

    @pytest.mark.parametrize("feed", ["previous", pytest.param("target", marks=pytest.mark.slow)])
    def test_trains_with_every_feed(self, windows, feed):
        history = compiled(shallow(feed=feed)).fit(windows, epochs=3, verbose=0)
        assert history.history["loss"][-1] < history.history["loss"][0]

    @pytest.mark.slow
    def test_compiles_to_a_graph(self, windows):
        encoder = tiny()
        encoder.compile("adam", jit_compile=False)
        assert np.isfinite(encoder.fit(windows, verbose=0).history["loss"]).all()

    @pytest.mark.slow
    def test_labels_of_arrays_are_not_read(self, windows):
        labels = np.array([f"person {number}" for number in range(len(windows))])
        self.assert_same(self.trained_on(windows), self.trained_on({"skeleton": windows, "walk": labels}))
        self.assert_same(self.trained_on(windows), self.trained_on(windows, y=labels))

    @pytest.mark.slow
    def test_windows_of_a_data_set_with_labels(self):
        cut = agegait.data.windows(walks(), frames=F, stride=2)
        arrays = np.stack([window["skeleton"] for window in cut.as_numpy_iterator()])
        expected = self.trained_on(arrays, batch_size=2)
        self.assert_same(self.trained_on(cut.batch(2)), expected)
        self.assert_same(self.trained_on(cut, batch_size=2), expected)
        pairs = cut.map(lambda window: (window["skeleton"], window["walk"]))
        self.assert_same(self.trained_on(pairs.batch(2)), expected)

    def test_evaluate_and_predict_take_what_fit_takes(self, encoder, outputs, windows):
        compiled(encoder)
        features = {"skeleton": windows, "walk": np.array(["a"] * len(windows))}
        data_set = tf.data.Dataset.from_tensor_slices(features)
        expected = encoder.evaluate(windows, verbose=0)
        for data in (features, data_set, data_set.batch(7)):
            np.testing.assert_allclose(encoder.evaluate(data, verbose=0), expected, rtol=1e-5)
            np.testing.assert_allclose(encoder.predict(data, verbose=0)["ages"], outputs["ages"], rtol=1e-4, atol=1e-6)

    @pytest.mark.slow
    def test_validation_data_in_every_form(self, windows):
        held = draw_windows(3, seed=9)
        names = np.array(["ann", "bob", "cat"])
        features = {"skeleton": held, "walk": names}
        data_set = tf.data.Dataset.from_tensor_slices(features)
        forms = [held, features, (held, names), (features, names), data_set, data_set.batch(2)]
        found = []
        for form in forms:
            keras.utils.set_random_seed(3)
            history = compiled(shallow()).fit(windows, validation_data=form, verbose=0).history
            found.append(history["val_reconstruction_loss"])
        np.testing.assert_allclose(found, [found[0]] * len(forms), rtol=1e-5)

    def test_validation_split(self, windows):
        history = compiled().fit(windows, validation_split=0.3, verbose=0).history
        assert {"val_loss", "val_reconstruction_loss", "val_locality_loss"} <= set(history)


class TestWhatKerasUsersTry:
    @pytest.mark.parametrize(
        ("name", "value"), [("loss", "mse"), ("metrics", ["mae"]), ("weighted_metrics", ["mae"]), ("loss_weights", 2)]
    )
    def test_its_loss_is_its_own(self, encoder, name, value):
        with pytest.raises(ValueError, match=f"{name}: expected None, as GaitEncoder has its own, received"):
            like(encoder).compile("adam", **{name: value})

    def test_class_weights_need_labels(self, windows):
        with pytest.raises(ValueError, match="class_weight: expected None, as GaitEncoder reads no labels"):
            compiled().fit(windows, class_weight={0: 1})

    def test_a_list_of_one_input(self, encoder, windows):
        expected = encoder.predict(windows, verbose=0)["ages"]
        np.testing.assert_array_equal(encoder.predict([windows], verbose=0)["ages"], expected)

    @pytest.mark.slow
    def test_a_generator_and_a_py_dataset_train_as_arrays_do(self, windows):
        class Batches(keras.utils.PyDataset):
            def __len__(self):
                return 2

            def __getitem__(self, index):
                rows = slice(4 * index, 4 * index + 4)
                return {"skeleton": windows[rows]}, np.zeros(len(windows[rows]))

        found = []
        for data in (windows[:8], Batches(), (Batches()[number] for number in range(2))):
            keras.utils.set_random_seed(3)
            found.append(compiled().fit(data, batch_size=4, shuffle=False, verbose=0).history["loss"])
        np.testing.assert_allclose(found, [found[0]] * 3, rtol=1e-5)


class TestSaving:
    @pytest.mark.slow
    def test_loaded_in_a_fresh_process_it_gives_the_same(self, trained, windows, tmp_path):
        trained.save(tmp_path / "encoder.keras")
        np.save(tmp_path / "windows.npy", windows)
        program = """
import agegait.models, sys, keras, numpy as np
encoder = keras.models.load_model(sys.argv[1] + "/encoder.keras")
np.save(sys.argv[1] + "/ages.npy", encoder(np.load(sys.argv[1] + "/windows.npy"))["ages"])
"""
        finished = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr[-2000:]
        np.testing.assert_allclose(np.load(tmp_path / "ages.npy"), trained(windows)["ages"], rtol=1e-5, atol=1e-7)

    def test_training_goes_on_where_it_was_saved(self, trained, windows, tmp_path):
        trained.save(tmp_path / "encoder.keras")
        loaded = keras.models.load_model(tmp_path / "encoder.keras")
        losses = [model.train_on_batch(windows) for model in (trained, loaded) for _ in range(2)]
        np.testing.assert_allclose(losses[:2], losses[2:], rtol=1e-5)

    def test_config_is_json_and_whole(self, trained):
        config = json.loads(json.dumps(trained.get_config()))
        again = agegait.GaitEncoder.from_config(config)
        assert again.get_config() == trained.get_config()
        assert (again.units, again.feed, again.sigma) == (4, "previous", 1.5)

    @pytest.mark.parametrize("options", [{"attention": "MBAS", "sigma": 1.5}, {"direction": "forward"}])
    def test_loaded_it_is_what_the_paper_compares_with(self, encoder, windows, tmp_path, options):
        twin = like(encoder, **options)
        twin.save(tmp_path / "encoder.keras")
        loaded = keras.models.load_model(tmp_path / "encoder.keras")
        assert loaded.get_config() == twin.get_config()
        losses = [compiled(model).evaluate(windows, verbose=0, return_dict=True) for model in (twin, loaded)]
        assert losses[0] == losses[1]

    def test_models_from_before_there_were_directions(self, trained):
        config = trained.get_config()
        del config["direction"]
        assert agegait.GaitEncoder.from_config(config).get_config() == trained.get_config()

    def test_a_clone_has_the_same_weights_to_fill(self, trained, windows):
        clone = keras.models.clone_model(trained)
        clone.set_weights(trained.get_weights())
        np.testing.assert_array_equal(clone(windows)["ages"], trained(windows)["ages"])

    def test_summary(self, trained):
        lines = []
        trained.summary(print_fn=lambda line, **_: lines.append(line))
        assert "decoder (ReverseDecoder)" in "".join(lines)


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"attention": "XA"}, "attention: expected one of LA, BA, MBAS, received 'XA'"),
            ({"direction": "sideways"}, "direction: expected one of reverse, forward, received 'sideways'"),
            ({"attention": "BA", "direction": ""}, "direction: expected one of reverse, forward, received ''"),
            ({"feed": "own"}, "feed: expected one of zeros, previous, target, received 'own'"),
            ({"frames": 0}, "frames: expected at least 1, received 0"),
            ({"joints": 0}, "joints: expected at least 1, received 0"),
            ({"units": 0}, "units: expected at least 1, received 0"),
            ({"num_layers": 0}, "num_layers: expected at least 1, received 0"),
            ({"sigma": -2}, "sigma: expected a positive number of frames, received -2"),
        ],
    )
    def test_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            tiny(**options)

    @pytest.mark.parametrize("built", [True, False])
    @pytest.mark.parametrize("shape", [(2, F + 1, J, 3), (2, F, J - 1, 3), (2, F, J, 2), (F, J, 3)])
    def test_windows_of_another_shape(self, encoder, built, shape):
        model = encoder if built else tiny()
        with pytest.raises(ValueError, match=r"expected windows \[B, 4, 5, 3\], received a shape of \(\d, "):
            model(np.zeros(shape, "float32"))

    @pytest.mark.parametrize("built", [True, False])
    def test_a_dict_without_skeletons(self, encoder, built, windows):
        model = encoder if built else tiny()
        with pytest.raises(ValueError, match=r"""expected a dict with "skeleton", received keys \['walk'\]"""):
            model({"walk": windows})
