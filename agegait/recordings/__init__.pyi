from .file_format import FileFormat as FileFormat
from .recording import Recording as Recording
from .registry import formats as formats, register as register
from .resampling import resample as resample
from .walk import Walk as Walk
from .walk_files import (
    load_walk as load_walk,
    load_walks as load_walks,
    read_recording as read_recording,
    read_recordings as read_recordings,
    read_walk as read_walk,
)
from .walk_format import WalkFormat as WalkFormat
