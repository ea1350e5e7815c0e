from dataclasses import dataclass


@dataclass(frozen=True)
class Duplicate:
    """Two people whose walks are so near that they may be one.

    Attributes:
        first: The name of the one enrolled first.
        second: The other's.
        distance: Between their nearest walks.

    Example:
        >>> agegait.gallery.Duplicate("Anna", "Anne", 0.05).distance
        0.05
    """

    first: str
    second: str
    distance: float
