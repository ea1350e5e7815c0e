import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from agegait.gallery.audit_entry import AuditEntry
from agegait.gallery.person import Person
from agegait.gallery.template import Template


@dataclass(frozen=True)
class PersonExport:
    """All that a gallery has of a person: what they may ask to see.

    Attributes:
        person: Name, consent, dates.
        fingerprint: Of the embedder that made the templates.
        templates: What is kept of each walk.
        audit: What was done with them, the oldest first.

    Example:
        >>> from datetime import UTC, datetime
        >>> person = agegait.gallery.Person(1, "Anna", "signed form 12", datetime(2030, 1, 1, tzinfo=UTC), None, 0)
        >>> text = agegait.gallery.PersonExport(person, "", (), ()).to_json()
        >>> '"name": "Anna"' in text
        True
    """

    person: Person
    fingerprint: str
    templates: tuple[Template, ...]
    audit: tuple[AuditEntry, ...]

    def to_json(self) -> str:
        """The same as JSON, times in ISO 8601."""
        return json.dumps(dataclasses.asdict(self), default=_plain, ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"value: expected a time or an array, received {type(value).__name__}.")
