"""Markers of motion capture, named by subject and place on the body."""

from collections.abc import Sequence


def by_subject(labels: Sequence[str]) -> dict[str, dict[int, str]]:
    """Groups markers by subject: `Anna:LKNE` is the marker LKNE of Anna.

    Args:
        labels: Names of all markers.

    Returns:
        Of each subject, its markers' names by their indices. Where no more than one is named, it has all markers and
        is called nothing.
    """
    parts = [label.rpartition(":") for label in labels]
    subjects = list(dict.fromkeys(subject.strip() for subject, _, _ in parts if subject.strip()))
    if len(subjects) < 2:
        return {"": {index: name.strip() for index, (_, _, name) in enumerate(parts)}}
    return {
        subject: {index: name.strip() for index, (own, _, name) in enumerate(parts) if own.strip() == subject}
        for subject in subjects
    }
