"""Walks and windows as training data. Names load on first use, so that a parser needs no TensorFlow."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
