"""From walks to what models are trained on; names load on first use, so that a parser costs no TensorFlow."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agegait.data.authors_layout import AuthorsWindows, load_authors_layout
    from agegait.data.batching import batches, untuned
    from agegait.data.holding_out import hold_out
    from agegait.data.preparation import PREPARATIONS, Preparation
    from agegait.data.resampling import resample
    from agegait.data.shuffling import shuffled_epochs
    from agegait.data.walk import Walk
    from agegait.data.walk_files import load_walk, read_walk
    from agegait.data.walk_folder import WalkFolder, from_folder
    from agegait.data.walk_format import WalkFormat
    from agegait.data.windowing import windows

_HOMES = {
    "AuthorsWindows": "authors_layout",
    "load_authors_layout": "authors_layout",
    "batches": "batching",
    "untuned": "batching",
    "PREPARATIONS": "preparation",
    "Preparation": "preparation",
    "from_folder": "walk_folder",
    "hold_out": "holding_out",
    "load_walk": "walk_files",
    "read_walk": "walk_files",
    "resample": "resampling",
    "shuffled_epochs": "shuffling",
    "Walk": "walk",
    "WalkFolder": "walk_folder",
    "WalkFormat": "walk_format",
    "windows": "windowing",
}

__all__ = [
    "PREPARATIONS",
    "AuthorsWindows",
    "Preparation",
    "Walk",
    "WalkFolder",
    "WalkFormat",
    "batches",
    "from_folder",
    "hold_out",
    "load_authors_layout",
    "load_walk",
    "read_walk",
    "resample",
    "shuffled_epochs",
    "untuned",
    "windows",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"agegait.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'agegait.data' has no attribute {name!r}")
