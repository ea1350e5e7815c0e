import gc
import weakref

import numpy as np
import pytest

from agegait import data

ROWS, BATCH = 11, 4
STEPS = 3
NUMBERS = np.arange(ROWS)


def epochs_of(seed, epochs, first_epoch=0, arrays=(NUMBERS,)):
    """The batches of each epoch."""
    batches = list(data.shuffled_epochs(arrays, BATCH, seed, epochs, first_epoch).as_numpy_iterator())
    return [batches[start : start + STEPS] for start in range(0, len(batches), STEPS)]


def orders(*arguments, **options):
    return [np.concatenate(epoch).tolist() for epoch in epochs_of(*arguments, **options)]


def test_each_epoch_is_a_permutation_in_batches():
    epochs = epochs_of(seed=0, epochs=5)
    assert len(epochs) == 5
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [4, 4, 3]
        assert sorted(np.concatenate(epoch)) == NUMBERS.tolist()


def test_the_order_depends_on_seed_and_epoch_alone():
    first = orders(seed=7, epochs=4)
    assert first == orders(seed=7, epochs=4)
    assert first[:2] == orders(seed=7, epochs=2)
    assert len({tuple(order) for order in [*first, *orders(seed=8, epochs=4)]}) == 8


@pytest.mark.parametrize("stopped", range(5))
def test_taken_up_again_it_goes_on_as_if_it_had_not_stopped(stopped):
    whole = orders(seed=3, epochs=4)
    assert orders(seed=3, epochs=stopped) + orders(seed=3, epochs=4, first_epoch=stopped) == whole


def test_rows_of_several_arrays_stay_together():
    names = np.array([f"row {number}" for number in NUMBERS])
    for epoch in epochs_of(seed=1, epochs=2, arrays=(NUMBERS, names)):
        for numbers, named in epoch:
            assert named.tolist() == [f"row {number}".encode() for number in numbers]


def test_arrays_are_held_once_and_only_as_long_as_they_are_read():
    class Watched(np.ndarray):
        pass

    array = np.arange(ROWS).view(Watched)
    watch = weakref.ref(array)
    batches = iter(data.shuffled_epochs([array], BATCH, seed=0, epochs=2).map(lambda rows: rows + 1))
    del array
    gc.collect()
    assert sorted(np.concatenate(list(batches))) == sorted(2 * list(range(1, ROWS + 1)))
    assert watch() is not None
    del batches
    gc.collect()
    assert watch() is None


def test_refuses_arrays_of_different_lengths():
    with pytest.raises(ValueError, match=r"arrays: expected as many rows each, received \[11, 10\]"):
        epochs_of(seed=0, epochs=1, arrays=(NUMBERS, NUMBERS[1:]))
