"""Adds the pages that lie at the root of the repository to the site: README, CONTRIBUTING and CHANGELOG."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by MkDocs when it has listed the files of `docs/`."""
    root = Path(config.config_file_path).parent
    for source, page in PAGES.items():
        content = re.sub(r"\]\(docs/", "](", (root / source).read_text())
        for other, target in PAGES.items():
            content = content.replace(f"]({other}", f"]({target}")
        files.append(File.generated(config, page, content=content))
    return files
