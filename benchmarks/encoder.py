"""Windows a second that GaitEncoder trains on and encodes, beside the rate of the machine's own matrix products.

`fit` is the whole of it, the input pipeline included, as `agegait train` runs it; `predict` is feature extraction. The
products are taken in the same run, by turns with both, in the same dtype: those of an LSTM layer over inputs and state
in the shapes that the model has (forward, and for training the two of its gradient too), and one large square product.
A share is the FLOP that the method needs (`flops.py`) times windows a second, over the products' FLOP a second, as the
median over the rounds. The same share of processor time stands beside it: what threads wait for each other, or share a
core by chance, does not count there. Random windows: their values do not matter to the time. About three minutes on two
cores.
"""

import statistics

import timing
from rich.table import Table

DTYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16"}


def part(precision, what, units, encoder, batch, batches, rounds, jit):
    """Training or feature extraction, in one precision."""
    import flops
    import keras
    import numpy as np

    from agegait import GaitEncoder, data
    from agegait.training import optimizers, recipes

    if precision != "float32" and not timing.multiplies_bfloat16():
        return {"skipped": "no bfloat16 products on this processor", "imported_mib": timing.peak_memory()}
    model = GaitEncoder(units=units, dtype=precision, **encoder)
    model.build((None, model.frames, model.joints, 3))
    model.compile(optimizers.encoder_optimizer(recipes.recipe(), batches), jit_compile=True if jit else "auto")
    imported = timing.peak_memory()
    shape = (batch * batches, model.frames, model.joints, 3)
    windows = np.random.default_rng(0).normal(0, 0.3, shape).astype("float32")
    seeds = iter(range(10**6))

    def fit():
        epoch = data.shuffled_epochs([windows], batch, next(seeds), epochs=1)
        model.fit(epoch, steps_per_epoch=batches, shuffle=False, verbose=0)

    kind = {"training": "training", "features": "forward"}[what]
    work = {"training": fit, "features": lambda: model.predict(windows, batch_size=batch, verbose=0)}[what]
    product, product_flop = timing.products(timing.recurrent_products(batch, units)[kind], DTYPES[precision])
    square, square_flop = timing.products(timing.large_product(), DTYPES[precision], repeats=1)
    times = timing.by_turns({"work": work, "product": product, "square": square}, rounds)
    forward = sum(flops.forward(model).values())
    training = flops.training(model)
    flop = training if what == "training" else forward
    seconds = {name: statistics.median(taken) for name, taken in times.items()}
    of_product = flop * len(windows) / product_flop
    return {
        "windows": len(windows),
        "windows_per_second": len(windows) / seconds["work"],
        "gflops": flop * len(windows) / seconds["work"] / 1e9,
        "product_gflops": product_flop / seconds["product"] / 1e9,
        "square_gflops": square_flop / seconds["square"] / 1e9,
        "share": of_product * timing.ratio(times["product"], times["work"]),
        "share_of_processor_time": of_product
        * timing.ratio([turn.processor for turn in times["product"]], [turn.processor for turn in times["work"]]),
        "share_of_square": flop * len(windows) / square_flop * timing.ratio(times["square"], times["work"]),
        "forward_flop": forward,
        "training_flop": training,
        "flop_by_product": flops.forward(model),
        "batch": batch,
        "device": timing.accelerator() or "processor",
        "backend": keras.backend.backend(),
        "jit": model.jit_compile,
        "imported_mib": imported,
        "seconds": times,
    }


PARTS = {"part": part}


def add(parser):
    parser.add_argument("--batches", type=int, default=8, metavar="N", help="batches of an epoch (%(default)s)")
    parser.add_argument("--jit", action="store_true", help="on TensorFlow: compile the encoder by XLA")
    parser.add_argument("--precision", choices=tuple(DTYPES), nargs="+", default=tuple(DTYPES), help="both by default")


def measure(options):
    sizes = {
        "units": options.units,
        "encoder": options.encoder,
        "batch": options.batch_size,
        "batches": 2 if options.quick else options.batches,
        "rounds": options.rounds,
        "jit": options.jit,
    }
    parts = {
        f"{what}, {precision}": timing.in_child(
            __file__, "part", options.backend, precision=precision, what=what, **sizes
        )
        for precision in options.precision
        for what in ("training", "features")
    }
    return {"encoder": parts}


def tables(results):
    parts = results["encoder"]
    table = Table(
        *("GaitEncoder", "windows/s", "slowest, fastest", "GFLOP/s", "same products", "share", "of processor time"),
        *("2048 square", "share"),
    )
    for name, found in parts.items():
        if "skipped" in found:
            table.add_row(name, found["skipped"])
            continue
        table.add_row(
            name,
            f"{found['windows_per_second']:,.0f}",
            "{:,.0f}, {:,.0f}".format(*(found["windows"] / end(found["seconds"]["work"]) for end in (max, min))),
            f"{found['gflops']:,.1f}",
            f"{found['product_gflops']:,.1f}",
            f"{100 * found['share']:.0f} %",
            f"{100 * found['share_of_processor_time']:.0f} %" if found["device"] == "processor" else "",
            f"{found['square_gflops']:,.1f}",
            f"{100 * found['share_of_square']:.0f} %",
        )
    measured = [(name, found) for name, found in parts.items() if "skipped" not in found]
    found = measured[0][1]
    compiler = ", compiled by XLA" if found["jit"] else ""
    table.caption = f"on the {found['device']}, Keras on {found['backend']}{compiler}, batches of {found['batch']}"
    needed = Table("FLOP of a window", "all axes", "an axis")
    rows = dict(found["flop_by_product"])
    rows["forward"] = sum(rows.values())
    rows["training step"] = measured[0][1]["training_flop"]
    for name, flop in rows.items():
        needed.add_row(name, f"{flop / 1e6:,.2f} M", f"{flop / 3e6:,.2f} M")
    return [table, needed, timing.memory_table(parts)]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0], add)
