"""The packages, and the one mapping that pyproject.toml cannot say: export/ installs as agegait.export.

A top-level `export` would collide with a package of that name on PyPI. Metadata lives in pyproject.toml.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["agegait", "agegait.*"]),
        *find_packages(include=["tfds_builders", "tfds_builders.*"]),
        "agegait.export",
    ],
    package_dir={"agegait.export": "export"},
    package_data={
        "": ["*.pyi"],  # lazy_loader reads them
        "agegait": ["py.typed"],
        "agegait.export": ["deploy/*", "deploy/gallery/*"],
        "agegait.models": ["presets/*"],
        "agegait.serving": ["*.proto"],
        "agegait.evaluation.report": ["page.html"],
        "agegait.gallery": ["check.html"],
        "agegait.pages": ["*.html"],
        "tfds_builders": ["*/*.md", "*/*.bib", "*/*.txt", "*/*.tsv", "*/*.csv", "*/*.json"],
    },
)
