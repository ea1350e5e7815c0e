"""Whether training waits for its input: the same steps with each pipeline, and with a batch held in memory.

By turns: a batch that is a tensor in memory, again and again, which costs nothing to get; the order drawn anew each
epoch, as `agegait train` has it (`data.shuffled_epochs`); and walks from TFDS, cut into windows as they come, cached
after the first pass or not. A minute on two cores.
"""

import statistics
import tempfile

import timing
from rich.table import Table

HELD = "one batch, held in memory"


def part(units, encoder, batch, steps, rounds, data_dir):
    """All pipelines."""
    import keras
    import tensorflow as tf

    from agegait import GaitEncoder, SkeletonNormalization, data, datasets
    from agegait.training import optimizers, recipes

    walkers = datasets.load("walkers", data_dir)
    normalization = SkeletonNormalization()
    model = GaitEncoder(units=units, **encoder)
    windows = walkers.windows("train", normalization, frames=model.frames).skeletons
    model.build((None, *windows.shape[1:]))
    model.compile(optimizers.encoder_optimizer(recipes.recipe(), steps))
    imported = timing.peak_memory()
    walks = data.windows(walkers.walks("train"), frames=model.frames)
    streamed = walks.map(lambda window: normalization(window["skeleton"])).batch(batch, drop_remainder=True)
    cached = streamed.cache()
    full = len(windows) // batch * batch  # a smaller last batch would be less work

    pipelines = {
        HELD: lambda: tf.data.Dataset.from_tensors(tf.constant(windows[:batch])).repeat(),
        "data.shuffled_epochs": lambda: data.shuffled_epochs([windows[:full]], batch, seed=0, epochs=steps),
        "TFDS, windows cached": lambda: cached.repeat(),
        "TFDS, windows cut anew": lambda: streamed.repeat(),
    }

    def fit(pipeline):
        # Untuned: after twelve steps the wait for TensorFlow's tuner would be most of what is measured.
        return lambda: model.fit(data.untuned(pipeline()), steps_per_epoch=steps, shuffle=False, verbose=0)

    times = timing.by_turns({name: fit(pipeline) for name, pipeline in pipelines.items()}, rounds)
    return {
        "pipelines": {
            name: {
                "windows_per_second": batch * steps / statistics.median(taken),
                "of_held": timing.ratio(times[HELD], taken),
            }
            for name, taken in times.items()
        },
        "batch": batch,
        "steps": steps,
        "backend": keras.backend.backend(),
        "imported_mib": imported,
        "seconds": times,
    }


PARTS = {"part": part}


def measure(options):
    sizes = {"units": options.units, "batch": options.batch_size, "steps": 2 if options.quick else 12}
    sizes |= {"encoder": options.encoder}
    with tempfile.TemporaryDirectory() as folder:
        found = timing.in_child(__file__, "part", options.backend, rounds=options.rounds, data_dir=folder, **sizes)
    return {"pipeline": found}


def tables(results):
    found = results["pipeline"]
    table = Table("training from", "windows/s", "of the rate with a batch in memory")
    for name, figures in found["pipelines"].items():
        table.add_row(name, f"{figures['windows_per_second']:,.0f}", f"{100 * figures['of_held']:.0f} %")
    table.caption = f"{found['steps']} steps a turn, batches of {found['batch']}, Keras on {found['backend']}"
    return [table]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0])
