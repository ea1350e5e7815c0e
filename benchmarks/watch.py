"""What a running answer of WatchWalk costs, and its embedding: processor time, one thread.

    .venv/bin/python benchmarks/watch.py

`answer` is a message of one frame with its answer, client and server in one process, of the newest 300 frames. `embed`
is their embedding alone, by an exported graph. `running` is `RunningEmbedding` with one more frame: it looks at each
frame once, but forgets none. A window that forgets would have a second end, where the network sees the walk begin, and
segments counted from there, so it cannot cost less. Half a minute.
"""

import os
import statistics
import tempfile
from pathlib import Path

import timing
from rich.table import Table

FRAMES = 300
CALLS = 10


def part(rounds):
    """The starter, and the same embedder exported."""
    import numpy as np
    import tensorflow as tf

    import agegait
    from agegait.export import save
    from agegait.models import RunningEmbedding
    from agegait.serving import GalleryClient, GalleryOptions, Server
    from tfds_builders.walkers import generator

    imported = timing.peak_memory()
    embedder = agegait.GaitEmbedder.from_preset("walkers")
    walk = np.concatenate([generator.walk(0, "a", number)[0] for number in range(12)])[:FRAMES].astype("float32")
    running = RunningEmbedding(embedder)
    running.push(walk)

    def run():
        running.push(walk[:1])
        running.embedding()

    lengths, found = tf.constant([FRAMES]), {}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        embedder.save(Path(folder, "embedder.keras"))
        save(Path(folder, "embedder.keras"), Path(folder, "served"))
        exported = tf.saved_model.load(str(Path(folder, "served", "embedder", "1"))).signatures["padded"]
        for model in ("starter", "embedder"):
            url = f"sqlite:///{folder}/{model}.db"
            with (
                Server(Path(folder, "served"), port=0, gallery=GalleryOptions(url, model)) as server,
                GalleryClient(server.address, timeout=60) as client,
                client.watch_walk(every=FRAMES, last=FRAMES, threshold=0.2) as watch,
            ):
                client.enrol("Anna", walk, consent="form")
                for frame in walk:
                    watch.add(frame)

                def answer(watch=watch):
                    watch.add(walk[0])
                    watch.identify()

                works = {
                    "answer": answer,
                    "embed": lambda: exported(skeletons=tf.constant(walk[None]), lengths=lengths),
                    "running": run,
                }
                several = {name: lambda work=work: [work() for _ in range(CALLS)] for name, work in works.items()}
                found[model] = {
                    name: 1e3 / CALLS * statistics.median(turn.processor for turn in turns)
                    for name, turns in timing.by_turns(several, rounds).items()
                }
    return {"models": found, "imported_mib": imported}


PARTS = {"part": part}


def measure(options):
    for name in (*timing.THREADS, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    return {"watch": timing.in_child(__file__, "part", rounds=options.rounds)}


def tables(results):
    table = Table(f"{FRAMES} frames", "answer, ms", "embed, ms", "running, ms")
    for model, figures in results["watch"]["models"].items():
        table.add_row(model, *(f"{milliseconds:.1f}" for milliseconds in figures.values()))
    return [table]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__)
