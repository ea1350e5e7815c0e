"""Files with biometric data: only their owner can read them, they are written whole, found and deleted.

The public names load on first use.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
