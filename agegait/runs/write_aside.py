from pathlib import Path


def write_aside(path: Path, text: str) -> None:
    """Writes a file under another name first, so that nothing half-written ever has the name."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        aside.write_text(text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
