"""How fast walks become windows: from a data set's first use to its second, and from KGBD's text files.

A data set is read once: TFDS writes what it read into its folder, and every later load, in a new process here, finds it
there. `first` makes the folder in a place of its own, unless `--data-dir` names one that may have it already. Seconds
for `walkers`, a minute or two for `--dataset kgbd`, of which `--manual-dir` says where the copy lies.
"""

import tempfile
import time
from pathlib import Path

import timing
from rich.table import Table


def data_set(name, data_dir, manual_dir):
    """A data set from its folder, or into it, and the training windows from there."""
    from agegait import SkeletonNormalization, datasets

    normalization = SkeletonNormalization()
    imported = timing.peak_memory()
    began = time.perf_counter()
    found = datasets.load(name, data_dir, manual_dir)
    loaded = time.perf_counter()
    windows = found.windows("train", normalization, frames=6)
    ended = time.perf_counter()
    return {
        "load_seconds": loaded - began,
        "windows_seconds": ended - loaded,
        "windows": len(windows.persons),
        "windows_per_second": len(windows.persons) / (ended - loaded),
        "mib": windows.skeletons.nbytes / 2**20,
        "imported_mib": imported,
    }


def text(folder, walks):
    """Walks from KGBD's text files."""
    from agegait import data

    files = sorted(Path(folder).rglob("Person*/*.txt"))[:walks]
    if not files:
        raise ValueError(f"--kgbd-text: expected a folder that holds PersonNNN/W.txt, found none in {folder}.")
    data.load_walk(files[0])
    imported = timing.peak_memory()
    began = time.perf_counter()
    frames = [len(data.load_walk(file).skeleton) for file in files]
    seconds = time.perf_counter() - began
    size = sum(file.stat().st_size for file in files) / 2**20
    return {
        "load_seconds": seconds,
        "walks": len(files),
        "mib": size,
        "mib_per_second": size / seconds,
        "windows_per_second": sum(count // 6 for count in frames) / seconds,
        "imported_mib": imported,
    }


PARTS = {"data_set": data_set, "text": text}


def add(parser):
    parser.add_argument("--dataset", default="walkers", metavar="NAME", help="as `agegait train` has it (%(default)s)")
    parser.add_argument("--data-dir", metavar="DIR", help="where prepared data sets are kept")
    parser.add_argument("--manual-dir", metavar="DIR", help="where a data set that was fetched by hand lies")
    parser.add_argument("--kgbd-text", metavar="DIR", help="a folder of PersonNNN/W.txt, to read as text as well")
    parser.add_argument("--walks", type=int, default=100, metavar="N", help="walks to read as text (%(default)s)")


def measure(options):
    with tempfile.TemporaryDirectory() as folder:
        place = {"data_dir": options.data_dir or folder, "manual_dir": options.manual_dir}
        parts = {
            load: timing.in_child(__file__, "data_set", options.backend, name=options.dataset, **place)
            for load in ("first", "second")
        }
    if options.kgbd_text:
        parts["text"] = timing.in_child(__file__, "text", folder=options.kgbd_text, walks=options.walks)
    return {"loading": {"dataset": options.dataset, **parts}}


def tables(results):
    parts = {name: found for name, found in results["loading"].items() if name != "dataset"}
    table = Table(f"loading {results['loading']['dataset']}", "open", "to windows in memory", "windows/s", "MiB")
    for load in ("first", "second"):
        found = parts[load]
        table.add_row(
            f"{load} load",
            f"{found['load_seconds']:.2f} s",
            f"{found['windows_seconds']:.2f} s",
            f"{found['windows_per_second']:,.0f}",
            f"{found['mib']:,.1f}",
        )
    if "text" in parts:
        found = parts["text"]
        table.add_row(
            f"{found['walks']} walks of KGBD's text",
            f"{found['load_seconds']:.2f} s",
            "",
            f"{found['windows_per_second']:,.0f}",
            f"{found['mib']:,.1f} of text, {found['mib_per_second']:,.0f} a second",
        )
    return [table, timing.memory_table(parts)]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0], add)
