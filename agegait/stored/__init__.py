"""What biometric data lies in folders, of whom, and how a person is taken out of it."""

from agegait.stored.find_stores import find_stores
from agegait.stored.store import Store, is_same_person

__all__ = ["Store", "find_stores", "is_same_person"]
