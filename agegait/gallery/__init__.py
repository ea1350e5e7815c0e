"""People who were enrolled from a walk or two, to be recognised later, and forgotten when they ask.

The names load on first use. TensorFlow is needed by the embedder alone.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
