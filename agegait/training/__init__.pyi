from . import callbacks as callbacks, distribution as distribution, optimizers as optimizers, recipes as recipes
from .discriminant import fit_discriminant as fit_discriminant
from .embedder_training import EmbedderTraining as EmbedderTraining
from .encoding_training import EncodingTraining as EncodingTraining
from .networks import make_encoder as make_encoder, make_recognizer as make_recognizer
from .recipes import PRESETS as PRESETS, Recipe as Recipe, recipe as recipe
from .run import Run as Run, load_run as load_run
from .settings import Settings as Settings
from .stage import Stage as Stage
from .stages import (
    calibrate_embedder as calibrate_embedder,
    train_embedder as train_embedder,
    train_encoder as train_encoder,
    train_recognizer as train_recognizer,
)
from .train_run import (
    begin as begin,
    differences as differences,
    finish as finish,
    train as train,
    train_on as train_on,
)
from .walk_clusters import walk_clusters as walk_clusters, within_walk_distance as within_walk_distance
from .within_person_whitening import whiten_within_persons as whiten_within_persons
