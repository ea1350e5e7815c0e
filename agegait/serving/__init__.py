"""The gRPC server of exported models, compatible with TensorFlow Serving, and the client that asks it.

The public names load on first use: the client needs grpcio, protobuf, NumPy and lazy_loader alone, and importing it
imports neither Keras nor TensorFlow.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
