"""What a trial run is fed, and how far two runs are apart."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.training.runtime.compare import largest_difference, trial_input


@pytest.mark.parametrize(
    ("shape", "dtype", "fed", "kind"),
    [
        ((-1, 3, -1, -1), "float32", (1, 3, 96, 96), "float32"),
        ((4, 3, 8, 8), "float64", (4, 3, 8, 8), "float64"),  # a batch that the program fixes
        ((-1, 3, 8, 8), "bfloat16", (1, 3, 8, 8), "float32"),
    ],
)
def test_a_map_is_random_numbers_of_the_declared_shape(shape, dtype, fed, kind):
    found = trial_input(np.random.default_rng(0), shape, dtype)
    assert found.shape == fed and found.dtype == kind
    assert np.std(found) > 0.5


@pytest.mark.parametrize(("shape", "dtype"), [((-1, 2), "float32"), ((-1, 1, 8, 8), "int32")])
def test_what_is_no_map_of_fractions_is_ones(shape, dtype):
    found = trial_input(np.random.default_rng(0), shape, dtype)
    assert found.shape == (1, *shape[1:]) and found.dtype == dtype
    assert (found == 1).all()


def test_the_largest_difference_is_a_share_of_the_largest_value():
    wanted = [np.array([1.0, 2.0]), np.array([10.0])]
    assert largest_difference([np.array([1.0, 2.5]), np.array([11.0])], wanted) == 0.25
    assert largest_difference([], []) == 0


def test_outputs_that_are_missing_or_of_another_shape_are_infinitely_far():
    wanted = [np.ones(2), np.ones(3)]
    assert largest_difference(wanted[:1], wanted) == float("inf")
    assert largest_difference([np.ones(2), np.ones(4)], wanted) == float("inf")
