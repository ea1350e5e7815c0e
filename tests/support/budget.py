"""How much is tried: all where `HYPOTHESIS_PROFILE=ci`, as `make test-all` sets it, else a tenth of the examples."""

import os

import pytest
from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")

settings.register_profile("ci", deadline=None)
settings.register_profile("quick", max_examples=20, deadline=None)
settings.load_profile(PROFILE)


def examples(count):
    """For tests that take more than others, or fewer: five of them at least."""
    return count if PROFILE == "ci" else max(-(-count // 10), min(count, 5))


def few(cases, count=1):
    """For `parametrize`: as many quick cases as `count` says, the others slow."""
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*case, marks=() if row < count else pytest.mark.slow) for row, case in enumerate(cases)]
