"""What is installed holds what the package reads as it runs."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import agegait

ROOT = Path(__file__).parents[2]
PRESET = "agegait/models/presets/{}"
LARGEST = 3_000_000
BUILD = "from setuptools import build_meta; build_meta.build_sdist('dist'); build_meta.build_wheel('dist')"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the wheel and the source distribution."""
    source = tmp_path_factory.mktemp("source")
    for part in ("agegait", "export", "tfds_builders"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return source / "dist"


@pytest.mark.slow
@pytest.mark.parametrize("preset", agegait.GaitEmbedder.PRESETS)
@pytest.mark.parametrize("ending", [".keras", ".calibration.json"])
def test_presets_are_in_the_wheel_and_small(built, preset, ending):
    name = PRESET.format(preset) + ending
    content = (ROOT / name).read_bytes()
    assert len(content) <= LARGEST
    (wheel,) = built.glob("*.whl")
    assert zipfile.ZipFile(wheel).read(name) == content
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        (member,) = (one for one in sources.getmembers() if one.name.endswith(name))
        assert sources.extractfile(member).read() == content
