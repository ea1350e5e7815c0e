"""Small videos without people."""

import numpy as np

from agegait.recordings.video import packages


def write_video(path, frames=60, rate=30.0, size=(64, 48), codec="mp4v"):
    """Writes one; the brightness of its left half rises from frame to frame."""
    cv2 = packages.opencv()  # before FFmpeg is first used, whose log level it sets

    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), rate, size)
    assert writer.isOpened()
    for frame in range(frames):
        picture = np.zeros((size[1], size[0], 3), "uint8")
        picture[:, : size[0] // 2] = min(255, 4 * frame)
        writer.write(picture)
    writer.release()
    return path


def turn(path):
    """Has a video say that its camera was held upright: a quarter turn to the right."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 4 + 36  # version and flags, then all before the matrix in version 0
    one = 1 << 16
    matrix = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
    content[place : place + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in matrix)
    path.write_bytes(content)
