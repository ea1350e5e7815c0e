import os
import platform
from importlib.metadata import version
from typing import Any

PACKAGES = ("agegait", "tensorflow", "keras", "numpy", "tensorflow-datasets")


def environment() -> dict[str, Any]:
    """What a result was made with: versions of packages, and the machine."""
    return {
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
    }
