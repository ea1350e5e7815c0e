"""An embedder on devices: each file that `agegait export --format` writes, beside Keras in the same run.

    .venv/bin/python benchmarks/edge.py                                    # the preset, on generated walkers
    .venv/bin/python benchmarks/edge.py --dataset kgbd --manual-dir PATH   # the preset, on KGBD: strangers to it
    .venv/bin/python benchmarks/edge.py embedder.keras --dataset kgbd --walks 400
    .venv/bin/python benchmarks/edge.py --dataset kgbd --people 60         # all walks of some people

Prints the size of each file, the median time of a clip of 64 frames and of a walk of 20 s in one thread, by turns; how
far its embeddings are from those of Keras, and how well they recognise: each walk is looked for among all others. The
last rows are of a walk that is still going on: the embedding after one more frame. Some minutes.
"""

import argparse
import functools
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
import timing
from rich.console import Console
from rich.table import Table

FRAMES = {"64 frames": 64, "20 s": 600}
KINDS = [(name, quantize) for name in ("onnx", "litert") for quantize in (None, "float16", "int8")]


def main():
    options = parsed()
    import agegait
    from agegait import datasets

    embedder = agegait.GaitEmbedder.from_preset(options.embedder)
    walks = datasets.load(options.dataset, options.data_dir, options.manual_dir).whole_walks()
    if options.people is not None:
        walks = of_people(walks, options.people)
    if options.walks < len(walks.names):
        walks = walks.take(np.sort(np.random.default_rng(0).permutation(len(walks.names))[: options.walks]))
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(embedder, walks, Path(folder), options.rounds)
    table = Table("", "KiB", *(f"{name}, ms" for name in FRAMES), "least cosine", "Rank-1 %", "mAP %", "EER %")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[key]:.{digits}f}" if key in row else "" for key, digits in COLUMNS.items()))
    console = Console(width=120)
    console.print(f"{len(walks.names)} walks of {len(set(walks.persons))} people, {options.dataset}")
    console.print(table)
    console.print(timing.describe(timing.environment("tensorflow")), soft_wrap=True, highlight=False)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


COLUMNS = {"kib": 0, **dict.fromkeys(FRAMES, 2), "cosine": 5, "rank-1": 1, "map": 1, "eer": 2}


def parsed(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embedder", nargs="?", default="walkers", help="a preset or a .keras file (%(default)s)")
    parser.add_argument("--dataset", default="walkers", help="a data set or a folder of walks (%(default)s)")
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    parser.add_argument("--walks", type=int, default=1000, help="most walks to recognise (%(default)s)")
    parser.add_argument("--people", type=positive, metavar="N", help="people to draw by seed 0; all where absent")
    parser.add_argument("--rounds", type=int, default=30, help="turns (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as well")
    return parser.parse_args(words)


def of_people(walks, number):
    """The walks of so many people, drawn by seed 0."""
    known = np.unique(walks.persons)
    if number > len(known):
        raise SystemExit(f"--people: expected at most {len(known)}, received {number}.")
    drawn = np.random.default_rng(0).permutation(known)[:number]
    return walks.take(np.flatnonzero(np.isin(walks.persons, drawn)))


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {text}")
    return number


def measured(embedder, walks, folder, rounds):
    """Figures by row."""
    from agegait.export import save_for_edge
    from agegait.export.edge import FORMATS
    from agegait.models import RunningEmbedding

    longest = np.concatenate([max(walks.skeletons, key=len)] * 20)[:600].astype("float32")
    expected = embedder.embed(walks.skeletons)
    rows = {"Keras, embed": recognised(expected, walks.persons)}
    works = {
        ("Keras, embed", name): functools.partial(embedder.embed, longest[:frames]) for name, frames in FRAMES.items()
    }
    for form, quantize in KINDS:
        (path,) = save_for_edge(embedder, folder, form, quantize).values()
        run, title = FORMATS[form](path, threads=1), f"{form}, {quantize or 'float32'}"
        found = np.concatenate([embedded(run, walk) for walk in walks.skeletons])
        rows[title] = {
            "kib": path.stat().st_size / 1024,
            "cosine": float(np.min(np.sum(found * expected, axis=1))),
            **recognised(found, walks.persons),
        }
        works |= {(title, name): functools.partial(embedded, run, longest[:frames]) for name, frames in FRAMES.items()}
    for name, frames in FRAMES.items():
        running = RunningEmbedding(embedder)
        running.push(longest[: frames - 1])
        works["running, a frame more", name] = lambda running=running: (running.push(longest[-1:]), running.embedding())
        rows["running, a frame more"] = {}
    for (title, name), turns in timing.by_turns(works, rounds).items():
        rows[title][name] = 1e3 * statistics.median(turns)
    return rows


def embedded(run, walk):
    return run(np.asarray(walk, "float32")[None], np.array([len(walk)], "int32"))["embeddings"]


def recognised(embeddings, persons):
    """Each walk looked for among all others: Rank-1 and mAP, and the EER of all pairs."""
    from agegait import metrics

    cosines = embeddings @ embeddings.T
    same = persons[:, None] == persons
    others = ~np.eye(len(persons), dtype=bool)
    known = (same & others).any(axis=1)
    nearest = np.where(others, cosines, -2).argmax(axis=1)
    precisions = []
    for row in np.flatnonzero(known):
        hits = same[row][others[row]][np.argsort(-cosines[row][others[row]], kind="stable")]
        precisions.append(np.mean((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits]))
    pairs = np.triu_indices(len(persons), 1)
    return {
        "rank-1": 100 * float(np.mean(persons[nearest] == persons, where=known)),
        "map": 100 * float(np.mean(precisions)),
        "eer": 100 * metrics.equal_error(cosines[pairs], same[pairs]).rate,
    }


if __name__ == "__main__":
    main()
