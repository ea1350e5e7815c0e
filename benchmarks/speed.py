"""All of the house's figures of speed in one run: training, features, naming walks, input, loading, start, memory.

Each part is a benchmark of its own, with more in its `--help`. Ten minutes on two cores.
"""

import encoder
import identify
import loading
import pipeline
import recognizer
import startup
import timing

BENCHMARKS = (encoder, recognizer, identify, pipeline, loading, startup)


def add(parser):
    for benchmark in BENCHMARKS:
        if hasattr(benchmark, "add"):
            benchmark.add(parser.add_argument_group(benchmark.__name__))


def measure(options):
    results = {}
    for benchmark in BENCHMARKS:
        results |= benchmark.measure(options)
    return results


def tables(results):
    return [table for benchmark in BENCHMARKS for table in benchmark.tables(results)]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0], add)
