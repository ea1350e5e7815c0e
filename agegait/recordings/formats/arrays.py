"""Arrays of NumPy."""

from agegait.recordings.file_format import FileFormat
from agegait.recordings.formats import walk_arrays

FORMATS = (
    FileFormat("npy", "an array of NumPy", (".npy",), lambda path, within, _: [walk_arrays.read_npy(path, within)]),
    FileFormat("npz", "arrays of NumPy", (".npz",), lambda path, within, _: [walk_arrays.read_npz(path, within)]),
)
