"""Reads a C3D file with ezc3d, in a process of its own, and writes what a walk needs of it as arrays.

ezc3d ends the process at some damaged files, so this is a program, which `agegait.recordings.formats.c3d` starts:

    python c3d_child.py FILE.c3d OUT.npz

It imports nothing of agegait.
"""

import contextlib
import os
import sys

MOST_BYTES = 8 << 30
SECONDS = 3, 5
"""Of processor time, for any file and for each megabyte. Sound files need a tenth of a second, and as much a megabyte;
what is cut off may say that it holds millions of frames, for which ezc3d looks in vain."""

NO_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS")
"""Parameters that name points which are none: what programs computed, stored like markers."""


def main(path: str, out: str) -> None:
    """Reads the file and writes the arrays."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        seconds = SECONDS[0] + SECONDS[1] * os.path.getsize(path) // 10**6
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import ezc3d
    import numpy as np

    content = ezc3d.c3d(path, ignore_bad_formatting=True)
    parameters = content["parameters"].get("POINT", {})

    def texts(name: str) -> list[str]:
        # Beyond 255 points there are LABELS2 and so on.
        found = [parameters.get(f"{name}{number}", {}).get("value", []) for number in ("", *range(2, 100))]
        return [str(text) for part in found for text in part]

    rate = np.array(parameters.get("RATE", {}).get("value", []), "float64").reshape(-1)[:1]
    np.savez(
        out,
        points=content["data"]["points"][:3].transpose(2, 1, 0),
        residuals=content["data"]["meta_points"]["residuals"][0].T,
        labels=np.array(texts("LABELS"), "U"),
        computed=np.array([text for name in NO_PLACES for text in texts(name)], "U"),
        units=np.array(texts("UNITS")[:1], "U"),
        up=np.array(texts("Y_SCREEN")[:1], "U"),
        rate=rate,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
