"""Arrays of NumPy."""

from agegait.recordings.file_format import FileFormat
from agegait.recordings.formats import walk_arrays

FORMATS = (
    FileFormat("npy", "an array of NumPy", (".npy",), walk_arrays.read_npy),
    FileFormat("npz", "arrays of NumPy", (".npz",), walk_arrays.read_npz),
)
