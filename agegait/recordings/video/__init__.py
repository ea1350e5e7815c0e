"""Walks of videos and cameras: poses are estimated in each picture, and people are tracked apart."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
