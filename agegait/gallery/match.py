from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """Somebody enrolled, beside the walk that was looked for.

    Attributes:
        person: Their name.
        distance: One minus the cosine of the walk's embedding and the nearest of theirs: 0 for the same walk, 1 for
            walks that have nothing in common.
        probability: That the walk is theirs, if half of those who come are strangers and the others equally often each
            of those enrolled; None where the calibration had no two walks of a person.
        accepted: Whether the distance is within the threshold.

    Example:
        >>> agegait.gallery.Match("Anna", 0.12, 0.98, accepted=True).person
        'Anna'
    """

    person: str
    distance: float
    probability: float | None
    accepted: bool
