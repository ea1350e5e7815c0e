"""agegait identifies people by their gait, from 3D skeletons alone.

The public names load on first use, so that `import agegait` costs nothing and the command line and the
gRPC client start without TensorFlow.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
