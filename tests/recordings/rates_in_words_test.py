import pytest

from agegait.recordings.resampling import rates_in_words


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ([None, None], "unknown"),
        ([30.0, 30.01], "30 Hz"),
        ([30.0, 15.0, 25.0], "15 to 30 Hz"),
        ([30.0, None, 15.0], "15 to 30 Hz, 1 unknown"),
    ],
)
def test_rates(rates, words):
    assert rates_in_words(rates, " Hz") == words
