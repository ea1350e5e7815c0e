"""The kinds of file that are read. Your own can join them."""

from pathlib import Path

from agegait.recordings.file_format import HEAD_BYTES, FileFormat
from agegait.recordings.files import opening
from agegait.recordings.formats import (
    alphapose,
    arrays,
    azure_kinect,
    bvh,
    c3d,
    joints_json,
    kgbd,
    mat_arrays,
    mediapipe_json,
    motive,
    msr_text,
    ntu,
    openpose,
    tables,
    trc,
    zip_archives,
)
from agegait.recordings.video import video_format

_FORMATS: list[FileFormat] = [
    *arrays.FORMATS,
    *mat_arrays.FORMATS,
    *tables.FORMATS,
    *motive.FORMATS,
    *kgbd.FORMATS,
    *joints_json.FORMATS,
    *openpose.FORMATS,
    *alphapose.FORMATS,
    *mediapipe_json.FORMATS,
    *azure_kinect.FORMATS,
    *ntu.FORMATS,
    *msr_text.FORMATS,
    *trc.FORMATS,
    *bvh.FORMATS,
    *c3d.FORMATS,
    *video_format.FORMATS,
]


def register(file_format: FileFormat) -> None:
    """Adds a kind of file. Where several know a file, the one that was added last reads it.

    Raises:
        ValueError: Another kind has that name, or an ending has no dot.
    """
    if file_format.name in {known.name for known in _FORMATS}:
        raise ValueError(f"file_format: expected a name that is not taken, received {file_format.name!r}.")
    if not file_format.endings or any(ending != ending.lower() or ending[:1] != "." for ending in file_format.endings):
        raise ValueError(f"file_format: expected endings such as .csv, received {file_format.endings!r}.")
    _FORMATS.append(file_format)


def formats() -> tuple[FileFormat, ...]:
    """All kinds of file that are read."""
    return tuple(_FORMATS)


_UNPACK = "unpack it first"
_EXPORT_MOTION = "export BVH or C3D from the program that wrote it"
_ADVICE = {
    **dict.fromkeys((".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz"), _UNPACK),
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "save its sheet as CSV"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth"), "it may run code; save its arrays as .npy or .npz"),
    **dict.fromkeys((".h5", ".hdf5", ".mot", ".sto"), "save the joints' places as a table or as .npz"),
    **dict.fromkeys((".fbx", ".glb", ".gltf", ".amc", ".asf", ".blend", ".mvn", ".mvnx"), _EXPORT_MOTION),
    **dict.fromkeys((".xef", ".oni", ".bag"), "it holds pictures; write the skeletons that its sensor's program finds"),
}
"""What to do about files that are none of walks, by their endings."""


def advice_on(ending: str) -> str:
    """What to do about a file that is none of walks; empty where nothing is known."""
    return _ADVICE.get(ending.lower(), "")


def endings() -> tuple[str, ...]:
    """Endings of files that may be walks, each once, in small letters."""
    return tuple(dict.fromkeys(ending for known in _FORMATS for ending in known.endings))


def may_be_walk(path: Path) -> bool:
    """Whether a file has an ending of files of walks and, where such files may be anything, begins as one of a walk.

    What cannot be read may be a walk, so that whoever reads it says why it cannot.
    """
    candidates = [known for known in _FORMATS if path.suffix.lower() in known.endings]
    tests = [known.recognizes for known in candidates if known.recognizes is not None]
    if len(tests) < len(candidates) or not tests:
        return bool(candidates)
    try:
        with opening.open_regular(path) as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return True
    return not head or any(recognizes(head) for recognizes in tests)


def format_of(path: Path, within: Path | None = None) -> FileFormat:
    """The kind of a file.

    Raises:
        ValueError: An ending that none has, or a beginning that none of those with its ending knows.
    """
    ending = path.suffix.lower()
    candidates = [known for known in reversed(_FORMATS) if ending in known.endings]
    if not candidates and (advice := advice_on(ending)):
        raise ValueError(f"{path}: expected a file of walks, found one that ends in {ending}: {advice}.")
    if not candidates:
        *some, last = endings()
        raise ValueError(f"{path}: expected a file that ends in {', '.join(some)} or {last}.")
    if candidates[0].recognizes is None:
        return candidates[0]
    with opening.open_regular(path, within) as file:
        head = file.read(HEAD_BYTES)
    for known in candidates:
        if known.recognizes is None or known.recognizes(head):
            return known
    titles = ", or ".join(known.title for known in candidates)
    raise ValueError(f"{path}: expected {titles}, found something else.")


register(zip_archives.archive_format(lambda path: format_of(path) if may_be_walk(path) else None))
