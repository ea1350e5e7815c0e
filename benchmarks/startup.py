"""How long the command line and `import agegait` take to start, and what they load.

Whole processes, by turns with a Python that does nothing. Half a minute.
"""

import json
import statistics
import subprocess
import sys

import timing
from rich.table import Table

COMMAND = "import sys; from agegait.cli import main; sys.argv = {words!r}; main()"
STARTS = {
    "python alone": "pass",
    "import agegait": "import agegait",
    "import agegait.serving.Client": "from agegait.serving import Client",
    **{
        " ".join(words): COMMAND.format(words=list(words))
        for words in (
            ("agegait", "--help"),
            ("agegait", "train", "--help"),
            ("agegait", "evaluate", "--help"),
            ("agegait", "identify", "--help"),
        )
    },
}
LOADED = """
import json, sys
try:
    {code}
except SystemExit:
    pass
print(json.dumps(sorted(set(sys.modules) & {watched!r})))
"""
WATCHED = {"grpc", "keras", "matplotlib", "numpy", "rich", "sklearn", "tensorflow", "tensorflow_datasets"}


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{code}: ended with status {done.returncode}:\n{done.stderr}")
    return done.stdout


def measure(options):
    times = timing.by_turns({name: lambda code=code: python(code) for name, code in STARTS.items()}, options.rounds)
    return {
        "startup": {
            name: {
                "seconds": statistics.median(taken),
                "loads": json.loads(python(LOADED.format(code=STARTS[name], watched=WATCHED)).splitlines()[-1]),
            }
            for name, taken in times.items()
        }
    }


def tables(results):
    table = Table("start", "seconds", f"loads, of {', '.join(sorted(WATCHED))}")
    for name, found in results["startup"].items():
        table.add_row(name, f"{found['seconds']:.2f}", ", ".join(found["loads"]) or "none")
    return [table]


if __name__ == "__main__":
    timing.main(measure, tables, __doc__.splitlines()[0])
