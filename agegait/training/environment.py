"""What a result is made with."""

import os
import platform
from importlib.metadata import version

from agegait.training.run_record import Machine

PACKAGES = ("agegait", "tensorflow", "keras", "numpy", "tensorflow-datasets")


def versions() -> dict[str, str]:
    """The versions of packages and of Python."""
    return {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}


def this_machine() -> Machine:
    """The machine of this process."""
    return Machine(platform.machine(), os.cpu_count(), platform.system())
