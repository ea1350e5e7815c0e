"""Follow a live sensor: send each frame to a server and print who walks, as soon as the server knows.

    agegait serve runs/own/served
    python examples/live_sensor.py walk.npy

A recorded walk stands in for the sensor. Replace `frames` by your sensor's own loop: it yields a skeleton [J, 3] in
metres for each frame. Frames of another rate than the model's are resampled; a sensor without a steady rate gives
times instead: `client.stream(every=6)` and `stream.add(frame, seconds)`. This script needs neither TensorFlow nor
Keras.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np

from agegait.serving import Client


def frames(file: str, rate: float) -> Iterator[np.ndarray]:
    """The frames of a recording, at the rate of a sensor."""
    for frame in np.load(file):
        yield frame
        time.sleep(1 / rate)


parser = argparse.ArgumentParser(description="Follow a live sensor.")
parser.add_argument("walk", help="a recording [T, J, 3] in metres, as .npy")
parser.add_argument("--server", default="127.0.0.1:8500")
parser.add_argument("--rate", type=float, help="frames a second, where that is not the model's own rate")
options = parser.parse_args()

with Client(options.server) as client, client.stream(every=6, frame_rate=options.rate) as stream:
    for number, frame in enumerate(frames(options.walk, options.rate or 30), start=1):
        if found := stream.add(frame):
            print(f"frame {number}: {found.person or found.fault} ({found.score:.0%}, {stream.windows} windows)")
