"""Exports that are not compared with Keras, which takes half of their time: for tests that do so, or need not."""

import contextlib

import pytest

from agegait.export import saved_models


@contextlib.contextmanager
def uncompared():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_models, "_compare", lambda *_: None)
        yield
