"""From walks to what models are trained on; names load on first use, so that a parser costs no TensorFlow."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agegait.data.authors_layout import AuthorsWindows, load_authors_layout
    from agegait.data.preparation import PREPARATIONS, Preparation
    from agegait.data.shuffling import shuffled_epochs
    from agegait.data.walk_files import read_walk
    from agegait.data.windowing import windows

_HOMES = {
    "AuthorsWindows": "authors_layout",
    "load_authors_layout": "authors_layout",
    "PREPARATIONS": "preparation",
    "Preparation": "preparation",
    "shuffled_epochs": "shuffling",
    "read_walk": "walk_files",
    "windows": "windowing",
}

__all__ = [
    "PREPARATIONS",
    "AuthorsWindows",
    "Preparation",
    "load_authors_layout",
    "read_walk",
    "shuffled_epochs",
    "windows",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"agegait.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'agegait.data' has no attribute {name!r}")
