"""What the benchmarks share: parts run in processes of their own, timed by turns, and the line of environment."""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

PRODUCT_SIZE = 2048
PACKAGES = ("tensorflow", "keras", "jax", "numpy")
# What TensorFlow reads them from: threads of one operation, and operations at once.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def options_of(description, add=None):
    """The parsed options of a benchmark; what each of them takes, and what `add` adds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs: its times mean nothing")
    parser.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow", help="Keras's (%(default)s)")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns that each of what is compared takes")
    parser.add_argument("--batch-size", type=int, default=256, metavar="N", help="windows of a batch (%(default)s)")
    parser.add_argument("--units", type=int, default=256, metavar="N", help="units k of the encoder (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as well")
    if add is not None:
        add(parser)
    options = parser.parse_args()
    if options.quick:
        options.batch_size, options.units = 32, 16
    # More of the encoder's sizes; a graph takes as long to trace as it has frames and layers.
    options.encoder = {"frames": 2, "num_layers": 1} if options.quick else {}
    options.rounds = options.rounds or (1 if options.quick else 5)
    return options


def main(measure, tables, description, add=None):
    """The whole of a benchmark's command: measures, prints the tables and the environment, writes the JSON."""
    options = options_of(description, add)
    results = measure(options)
    report(results, tables(results), options)


def report(results, tables, options):
    """Prints tables and the line of environment, and writes what was measured where it was asked for."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    for table in tables:
        console.print(table)
    there = environment(options.backend)
    console.print(describe(there), soft_wrap=True, highlight=False)
    if options.json is not None:
        options.json.write_text(json.dumps({"environment": there, **results}, indent=2))


def in_child(script, part, backend="tensorflow", **options):
    """What a part of a benchmark returns, run in a Python of its own: a dict, with its peak memory added.

    Args:
        script: The benchmark's file, whose `PARTS` has the part.
        part: Its name there.
        backend: Keras's backend in the child.
        options: Passed on to the part by name.
    """
    if backend == "jax" and importlib.util.find_spec("jax") is None:
        sys.exit("backend: expected JAX to be installed for --backend jax, found none: pip install jax")
    variables = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    code = f"import sys; sys.path.insert(0, {str(Path(script).parent)!r}); import timing; timing.run_part()"
    done = subprocess.run(
        [sys.executable, "-c", code, Path(script).stem, part, json.dumps(options)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{Path(script).name}, {part}: ended with status {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_part():
    """In the child: the part's figures as the last line of what it prints."""
    module, part, options = sys.argv[1:]
    figures = importlib.import_module(module).PARTS[part](**json.loads(options))
    print(json.dumps({**figures, "peak_mib": round(peak_memory(), 1)}))


def peak_memory():
    """The most memory that this process has had, in MiB.

    By Linux's own record of it: `ru_maxrss` begins with the peak of the process that started this one.
    """
    if sys.platform == "linux":
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


class Turn(float):
    """The seconds that a turn took, and as `processor` what all threads of this process together computed in it."""

    def __new__(cls, seconds, processor):
        turn = super().__new__(cls, seconds)
        turn.processor = processor
        return turn


def by_turns(works, rounds):
    """A `Turn` for each of some works and rounds, by name: A B A B, after one round not counted.

    What a busy machine takes falls on all of them; compare them round by round (`ratio`).
    """
    times = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            began, computed = time.perf_counter(), time.process_time()
            work()
            if number:
                times[name].append(Turn(time.perf_counter() - began, time.process_time() - computed))
    return times


def ratio(numerators, denominators):
    """The median over the rounds of a ratio taken in each round."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def wait_for(outputs):
    """Until a backend has computed a tensor, the last of some: a GPU does not make its caller wait."""
    import keras

    keras.ops.convert_to_numpy(keras.ops.ravel(outputs[-1])[:1])


def compiled(function):
    """A function of tensors as one call into the backend."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)


def products(shapes, dtype, repeats=8):
    """A work that takes matrix products, batched by axis, and the FLOP in it.

    Args:
        shapes: `(left, right, transposed)`, the shapes of two tensors and which of them is transposed in its last two
            axes first: `"left"`, `"right"` or None.
        dtype: Of the tensors.
        repeats: Products of each shape in one call, each of another left with the same right, as a step after another.
    """
    import keras
    from keras import ops

    def random(shape):
        return ops.cast(keras.random.normal(shape), dtype)

    def multiply(left, right, transposed):
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            return tf.matmul(left, right, transpose_a=transposed == "left", transpose_b=transposed == "right")
        left = ops.swapaxes(left, -1, -2) if transposed == "left" else left
        return left @ (ops.swapaxes(right, -1, -2) if transposed == "right" else right)

    tensors = [([random(left) for _ in range(repeats)], random(right)) for left, right, _ in shapes]
    marks = [transposed for *_, transposed in shapes]

    def all_products(tensors):
        return [
            multiply(left, right, mark) for (lefts, right), mark in zip(tensors, marks, strict=True) for left in lefts
        ]

    call = compiled(all_products)
    flop = 0
    for left, right, transposed in shapes:
        *batch, rows, inner = (*left[:-2], left[-1], left[-2]) if transposed == "left" else left
        columns = right[-2] if transposed == "right" else right[-1]
        size = 2 * rows * inner * columns
        for axis in batch:
            size *= axis
        flop += repeats * size
    return lambda: wait_for(call(tensors)), flop


def recurrent_products(batch, units, axes=3):
    """Shapes of an LSTM layer's product over inputs and state, forward, and of the two that its gradient takes."""
    inputs, kernel, gates = (axes, batch, 2 * units), (axes, 2 * units, 4 * units), (axes, batch, 4 * units)
    return {
        "forward": [(inputs, kernel, None)],
        "training": [(inputs, kernel, None), (gates, kernel, "right"), (inputs, gates, "left")],
    }


def large_product():
    """The shapes of one large square product."""
    return [((PRODUCT_SIZE, PRODUCT_SIZE), (PRODUCT_SIZE, PRODUCT_SIZE), None)]


def accelerator():
    """The name of the GPU that Keras's backend computes on, or None."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU") if devices else None


def multiplies_bfloat16():
    """Whether the processor, or the GPU, has matrix products of bfloat16; without, they are float32's with detours."""
    if accelerator():
        return True
    found = _cpuinfo()
    return any(flag in found.get("flags", found.get("Features", "")).split() for flag in BFLOAT16_FLAGS)


BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")


def environment(backend):
    """The machine, its versions and what else was going on."""
    versions = {"python": platform.python_version(), "agegait": importlib.metadata.version("agegait")}
    for name in PACKAGES:
        if importlib.util.find_spec(name) is not None:
            versions[name] = importlib.metadata.version(name)
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _cpuinfo().get("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "backend": backend,
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "versions": versions,
    }


def describe(there):
    """The environment in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in there["versions"].items())
    loads = " ".join(f"{load:.2f}" for load in there["load"])
    threads = "".join(f"{name}={count}; " for name, count in there["threads"].items())
    return (
        f"{there['date']}; {there['processor']}, {there['cores']} cores, load {loads}; {there['backend']}; "
        f"{threads}{versions}"
    )


def memory_table(parts):
    """The peak memory of parts, by name."""
    table = Table("peak memory, a process each", "MiB", "after imports")
    for name, figures in parts.items():
        table.add_row(name, f"{figures['peak_mib']:,.0f}", f"{figures['imported_mib']:,.0f}")
    return table


def _cpuinfo():
    """The fields of the first processor that Linux lists; nothing elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
