"""Frames a second that GaitRecognizer learns from, by `--preset best`, in either precision and by Keras's own Adam.

`fit` is the whole of it, the input pipeline included, as `agegait train` runs it. Beside it stand the products of the
recognizer's largest layer, forward and for its gradient, in the same dtype and shapes: the share is of their rate.
Random AGEs: their values do not matter to the time. About a minute on two cores.
"""

import statistics

import timing
from rich.table import Table

PERSONS = 164
DTYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16"}


def part(units, frames, rounds):
    """Training in each precision that the processor has products of."""
    import math

    import keras
    import numpy as np

    from agegait import data, losses, training
    from agegait.training import optimizers, recipes

    precisions = list(DTYPES) if timing.multiplies_bfloat16() else ["float32"]
    recipe = recipes.recipe("best")
    size, batch, hidden = 3 * units, recipe.recognizer_batch_size, recipe.recognizer_units
    random = np.random.default_rng(0)
    ages = random.normal(size=(frames, size)).astype("float32")
    persons = random.integers(PERSONS, size=frames, dtype="int32")
    imported = timing.peak_memory()
    seeds = iter(range(10**6))
    shapes = [((batch, size), (size, hidden), None), ((batch, size), (batch, hidden), "left")]

    def training_in(precision, adam):
        recognizer = training.make_recognizer(recipe, PERSONS, "ap", ages[:, None], precision)
        optimizer = optimizers.recognizer_optimizer(recipe, frames // batch)
        optimizer = adam.from_config(optimizer.get_config())
        recognizer.compile(optimizer, losses.SmoothedCrossentropy(recipe.label_smoothing), metrics=["accuracy"])

        def fit():
            epoch = data.shuffled_epochs([ages, persons], batch, next(seeds), epochs=1)
            recognizer.fit(epoch, steps_per_epoch=math.ceil(frames / batch), shuffle=False, verbose=0)

        return fit

    works, flop = {}, {}
    for precision in precisions:
        works[precision] = training_in(precision, optimizers.FusedAdam)
        works[f"{precision}, Keras's Adam"] = training_in(precision, keras.optimizers.Adam)
        works[f"{precision} products"], flop[precision] = timing.products(shapes, DTYPES[precision])
    times = timing.by_turns(works, rounds)
    # Whitening forward; no gradient by AGEs, which are not learned.
    needed = 2 * (size * size + 2 * size * hidden + 3 * hidden * PERSONS) * frames

    def figures(name, precision):
        products = times[f"{precision} products"]
        return {
            "frames_per_second": frames / statistics.median(times[name]),
            "gflops": needed / statistics.median(times[name]) / 1e9,
            "product_gflops": flop[precision] / statistics.median(products) / 1e9,
            "share": needed / flop[precision] * timing.ratio(products, times[name]),
            "of_float32": timing.ratio(times["float32"], times[name]),
        }

    trainings = {
        name: figures(name, precision) for precision in precisions for name in (precision, f"{precision}, Keras's Adam")
    }
    return {
        "trainings": trainings,
        "frames": frames,
        "batch": batch,
        "hidden": hidden,
        "device": timing.accelerator() or "processor",
        "imported_mib": imported,
        "seconds": times,
    }


PARTS = {"part": part}


def measure(options):
    frames = 2048 if options.quick else 102_400
    return {
        "recognizer": timing.in_child(
            __file__, "part", options.backend, units=options.units, frames=frames, rounds=options.rounds
        )
    }


def tables(results):
    part = results["recognizer"]
    table = Table("GaitRecognizer", "frames/s", "times float32", "GFLOP/s", "same products", "share")
    for name, found in part["trainings"].items():
        table.add_row(
            f"training, {name}",
            f"{found['frames_per_second']:,.0f}",
            f"{found['of_float32']:.2f}",
            f"{found['gflops']:,.1f}",
            f"{found['product_gflops']:,.1f}",
            f"{100 * found['share']:.0f} %",
        )
    table.caption = (
        f"on the {part['device']}, batches of {part['batch']} frames, {part['hidden']:,} hidden units, {PERSONS} people"
    )
    return [table, timing.memory_table({"recognizer": part})]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0])
