"""Data sets by name or folder, for training and evaluation, and what `agegait inspect` reports about them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
