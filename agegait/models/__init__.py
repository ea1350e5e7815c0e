"""The models, each a keras.Model: compile, fit, predict, save and load_model are Keras's own."""

from agegait.models.gait_encoder import GaitEncoder
from agegait.models.gait_identifier import GaitIdentifier
from agegait.models.gait_recognizer import GaitRecognizer
from agegait.models.window_recognizer import WindowRecognizer

__all__ = ["GaitEncoder", "GaitIdentifier", "GaitRecognizer", "WindowRecognizer"]
