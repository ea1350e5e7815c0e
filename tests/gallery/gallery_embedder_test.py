"""A gallery with the product's own embedder, saved and loaded."""

import keras
import pytest
from support.gallery_bodies import walk, walks

import agegait

pytestmark = pytest.mark.usefixtures("eagerly")


def embedder(seed):
    keras.utils.set_random_seed(seed)
    made = agegait.GaitEmbedder(units=4, embedding_size=8, dilations=(1,))
    made.adapt(walks(range(100, 110)).skeletons)
    made.embed([walk(0)])
    return made


def test_a_loaded_embedder_goes_on(tmp_path, sqlite_url):
    first = embedder(0)
    with agegait.Gallery.open(sqlite_url, first) as gallery:
        gallery.recalibrate(walks(range(100, 120)))
        gallery.enrol("Anna", [walk(0)], consent="form")
        found = gallery.identify(walk(0), false_alarms=0.1)
        assert found.person == "Anna"
        assert found.matches[0].distance == pytest.approx(0, abs=1e-5)
    first.save(tmp_path / "embedder.keras")
    with agegait.Gallery.open(sqlite_url, keras.models.load_model(tmp_path / "embedder.keras")) as gallery:
        assert gallery.identify(walk(0), false_alarms=0.1) == found
        with pytest.raises(ValueError, match=r"^walks: expected 20 joints, received 16 for walk 0\.$"):
            gallery.identify(walk(0)[:, :16])
    with pytest.raises(ValueError, match=r"^embedder: expected the one that made this gallery's templates"):
        agegait.Gallery.open(sqlite_url, embedder(1))
