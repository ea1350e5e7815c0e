from pathlib import Path

MANIFEST_FILE = Path("assets.extra/agegait_manifest.json")
"""In a version's folder, the SHA-256 of each of its other files: `{"sha256": {path: digest}}`."""
