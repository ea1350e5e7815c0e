from .recording import Recording as Recording
from .resampling import resample as resample
from .walk import Walk as Walk
from .walk_files import load_walk as load_walk, read_recording as read_recording, read_walk as read_walk
from .walk_format import WalkFormat as WalkFormat
