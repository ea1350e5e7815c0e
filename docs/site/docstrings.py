"""What Griffe needs to know of our sources: sections of docstrings, and names that lazy_loader attaches."""

import re
from typing import Any

import griffe

HEADINGS = {"Call arguments:": "Args: Call arguments:", "Example:": "Examples: Example:"}


class Sections(griffe.Extension):
    """Reads `Call arguments` as a list of arguments and `Example` as code."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called by Griffe for each object that it has read."""
        if obj.docstring and not obj.is_alias:
            for heading, known in HEADINGS.items():
                obj.docstring.value = re.sub(rf"^{heading}$", known, obj.docstring.value, flags=re.MULTILINE)


class LazyNames(griffe.Extension):
    """Takes the names in a stub for public where the package attaches them on first use."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Called by Griffe when it has read a package whole."""
        packages = [pkg]
        while packages:
            package = packages.pop()
            packages += [member for member in package.modules.values() if not member.is_alias]
            if "_lazy" in package.members:
                package.exports = [name for name, member in package.members.items() if not member.runtime]
