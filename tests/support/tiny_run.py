"""Settings of a run that trains in seconds, and far enough to tell the built-in walkers apart."""

from agegait import training
from agegait.training import recipes

TINY = {
    "epochs": 2,
    "recognizer_epochs": 3,
    "embedder_epochs": None,
    "num_layers": 1,  # a second one is half of the time, which goes into tracing
    "units": 16,
    "recognizer_units": 32,
    "batch_size": 64,
    "recognizer_batch_size": 32,
    "stride": None,
    "mirror": False,
}
FRAMES = 4  # graphs grow with each frame

WORDS = (
    *("--preset", "best", "--frames", "4", "--epochs", "2", "--recognizer-epochs", "3", "--num-layers", "1"),
    *("--encoder-units", "16", "--recognizer-units", "32", "--batch-size", "64", "--recognizer-batch-size", "32"),
    *("--stride", "none", "--no-mirror", "--embedder-epochs", "none"),
)
"""The same on the command line."""


def tiny_settings(dataset="walkers", **changes):
    recipe = recipes.recipe("best", **TINY)
    return training.Settings(**{"dataset": dataset, "frames": FRAMES, "preset": "best", "recipe": recipe, **changes})
