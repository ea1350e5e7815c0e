import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from agegait.gallery import Match

_SPEC = TypeVar("_SPEC")

_PRIVATE = frozenset({"logits", "probabilities", "window_logits", "persons"})
"""Outputs that tell of everybody who is known, or how sure the model is of each."""


@dataclass(frozen=True)
class AnswerPolicy:
    """What answers say of the people whom a model knows.

    Logits tell the walks that a model was trained on from others, and lists of names tell who is in it. A server that
    strangers may ask can keep both to itself.

    Args:
        top_only: Whether answers hold the best person and the score only. Signatures without these outputs are
            not offered. A gallery names a person only if they are recognised.
        score_digits: Decimal places to which scores, probabilities and a gallery's distances are rounded; None leaves
            them as they are.

    Raises:
        ValueError: Fewer than one decimal place.
    """

    top_only: bool = False
    score_digits: int | None = None

    def __post_init__(self) -> None:
        if self.score_digits is not None and not 1 <= self.score_digits <= 9:
            raise ValueError(f"score_digits: expected 1 to 9, received {self.score_digits}.")

    def told(self, outputs: Mapping[str, _SPEC]) -> dict[str, _SPEC]:
        """The outputs of a signature that answers hold; none where the signature is not offered."""
        if not self.top_only:
            return dict(outputs)
        if "logits" in outputs and "person" not in outputs:
            return {}
        return {name: output for name, output in outputs.items() if name not in _PRIVATE}

    def matches(self, found: Sequence["Match"]) -> tuple["Match", ...]:
        """A gallery's matches, the nearest first, as answers hold them."""
        told = [match for match in found[:1] if match.accepted] if self.top_only else found
        digits = self.score_digits
        if digits is None:
            return tuple(told)
        return tuple(
            dataclasses.replace(
                match,
                distance=round(match.distance, digits),
                probability=None if match.probability is None else round(match.probability, digits),
            )
            for match in told
        )

    def rounded(self, name: str, array: Any) -> Any:
        """An output as answers hold it."""
        if self.score_digits is None or name not in ("score", "probabilities"):
            return array
        return array.round(self.score_digits)
