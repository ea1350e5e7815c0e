"""Trees of made-up frames as BIWI and IAS-Lab have them, with what is odd about the real ones."""

import io
import pathlib
import tarfile
import zipfile

import numpy as np

BESIDE = ("rgb.jpg", "depth.pgm", "userMap.pgm", "groundCoeff.txt")
ZEROS = ",".join(14 * ["0.0000"])


def frame(walk, number, nite=False):
    """The skeleton and the tracking states of a frame; both tell walks, frames, joints and axes apart."""
    skeleton = sum(walk.encode()) + number + np.arange(60, dtype=np.float32).reshape(20, 3) / 64
    states = np.full(20, 2)
    states[number % 20] = 1
    if number == 2:
        states[[5, 6]] = 0
    if number == 3:  # nobody is seen
        skeleton, states = np.zeros_like(skeleton), np.zeros_like(states)
    if nite:  # wrists repeat hands, ankles repeat feet
        skeleton[[6, 10, 14, 18]] = skeleton[[7, 11, 15, 19]]
    return skeleton, states


def text(skeleton, states, rows=40, newline="\n"):
    lines = [
        f"2.0000,{x},{y},{z},310.5,200.2,{state}.0000,0.0000,{joint}.0000,{joint}.0000,0.1,-0.2,0.3,0.9"
        for joint, ((x, y, z), state) in enumerate(zip(skeleton, states, strict=True))
    ]
    return "".join(line + newline for line in [*lines, *(rows - 20) * [ZEROS]]).encode()


def write(folder, people, nite=False):
    """Writes a tree, {"Training": {"000": frames, ...}, ...}; returns each walk's skeleton and what was tracked."""
    walks = {}
    for split, own in people.items():
        for index, (person, count) in enumerate(own.items()):
            walk = f"{split}/{person}"
            (folder / walk).mkdir(parents=True)
            frames = [frame(walk, number, nite) for number in range(count)]
            for number, one in reversed(list(enumerate(frames))):
                # The letter of a session, and time stamps that gain a digit, as in the real files.
                name = f"{person[:3]}{'b' * ('Test' in split)}_{number:06}-d_{99_999_900 + 50 * number}_"
                (folder / walk / f"{name}skel.txt").write_bytes(
                    text(*one, rows=20 if index == 1 else 40, newline="\r\n" if index == 2 else "\n")
                )
                for other in (*BESIDE, "skel.txt~"):
                    (folder / walk / f"{name}{other}").write_bytes(b"\x00\xff")
            (folder / walk / f"._{name}skel.txt").write_bytes(b"what macOS leaves")
            skeletons, states = zip(*frames, strict=True)
            walks[walk] = np.stack(skeletons), np.stack(states) > 0
    (folder / "README.txt").write_text("about the data")
    return walks


def pack(archive, folder, root="", only=""):
    """Packs what is below folder/only."""
    paths = [path for path in sorted((folder / only).rglob("*")) if path.is_file()]
    names = [str(pathlib.PurePosixPath(root) / path.relative_to(folder).as_posix()) for path in paths]
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path, name in zip(paths, names, strict=True):
                packed.write(path, name)
    else:
        with tarfile.open(archive, f"w:{archive.suffix[1:].replace('tar', '').replace('tgz', 'gz')}") as packed:
            for path, name in zip(paths, names, strict=True):
                packed.add(path, name)


def pack_one(archive, name, content=b"x"):
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr(name, content)
    else:
        with tarfile.open(archive, "w") as packed:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def encrypt(archive):
    """Sets the flag that says that a zip's members have a password."""
    content = bytearray(archive.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := content.find(signature, start)) >= 0:
            content[start + flags] |= 1
            start += 4
    archive.write_bytes(content)
