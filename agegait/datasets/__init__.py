"""Data sets by name or folder, ready to train and evaluate on, and what `agegait inspect` says of them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
