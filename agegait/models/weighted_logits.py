from typing import Any


def weighted_logits(logits: Any, embedded: Any, frames: Any, window: int) -> Any:
    """The logits of windows and of an embedder that saw their walks, together.

    The embedder counts `frames / (frames + window) / 2`: a quarter for a single window, on which it knows little,
    towards half for long walks. The form was chosen on validation walks, see `docs/results.md`.

    Args:
        logits: `[M, N]`, arrays or tensors of any backend, of windows or of what is averaged over them.
        embedded: `[M, N]`, the embedder's.
        frames: How many it saw: one number, or `[M, 1]`.
        window: Frames of a window.

    Returns:
        `[M, N]`.

    Example:
        >>> from agegait.models.weighted_logits import weighted_logits
        >>> weighted_logits(0.0, 8.0, frames=6, window=6)  # a quarter of the embedder's
        2.0
    """
    share = frames / (frames + window) / 2
    return (1 - share) * logits + share * embedded
