"""SavedModels of the trained models, for our gRPC server and for tensorflow/serving.

The public name loads on first use: it imports TensorFlow.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
