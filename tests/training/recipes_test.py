import dataclasses

import keras
import numpy as np
import pytest

from agegait.training import optimizers
from agegait.training.recipes import PRESETS, Recipe, recipe


def test_the_published_recipe():
    assert recipe("paper") == Recipe(
        epochs=400,
        recognizer_epochs=300,
        batch_size=128,
        recognizer_batch_size=128,
        learning_rate=5e-4,
        recognizer_learning_rate=5e-4,
        l2=0.02 / 128,
        decay=False,
        units=256,
        num_layers=2,
        sigma=None,
        locality_weight=1.0,
        recognizer_units=256,
        dropout=0.0,
        normalize=None,
        initial_scale=1.0,
        stride=None,
        early_stopping=None,
    )


def test_the_published_recipe_trains_kgbds_recognizer_for_half_as_long():
    assert recipe("paper", dataset="kgbd") == dataclasses.replace(recipe("paper"), recognizer_epochs=150)
    assert recipe("paper", dataset="kgbd", recognizer_epochs=7).recognizer_epochs == 7
    assert recipe("paper", dataset="walkers") == recipe("paper")
    assert recipe("best", dataset="kgbd") == PRESETS["best"]


def test_changes_leave_the_rest_as_it_is():
    changed = recipe("best", epochs=30, dropout=0.0)
    assert changed == dataclasses.replace(PRESETS["best"], epochs=30, dropout=0.0, least_steps=0)
    assert PRESETS["best"].epochs != 30


def test_every_field_says_what_it_is():
    parts = {"encoder", "recognizer", "embedder", "all"}
    for field in dataclasses.fields(Recipe):
        assert field.metadata["help"]
        assert field.metadata["part"] in parts
        bounded = {"at_least", "more_than", "choices"} & set(field.metadata)
        assert bounded or isinstance(field.default, bool), field.name


class TestRefusals:
    def test_an_unknown_preset(self):
        with pytest.raises(ValueError, match="preset: expected one of paper, best, received 'worst'"):
            recipe("worst")

    def test_unknown_fields(self):
        with pytest.raises(ValueError, match="expected fields of Recipe, received epoch, lr"):
            recipe(lr=1, epoch=2)

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("epochs", None, "a whole number, received None"),
            ("units", 1.5, "a whole number, received 1.5"),
            ("least_steps", True, "a whole number, received True"),
            ("stride", "2", "a whole number or none, received '2'"),
            ("decay", 1, "true or false, received 1"),
            ("learning_rate", None, "a number, received None"),
        ],
    )
    def test_another_type(self, name, value, expected):
        with pytest.raises(ValueError, match=f"^{name}: expected {expected}"):
            recipe(**{name: value})

    @pytest.mark.parametrize("name", ["recognizer_epochs", "batch_size", "units", "num_layers", "recognizer_units"])
    def test_sizes_below_one(self, name):
        with pytest.raises(ValueError, match=f"^{name}: expected at least 1, received 0"):
            recipe(**{name: 0})

    @pytest.mark.parametrize(
        "name",
        [
            "epochs",
            "least_steps",
            "warmup_steps",
            "dropout",
            "l2",
            "locality_weight",
        ],
    )
    def test_numbers_below_zero(self, name):
        assert getattr(recipe(**{name: 0}), name) == 0
        with pytest.raises(ValueError, match=f"^{name}: expected at least 0, received -1"):
            recipe(**{name: -1})

    @pytest.mark.parametrize("name", ["learning_rate", "recognizer_learning_rate"])
    def test_rates_of_zero(self, name):
        with pytest.raises(ValueError, match=f"^{name}: expected more than 0, received 0"):
            recipe(**{name: 0})

    @pytest.mark.parametrize(
        ("name", "bound"),
        [
            ("stride", "at least 1"),
            ("early_stopping", "at least 1"),
            ("embedder_epochs", "at least 1"),
            ("initial_scale", "more than 0"),
            ("sigma", "more than 0"),
            ("normalize", "one of standardize, whiten"),
        ],
    )
    def test_zero_where_none_is_meant(self, name, bound):
        assert getattr(recipe(**{name: None}), name) is None
        with pytest.raises(ValueError, match=f"^{name}: expected {bound} or none, received 0"):
            recipe(**{name: 0})

    def test_all_units_dropped(self):
        with pytest.raises(ValueError, match=r"^dropout: expected less than 1, received 1\."):
            recipe(dropout=1)
        with pytest.raises(ValueError, match=r"^beta_2: expected less than 1, received 1\."):
            recipe(beta_2=1)

    @pytest.mark.parametrize("name", ["learning_rate", "l2", "dropout"])
    def test_not_a_number(self, name):
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            recipe(**{name: float("nan")})


class TestOptimizers:
    def test_the_encoders_clips_as_published_over_a_batch_of_128(self):
        optimizer = optimizers.encoder_optimizer(recipe("paper"), steps=10)
        assert optimizer.clipvalue * 128 == pytest.approx(5)
        assert optimizer.epsilon * 128 == pytest.approx(1e-8)
        assert float(optimizer.learning_rate) == pytest.approx(5e-4)

    def test_the_recognizers_does_not_clip(self):
        optimizer = optimizers.recognizer_optimizer(recipe("paper"), steps=10)
        assert optimizer.clipvalue is None
        assert optimizer.epsilon == 1e-8

    def test_rates_fall_to_zero_along_a_cosine(self):
        optimizer = optimizers.encoder_optimizer(recipe("paper", decay=True), steps=10)
        rates = [float(optimizer._learning_rate(step)) for step in range(11)]
        expected = 5e-4 * (1 + np.cos(np.pi * np.arange(11) / 10)) / 2
        np.testing.assert_allclose(rates, expected, atol=1e-9)

    @pytest.mark.parametrize("decay", [False, True])
    def test_the_encoders_rate_rises_first(self, decay):
        optimizer = optimizers.encoder_optimizer(recipe("paper", decay=decay, warmup_steps=4, beta_2=0.9), steps=14)
        rates = [float(optimizer._learning_rate(step)) for step in range(15)]
        after = (1 + np.cos(np.pi * np.arange(11) / 10)) / 2 if decay else np.ones(11)
        np.testing.assert_allclose(rates, 5e-4 * np.concatenate([[0, 0.25, 0.5, 0.75], after]), atol=1e-9)
        assert optimizer.beta_2 == 0.9

    def test_no_steps_at_all(self):
        assert optimizers.recognizer_optimizer(recipe("best"), steps=0).learning_rate is not None

    def test_first_weights(self):
        drawn = np.asarray(optimizers.recognizer_initializer(recipe("paper"))((200, 50)))
        assert drawn.std() == pytest.approx(1, abs=0.05)
        assert abs(drawn.mean()) < 0.05
        best = optimizers.recognizer_initializer(recipe("best"))
        assert isinstance(best, keras.initializers.GlorotUniform)


@pytest.mark.parametrize(("rows", "passes"), [(235_366, 1), (7_494, 20), (256, 600), (1, 600)])
def test_few_windows_are_passed_over_more_often(rows, passes):
    best = recipe("best")
    assert best.passes(best.epochs, rows, best.batch_size) == passes


def test_epochs_that_are_asked_for_are_not_added_to():
    assert recipe("best", epochs=2).least_steps == 0
    assert recipe("best", epochs=2, least_steps=9).least_steps == 9
    assert recipe("best", dropout=0.1).least_steps == 600
    assert recipe("best", embedder_epochs=None).least_steps == 600  # one training fewer, the others as they are
    assert recipe("best").passes(0, 100, 10) == 0  # no training stays none
