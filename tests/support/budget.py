"""How many examples Hypothesis draws: all where `HYPOTHESIS_PROFILE=ci`, as `make test-all` sets it, else a tenth."""

import os

from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")

settings.register_profile("ci", deadline=None)
settings.register_profile("quick", max_examples=20, deadline=None)
settings.load_profile(PROFILE)


def examples(count):
    """For tests of parsers, which take hundreds."""
    return count if PROFILE == "ci" else -(-count // 10)
