"""Recordings of walks: what each kind of file holds, and the walks in canonical joints and metres that come of it."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
