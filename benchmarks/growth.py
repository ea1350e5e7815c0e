"""How cost grows with people, windows and units: three sizes of each, by turns, and the peak memory of each.

Random windows, walks of 36 frames and AGEs: their values do not matter to the time. `--plot FILE` draws it, as
docs/cost_growth.svg; `--plot FILE --from JSON` draws what was measured before. Ten minutes on two cores.
"""

import argparse
import json
import statistics
from pathlib import Path

import timing
from rich.table import Table

SIZES = {"people": (100, 1000, 10_000), "windows": (1024, 2048, 4096), "units": (128, 256, 512)}
QUICK = {"people": (2, 4, 8), "windows": (32, 64, 96), "units": (4, 8, 16)}
WHAT = {
    "people": {"training": "recognizer's training, a step", "use": "naming one walk"},
    "windows": {"training": "encoder's training, an epoch", "use": "features"},
    "units": {"training": "encoder's training, 1,024 windows", "use": "features, 1,024 windows"},
}
WALK_FRAMES = 36
STEPS = 4


def people(size, units, batch, windows, encoder):
    """A step of the recognizer's training, and the naming of a walk."""
    import keras
    import numpy as np

    from agegait import GaitEncoder, GaitIdentifier, GaitRecognizer

    random = np.random.default_rng(0)
    recognizer = GaitRecognizer(size)
    recognizer.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model = GaitEncoder(units=units, **encoder)
    ages = random.normal(0, 1, (STEPS * batch, model.frames, 3 * units)).astype("float32")
    rows, labels = recognizer.rows(ages, random.integers(0, size, len(ages)))
    rows, labels = rows[: STEPS * batch], labels[: STEPS * batch]
    identifier = GaitIdentifier(model, recognizer)
    walk = random.normal(0, 0.3, (WALK_FRAMES, 20, 3)).astype("float32")
    works = {
        "training": lambda: recognizer.fit(rows, labels, batch_size=batch, verbose=0),
        "use": lambda: identifier.identify(walk),
    }
    return works, {"training": STEPS, "use": 1}


def encoding(size, units, batch, windows, encoder):
    """An epoch of the encoder's training, and features."""
    import numpy as np

    from agegait import GaitEncoder, data
    from agegait.training import optimizers, recipes

    model = GaitEncoder(units=units, **encoder)
    skeletons = np.random.default_rng(0).normal(0, 0.3, (windows, model.frames, 20, 3)).astype("float32")
    steps = -(-windows // batch)
    model.build((None, *skeletons.shape[1:]))
    model.compile(optimizers.encoder_optimizer(recipes.recipe(), steps))

    def fit():
        epoch = data.shuffled_epochs([skeletons], batch, seed=0, epochs=1)
        model.fit(epoch, steps_per_epoch=steps, shuffle=False, verbose=0)

    works = {"training": fit, "use": lambda: model.predict(skeletons, batch_size=batch, verbose=0)}
    return works, {"training": 1, "use": 1}


def part(axis, sizes, units, batch, windows, encoder, rounds):
    """The sizes of one axis, by turns; with no rounds, each work once, for its memory."""
    import keras

    works, shares = {}, {}
    for size in sizes:
        setting = {"units": units, "batch": batch, "windows": windows, "encoder": encoder}
        setting |= {} if axis == "people" else {axis: size}
        own, share = (people if axis == "people" else encoding)(size, **setting)
        works |= {f"{what} {size}": work for what, work in own.items()}
        shares |= {f"{what} {size}": share[what] for what in own}
    imported = timing.peak_memory()
    times = timing.by_turns(works, rounds)
    return {
        "seconds": {name: statistics.median(taken) / shares[name] for name, taken in times.items() if taken},
        "backend": keras.backend.backend(),
        "imported_mib": imported,
    }


PARTS = {"part": part}


def add(parser):
    parser.add_argument(
        "--memory", action=argparse.BooleanOptionalAction, default=True, help="measure memory, in nine processes more"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .svg or .png")
    parser.add_argument("--from", type=Path, dest="measured", metavar="JSON", help="draw what --json FILE wrote before")


def measure(options):
    if options.measured:
        return {"growth": json.loads(options.measured.read_text())["growth"]}
    sizes = {"units": options.units, "batch": options.batch_size, "windows": 32 if options.quick else 1024}
    sizes |= {"encoder": options.encoder}
    growth = {}
    for axis, steps in (QUICK if options.quick else SIZES).items():
        timed = timing.in_child(
            __file__, "part", options.backend, axis=axis, sizes=steps, rounds=options.rounds, **sizes
        )
        growth[axis] = {
            "sizes": list(steps),
            **{what: [timed["seconds"][f"{what} {size}"] for size in steps] for what in ("training", "use")},
        }
        if options.memory and not options.quick:
            growth[axis]["peak_mib"] = [
                timing.in_child(__file__, "part", options.backend, axis=axis, sizes=[size], rounds=0, **sizes)[
                    "peak_mib"
                ]
                for size in steps
            ]
    return {"growth": growth}


def tables(results):
    table = Table("cost by", "size", "what", "seconds", "times the smallest", "peak MiB")
    for axis, found in results["growth"].items():
        for what, title in WHAT[axis].items():
            for number, (size, seconds) in enumerate(zip(found["sizes"], found[what], strict=True)):
                table.add_row(
                    axis if number == 0 and what == "training" else "",
                    f"{size:,}",
                    title,
                    f"{seconds:.4f}" if seconds < 1 else f"{seconds:.2f}",
                    f"{seconds / found[what][0]:.2f}",
                    f"{found['peak_mib'][number]:,.0f}" if "peak_mib" in found else "not measured",
                )
            table.add_section()
    return [table]


def draw(growth, path):
    """Seconds over size, a panel an axis, both on logarithmic scales; what grows in proportion runs beside the grey."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

    mpl.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "agegait", "font.family": "DejaVu Sans"})
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    for ax, (axis, found) in zip(figure.subplots(1, 3), growth.items(), strict=True):
        sizes = found["sizes"]
        for what, colour in (("training", "#2563eb"), ("use", "#ea580c")):
            ax.plot(sizes, found[what], "o-", color=colour, label=WHAT[axis][what])
            ax.plot(sizes, [found[what][0] * size / sizes[0] for size in sizes], color="#9ca3af", lw=1, ls=":")
        ax.plot([], [], color="#9ca3af", lw=1, ls=":", label="in proportion")
        ax.set(xscale="log", yscale="log", xlabel=axis, ylabel="seconds")
        ax.xaxis.set(major_locator=FixedLocator(sizes), minor_locator=NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(alpha=0.25)
        ax.set_ylim(top=ax.get_ylim()[1] * 4)  # for the legend
        ax.legend(loc="upper left", fontsize=8, frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    options = timing.options_of(__doc__.splitlines()[0], add)
    results = measure(options)
    timing.report(results, tables(results), options)
    if options.plot:
        draw(results["growth"], options.plot)
