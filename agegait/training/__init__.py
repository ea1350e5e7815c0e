"""Training: recipes, settings, and runs.

`train` does the whole. A run's folder holds `run.json` (settings, data, split, versions, results), `encoder.keras`,
`recognizer.keras`, perhaps `embedder.keras`, `embedding_recognizer.keras` and `calibration.json`, and `history/` with a
table of losses for each stage. While a training is under way, it also holds `checkpoints/` to resume from.

The names load on first use: the command line reads recipes without TensorFlow.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
