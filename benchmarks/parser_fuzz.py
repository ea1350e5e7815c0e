"""What parsers make of damaged files: each of a folder is damaged in many ways and read.

    python benchmarks/parser_fuzz.py FOLDER --inputs 10000

FOLDER holds sound files, at any depth; of each kind those of up to 200 kB are taken by turns. A file is to be read or
refused with a `ValueError`; anything else is printed with the seed that gives it again, and the exit status is 1.
C3D takes a process for each file, a third of a second; `--kinds` leaves kinds out.
"""

import argparse
import random
import tempfile
import time
import warnings
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agegait.recordings import read_recordings
from agegait.recordings.registry import format_of

LARGEST = 200_000
TEXTS = (b"nan", b"-1", b"1e999", b"9" * 30, b"{", b"]", b'"', b",", b"\t", b"\n", b"\0", b"\xff\xfe", b":", b"null")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inputs", type=int, default=10_000, help="of each kind (10000)")
    parser.add_argument("--kinds", nargs="*", help="names of kinds of file (all)")
    options = parser.parse_args()
    warnings.simplefilter("error")
    table = Table("kind", "inputs", "refused", "read", "other exceptions", "slowest (s)")
    faults = []
    for kind, files in sound_files(options.folder, options.kinds).items():
        counts, slowest = {"refused": 0, "read": 0, "other": 0}, 0.0
        for seed in range(options.inputs):
            file = files[seed % len(files)]
            content = damaged(file.read_bytes(), random.Random(seed))
            began = time.perf_counter()
            outcome, error = attempt(file, content)
            slowest = max(slowest, time.perf_counter() - began)
            counts[outcome] += 1
            if outcome == "other":
                faults.append(f"{kind}, {file}, seed {seed}: {error!r:.200}")
        table.add_row(kind, f"{options.inputs:,}", *(f"{counts[name]:,}" for name in counts), f"{slowest:.2f}")
    Console().print(table)
    for fault in faults[:20]:
        print(fault)
    return int(bool(faults))


def sound_files(folder, kinds):
    """Files of each kind that are read as they are."""
    found = defaultdict(list)
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.stat().st_size > LARGEST:
            continue
        try:
            kind = format_of(file).name
            if (not kinds or kind in kinds) and len(found[kind]) < 8:
                read_recordings(file)
                found[kind].append(file)
        except ValueError:
            continue
    return {kind: files for kind, files in found.items() if files}


def damaged(content, rng):
    """Bytes changed, pieces cut out, put in, doubled or left off at the end, most of them near the beginning."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(data), rng.choice((64, 2048, len(data)))) or 1)
        way = rng.randrange(5)
        if way == 0 and data:
            data[at % len(data)] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        elif way == 1:
            del data[at : at + rng.randint(1, 50)]
        elif way == 2:
            data[at:at] = rng.choice(TEXTS)
        elif way == 3:
            data[at:at] = data[at : at + rng.randint(1, 200)]
        else:
            del data[max(at, rng.randrange(len(data) + 1)) :]
    return bytes(data)


def attempt(file, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"w{file.suffix}")
        path.write_bytes(content)
        try:
            read_recordings(path)
        except ValueError as error:
            return "refused", error
        except Exception as error:
            return "other", error
    return "read", None


if __name__ == "__main__":
    raise SystemExit(main())
