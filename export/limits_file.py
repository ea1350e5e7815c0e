from pathlib import Path

LIMITS_FILE = Path("assets.extra/agegait.json")
"""In a version's folder, what signatures can't say of their inputs: the frames that a walk needs at least."""
