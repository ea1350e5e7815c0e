from dataclasses import dataclass


@dataclass(frozen=True)
class WalkCheck:
    """A walk of somebody, beside the others that are enrolled.

    Attributes:
        person: The name.
        number: Of the walk, in the order of enrolment, from 1.
        frames: How many it has.
        own: Distance to the person's nearest other walk; None where there is none.
        other: Distance to the nearest walk of somebody else; None where nobody else is enrolled.
        nearest: That person's name.

    Example:
        >>> agegait.gallery.WalkCheck("Anna", 1, 90, 0.04, 0.61, "Ben").own
        0.04
    """

    person: str
    number: int
    frames: int
    own: float | None
    other: float | None
    nearest: str | None
