"""Walks a second that GaitIdentifier names in process, and the milliseconds of one walk.

`identify` takes walks as somebody has them, `predict` batches of walks of one length, with a data set around them. The
rate of products is that of an LSTM layer's forward, as in `encoder.py`, for as many windows as a batch of walks has.
Random weights and walks: their values do not matter to the time. A minute on two cores.
"""

import statistics

import timing
from rich.table import Table

WALKS = 32


def part(units, encoder, people, frames, rounds):
    """Walks of so many frames each."""
    import flops
    import numpy as np

    from agegait import GaitEncoder, GaitIdentifier, GaitRecognizer

    identifier = GaitIdentifier(GaitEncoder(units=units, **encoder), GaitRecognizer(people))
    imported = timing.peak_memory()
    walks = np.random.default_rng(0).normal(0, 0.3, (WALKS, frames, 20, 3)).astype("float32")
    windows = WALKS * (frames // identifier.encoder.frames)
    product, product_flop = timing.products(timing.recurrent_products(windows, units)["forward"], "float32")
    works = {
        "one": lambda: identifier.identify(walks[0]),
        "identify": lambda: identifier.identify(walks),
        "predict": lambda: identifier.predict(walks, batch_size=WALKS, verbose=0),
        "product": product,
    }
    times = timing.by_turns(works, rounds)
    seconds = {name: statistics.median(taken) for name, taken in times.items()}
    flop = windows * sum(flops.forward(identifier.encoder).values())
    return {
        "milliseconds_of_one_walk": 1e3 * seconds["one"],
        "walks_per_second": {name: WALKS / seconds[name] for name in ("identify", "predict")},
        "gflops": {name: flop / seconds[name] / 1e9 for name in ("identify", "predict")},
        "product_gflops": product_flop / seconds["product"] / 1e9,
        "share": {
            name: flop / product_flop * timing.ratio(times["product"], times[name]) for name in ("identify", "predict")
        },
        "frames": frames,
        "people": people,
        "device": timing.accelerator() or "processor",
        "imported_mib": imported,
        "seconds": times,
    }


PARTS = {"part": part}


def add(parser):
    parser.add_argument("--people", type=int, default=164, metavar="N", help="people it knows (%(default)s)")
    parser.add_argument(
        "--walk-frames", type=int, nargs="+", default=(36, 600), metavar="T", help="frames of a walk (36 and 600)"
    )


def measure(options):
    lengths = (12,) if options.quick else options.walk_frames
    sizes = {"units": options.units, "encoder": options.encoder, "people": options.people, "rounds": options.rounds}
    return {
        "identify": {
            f"walks of {frames} frames": timing.in_child(__file__, "part", options.backend, frames=frames, **sizes)
            for frames in lengths
        }
    }


def tables(results):
    parts = results["identify"]
    table = Table("GaitIdentifier, float32", "one walk", "how", "walks/s", "GFLOP/s", "same products", "share")
    for name, found in parts.items():
        for how, rate in found["walks_per_second"].items():
            table.add_row(
                name if how == "identify" else "",
                f"{found['milliseconds_of_one_walk']:.1f} ms" if how == "identify" else "",
                {"identify": f"{WALKS} walks by identify", "predict": f"{WALKS} walks by predict"}[how],
                f"{rate:,.0f}",
                f"{found['gflops'][how]:,.1f}",
                f"{found['product_gflops']:,.1f}",
                f"{100 * found['share'][how]:.0f} %",
            )
    found = next(iter(parts.values()))
    table.caption = f"on the {found['device']}, {found['people']} people"
    return [table, timing.memory_table(parts)]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0], add)
