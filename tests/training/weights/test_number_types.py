"""Weights take the program's types of number, or say which do not."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights.number_types import as_types


@pytest.mark.parametrize("given", ["float64", "float16", ">f4", ">f8"])
def test_floats_of_any_width_and_order(given: str) -> None:
    values = np.array([0.5, -3.25, 1024.0])
    [made] = as_types({"w": values.astype(given)}, {"w": "float32"}, where="w.npz").values()
    assert made.dtype == np.dtype("float32") and made.dtype.isnative
    assert made.tolist() == values.tolist()


def test_integers_of_another_width() -> None:
    [made] = as_types({"n": np.array([1, 2], "int32")}, {"n": "int64"}, where="w.npz").values()
    assert made.dtype == np.int64 and made.tolist() == [1, 2]


def test_what_fits_is_passed_on_as_it_is() -> None:
    array = np.zeros(3, np.float32)
    assert as_types({"w": array}, {"w": "float32"}, where="")["w"] is array
    assert as_types({"w": array.view("uint16")}, {"w": "bfloat16"}, where="")["w"].dtype == "uint16"
    assert as_types({"more": array}, {}, where="")["more"] is array


def test_every_array_that_does_not_fit_is_named() -> None:
    arrays = {
        "flags": np.array([True]),
        "counts": np.array([1, 2]),
        "huge": np.array([1e300]),
        "wide": np.array([2**40]),
        "fine": np.array([1.0]),
    }
    wanted = {"flags": "float32", "counts": "float32", "huge": "float32", "wide": "int32"}
    with pytest.raises(CheckpointError) as caught:
        as_types(arrays, {**wanted, "fine": "float32"}, where="w.npz")
    line = str(caught.value)
    assert line.startswith("w.npz: ") and "\n" not in line
    for part in (
        "flags is bool, not float32",
        "counts is int64, not float32",
        "huge has numbers that float32 cannot hold",
        "wide has numbers that int32 cannot hold",
    ):
        assert part in line
    assert "fine" not in line
