"""What reads recordings, under the names that data has for it."""

from agegait.recordings import (
    Walk as Walk,
    WalkFormat as WalkFormat,
    load_walk as load_walk,
    load_walks as load_walks,
    read_walk as read_walk,
    resample as resample,
)
