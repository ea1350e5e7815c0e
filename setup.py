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
        "agegait": ["py.typed", "*.pyi"],
        "agegait.data": ["*.pyi"],
        "agegait.datasets": ["*.pyi"],
        "agegait.evaluation": ["*.pyi"],
        "agegait.export": ["*.pyi", "deploy/*"],
        "agegait.serving": ["*.proto", "*.pyi"],
        "agegait.skeletons": ["*.pyi"],
        "agegait.storage": ["*.pyi"],
        "agegait.training": ["*.pyi"],
        "agegait.evaluation.report": ["page.html"],
        "tfds_builders": ["*/*.md", "*/*.bib", "*/*.txt", "*/*.tsv", "*/*.csv", "*/*.json"],
    },
)
