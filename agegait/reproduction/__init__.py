"""Reproduction of the paper's table: each row is trained and evaluated over several seeds, by each protocol."""

from agegait.reproduction.published import PUBLISHED
from agegait.reproduction.report import tables
from agegait.reproduction.reproduce import SEEDS, reproduce
from agegait.reproduction.row import Row
from agegait.reproduction.rows import GROUPS, ROWS, find

__all__ = ["GROUPS", "PUBLISHED", "ROWS", "SEEDS", "Row", "find", "reproduce", "tables"]
