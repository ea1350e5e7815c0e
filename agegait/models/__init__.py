"""The models, each a keras.Model: compile, fit, predict, save and load_model are Keras's own.

Import `agegait.models` before `keras.models.load_model`: classes are registered with Keras where their modules are
imported. It registers the models, the layers and the losses. A model that was compiled with
`agegait.training.optimizers.FusedAdam` needs that module as well.
"""

from agegait import losses as losses
from agegait.models.contrastive_gait_encoder import ContrastiveGaitEncoder
from agegait.models.embedding_recognizer import EmbeddingRecognizer
from agegait.models.gait_embedder import GaitEmbedder
from agegait.models.gait_encoder import GaitEncoder
from agegait.models.gait_identifier import GaitIdentifier
from agegait.models.gait_recognizer import GaitRecognizer
from agegait.models.running_embedding import RunningEmbedding
from agegait.models.walk_encodings import WalkEncodings

__all__ = [
    "ContrastiveGaitEncoder",
    "EmbeddingRecognizer",
    "GaitEmbedder",
    "GaitEncoder",
    "GaitIdentifier",
    "GaitRecognizer",
    "RunningEmbedding",
    "WalkEncodings",
]
