"""Windows a second that GaitEncoder trains on and encodes, whole `fit` and `predict`, beside the machine's own rate.

The rate is that of one large matrix product in the same dtype, taken in the same run; the share is of the products that
the method needs, counted below, so that what a slow machine costs cancels out. Random windows: their values do not
matter to the time. Two minutes on two cores.
"""

import argparse
import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from agegait import GaitEncoder

PRODUCT_SIZE = 2048


def best(work, repeats):
    """The shortest of some repeats, in seconds, after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def product_rate(dtype, repeats):
    """FLOP/s of one large matrix product."""
    left = tf.cast(tf.random.normal((PRODUCT_SIZE, PRODUCT_SIZE)), dtype)
    product = tf.function(lambda: tf.reduce_sum(left @ left))
    return 2 * PRODUCT_SIZE**3 / best(lambda: product().numpy(), repeats)


def forward_products(encoder):
    """FLOP in the matrix products of one window's forward pass: two for each weight in each frame, and attention's."""
    kernels = sum(np.prod(weight.shape) for weight in encoder.weights if len(weight.shape) == 3)
    unread = encoder.AXES * encoder.joints * 4 * encoder.units  # rows of the frame fed in, which is zero
    attention = 2 * encoder.AXES * encoder.frames * encoder.units
    return 2 * encoder.frames * (kernels - unread + attention)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    windows = (
        np.random.default_rng(0).normal(0, 0.3, (options.batch_size * options.batches, 6, 20, 3)).astype("float32")
    )
    table = Table("dtype", "what", "windows/s", "GFLOP/s", "product GFLOP/s", "share")
    for policy, dtype in (("float32", "float32"), ("mixed_bfloat16", "bfloat16")):
        encoder = GaitEncoder(dtype=policy)
        encoder.compile(keras.optimizers.Adam(5e-4))
        rate = product_rate(dtype, options.repeats)
        fit = best(lambda e=encoder: e.fit(windows, batch_size=options.batch_size, verbose=0), options.repeats)
        predict = best(lambda e=encoder: e.predict(windows, batch_size=options.batch_size, verbose=0), options.repeats)
        forward = forward_products(encoder)
        for what, seconds, work in (("fit", fit, 3 * forward), ("predict", predict, forward)):
            each = len(windows) / seconds
            share = each * work / rate
            table.add_row(
                dtype, what, f"{each:,.0f}", f"{each * work / 1e9:,.0f}", f"{rate / 1e9:,.0f}", f"{100 * share:.0f} %"
            )
    Console().print(table)
    versions = f"Python {platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, batch {options.batch_size}; {versions}")
    print(f"a window: {forward / 1e6:.1f} MFLOP forward, {3 * forward / 1e6:.1f} a training step")


if __name__ == "__main__":
    main()
