"""FLOP in the matrix products that GaitEncoder needs for one window: two for each multiplication, all else left out."""


def forward(encoder):
    """FLOP of a window's forward pass over all axes, by the product they are in.

    Args:
        encoder: Anything with the sizes of a `GaitEncoder`: `AXES`, `frames`, `joints`, `units`, `num_layers`, `feed`.
    """
    k, frames, joints = encoder.units, encoder.frames, encoder.joints
    fed = 0 if encoder.feed == "zeros" else joints  # a frame of zeros is not multiplied
    inner = encoder.num_layers - 1  # layers whose inputs are a state
    later = frames - 1  # a first step's state, and what the decoder is fed then, are zeros: not multiplied
    products = {
        "encoder, inputs": frames * (joints * 4 * k + inner * k * 4 * k),
        "encoder, states": later * encoder.num_layers * k * 4 * k,
        "attention, keys": frames * k * k,
        "decoder, inputs": later * (fed + k) * 4 * k + frames * inner * k * 4 * k,
        "decoder, states": frames * encoder.num_layers * k * 4 * k,
        "attention, scores and contexts": frames * 2 * frames * k,
        "attentional state": frames * 2 * k * k,
        "reconstruction": frames * k * joints,
    }
    return {name: 2 * encoder.AXES * count for name, count in products.items()}


def training(encoder):
    """FLOP of a window's training step: forward, and two products for the gradients by both sides of each product.

    The windows themselves are not learned, so that there is no gradient by the first layer's inputs.
    """
    by_windows = 2 * encoder.AXES * encoder.frames * encoder.joints * 4 * encoder.units
    return 3 * sum(forward(encoder).values()) - by_windows
