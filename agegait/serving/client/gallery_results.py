"""What a gallery's client gives back."""

import enum
from datetime import datetime
from typing import NamedTuple


class Outcome(enum.Enum):
    """What is said of a walk."""

    KNOWN = "known"
    """A person is within the threshold; of a claim, it is accepted."""
    UNKNOWN = "unknown"
    """Nobody is; of a claim, it is refused."""
    POOR = "poor"
    """Nobody can be recognised by this walk: see the quality's fault."""
    NOT_ENOUGH_FRAMES = "not enough frames"
    """Of a walk that goes on alone: it is too short yet."""


class WalkQuality(NamedTuple):
    """How good a walk is: its frames, the share of tracked joints, how much limbs change, and why it is too poor.

    `steadiness` is None where it was not measured, and `fault` is empty where the walk is good enough.
    """

    frames: int
    tracked: float
    steadiness: float | None
    fault: str


class MatchThreshold(NamedTuple):
    """Up to which distance somebody is accepted, the share of strangers who are, None without a calibration, whether
    that lies beyond what the calibration saw, and whether the people who calibrated were generated."""

    distance: float
    false_alarms: float | None
    extrapolated: bool
    generated: bool = False


class PersonMatch(NamedTuple):
    """Somebody enrolled, beside the walk: one minus the cosine of the embeddings, how likely it is theirs, and whether
    the distance is within the threshold. `probability` is None without a calibration."""

    person: str
    distance: float
    probability: float | None
    accepted: bool


class GalleryIdentification(NamedTuple):
    """Who somebody is, or that they are unknown.

    Attributes:
        outcome: What is said of the walk.
        person: The name; None where nobody is within the threshold.
        matches: The nearest people, the nearest first, accepted or not; empty where the walk is poor. A server with
            `--top-only` tells of the person who is recognised alone.
        threshold: Up to where people are accepted; None where the walk is poor.
        quality: Of the walk.
        people: How many were enrolled.
        frames: Frames of the walk so far, of one that goes on; else those of the quality.
    """

    outcome: Outcome
    person: str | None
    matches: tuple[PersonMatch, ...]
    threshold: MatchThreshold | None
    quality: WalkQuality
    people: int
    frames: int


class GalleryVerification(NamedTuple):
    """Whether somebody is who they claim to be.

    Attributes:
        outcome: KNOWN where the claim is accepted, UNKNOWN where it is refused, POOR where the walk is.
        match: The claimed person beside the walk; None where it is poor, or where the server tells no more than that
            the claim is refused.
        threshold: Up to where a claim is accepted; None where the walk is poor.
        quality: Of the walk.
    """

    outcome: Outcome
    match: PersonMatch | None
    threshold: MatchThreshold | None
    quality: WalkQuality

    @property
    def accepted(self) -> bool:
        """Whether the claim is accepted."""
        return self.outcome is Outcome.KNOWN


class EnrolledPerson(NamedTuple):
    """Somebody enrolled.

    Attributes:
        number: By which the audit trail calls them.
        name: Their name.
        consent: The note of their consent.
        enrolled: When they were first enrolled.
        expires: When they are deleted; None for never.
        walks: How many walks are enrolled.
    """

    number: int
    name: str
    consent: str
    enrolled: datetime
    expires: datetime | None
    walks: int
