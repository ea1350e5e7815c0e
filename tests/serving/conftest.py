import pytest
from support.served_bodies import export_bones


@pytest.fixture(scope="session")
def bones_folder(tmp_path_factory):
    """An export of the embedder of support.gallery_bodies."""
    return export_bones(tmp_path_factory.mktemp("bones"))


@pytest.fixture
def gallery_url(tmp_path):
    """Of a gallery that is not there yet."""
    return f"sqlite:///{tmp_path}/gallery.db"
