from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who did what, and when. No name of a person enrolled, no walk and nothing made from one stands in it.

    Attributes:
        time: When, in UTC.
        actor: Who did it, as the caller says.
        action: `"enrol"`, `"identify"`, `"verify"`, `"forget"`, `"expire"`, `"export"`, `"recalibrate"`,
            `"check"` or `"copy"`.
        person: The number of the person concerned, see `Person.id`; None for nobody.
        detail: How many walks, whether accepted.

    Example:
        >>> from datetime import UTC, datetime
        >>> agegait.gallery.AuditEntry(datetime(2030, 1, 1, tzinfo=UTC), "desk", "enrol", 1, "2 walks").action
        'enrol'
    """

    time: datetime
    actor: str
    action: str
    person: int | None
    detail: str
