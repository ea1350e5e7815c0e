from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Person:
    """Somebody enrolled in a gallery.

    Attributes:
        id: The number by which the audit trail calls them; never given to another.
        name: Their name, in Unicode's composed form.
        consent: What the operator noted about their consent.
        enrolled: When they were first enrolled.
        expires: When they are deleted; None for never.
        walks: How many walks are enrolled.

    Example:
        >>> from datetime import UTC, datetime
        >>> person = agegait.gallery.Person(1, "Anna", "signed form 12", datetime(2030, 1, 1, tzinfo=UTC), None, 2)
        >>> person.walks
        2
    """

    id: int
    name: str
    consent: str
    enrolled: datetime
    expires: datetime | None
    walks: int
