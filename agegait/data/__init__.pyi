from .authors_layout import AuthorsWindows as AuthorsWindows, load_authors_layout as load_authors_layout
from .balanced_clips import BalancedClips as BalancedClips
from .batching import batches as batches, single_frames as single_frames, untuned as untuned
from .folder.walk_folder import WalkFolder as WalkFolder, from_folder as from_folder
from .holding_out import hold_out as hold_out
from .padding import padded as padded
from .person_division import PersonDivision as PersonDivision, divide_persons as divide_persons
from .preparation import PREPARATIONS as PREPARATIONS, Preparation as Preparation
from .recordings import (
    Walk as Walk,
    WalkFormat as WalkFormat,
    load_walk as load_walk,
    load_walks as load_walks,
    read_walk as read_walk,
    resample as resample,
)
from .shuffling import shuffled_epochs as shuffled_epochs
from .walks import Walks as Walks
from .windowing import windows as windows
