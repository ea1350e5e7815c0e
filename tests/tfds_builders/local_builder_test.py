"""What all builders share."""

import pytest
import tensorflow_datasets as tfds

import tfds_builders  # noqa: F401 (registers the builders)


@pytest.mark.parametrize("name", ["kgbd", "biwi", "ias", "walkers", "authors_windows/ias"])
def test_a_new_builder_leaves_nothing_in_the_temporary_folder(name, tmp_path, temporary_folder):
    info = tfds.builder(name, data_dir=tmp_path).info
    assert not any(temporary_folder.iterdir())
    assert len(info.description) > 20
    assert info.citation.startswith("@")
