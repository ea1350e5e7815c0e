"""One window, or a few, through an exported encoder: both orders of computation, by turns.

    TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 .venv/bin/python benchmarks/window.py

`many` is the order for batches, `few` that for at most 16 windows (`FewRowsLSTMCell`). SavedModels are written by the
exporter's own endpoint and loaded again; `signature` chooses between both orders. Processor time; the ratio is the
median over the rounds. Random weights: their values do not matter to the time. A minute or two.
"""

import statistics
import tempfile
from pathlib import Path

import timing
from rich.table import Table

WINDOWS = (1, 2, 8, 64, 256)


def part(units, rounds, windows):
    """Figures by number of windows."""
    import keras
    import numpy as np
    import tensorflow as tf

    from agegait import GaitEncoder, GaitIdentifier, GaitRecognizer
    from agegait.export.endpoints import encoder_endpoints
    from agegait.skeletons import STANDING

    identifier = GaitIdentifier(GaitEncoder(units=units), GaitRecognizer(2))
    encoder = identifier.encoder
    identifier(np.zeros((1, encoder.frames, encoder.joints, 3), "float32"))
    imported = timing.peak_memory()
    endpoint = encoder_endpoints(identifier)["encode"]
    functions = {"signature": endpoint.function}
    for name, few in (("few", True), ("many", False)):
        functions[name] = lambda skeletons, few=few: encoder(identifier.normalization(skeletons), few=few)
    found, seconds = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        loaded = {}
        for name, function in functions.items():
            archive = keras.export.ExportArchive()
            traced = tf.function(function, input_signature=endpoint.inputs, autograph=False)
            traced.get_concrete_function()
            archive.add_endpoint("encode", traced)
            archive.write_out(str(Path(folder) / name), verbose=False)
            loaded[name] = tf.saved_model.load(str(Path(folder) / name))
        for count in windows:
            noise = np.random.default_rng(0).normal(0, 0.05, (count, encoder.frames, *STANDING.shape))
            skeletons = tf.constant(STANDING + noise, tf.float32)
            works = {
                name: lambda model=model, skeletons=skeletons: model.signatures["encode"](skeletons=skeletons)[
                    "ages"
                ].numpy()
                for name, model in loaded.items()
            }
            times = timing.by_turns(works, rounds)
            processor = {name: [turn.processor for turn in turns] for name, turns in times.items()}
            found[str(count)] = {
                **{f"{name}_ms": 1e3 * statistics.median(taken) for name, taken in processor.items()},
                "few_of_many": timing.ratio(processor["few"], processor["many"]),
            }
            seconds[str(count)] = times
    return {"windows": found, "imported_mib": imported, "seconds": seconds}


PARTS = {"part": part}


def measure(options):
    windows = WINDOWS[:2] if options.quick else WINDOWS
    return {"window": timing.in_child(__file__, "part", rounds=options.rounds, units=options.units, windows=windows)}


def tables(results):
    table = Table("windows", "many, ms", "few, ms", "signature, ms", "few of many")
    for count, found in results["window"]["windows"].items():
        milliseconds = (f"{found[f'{name}_ms']:.1f}" for name in ("many", "few", "signature"))
        table.add_row(count, *milliseconds, f"{found['few_of_many']:.2f}")
    return [table]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0])
