"""The numpy executor against what Paddle 3 computed, and operators against their definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphprobe.formats import load_file
from graphprobe.ir.builder import Builder
from graphprobe.training.reference import run_reference
from graphprobe.training.weights.beside import read_beside

PIR = Path(__file__).resolve().parents[2] / "programs" / "pir"
RNG = np.random.default_rng(3)


def run(op: str, inputs, attrs=None, out="Out"):
    """One op on arrays by slot."""
    b = Builder()
    names = {}
    for slot, array in inputs.items():
        names[slot] = b.feed(slot.lower(), array.shape)
    b.op(op, names, {out: "result"}, attrs)
    feed = {slot.lower(): array for slot, array in inputs.items()}
    return run_reference(b.build(fetches=["result"]), {}, feed).values["result"]


@pytest.mark.parametrize("name", ["detector", "attention"])
def test_whole_programs_give_what_paddle_3_gives(name):
    program, stored = load_file(PIR / f"{name}.json"), np.load(PIR / f"{name}.npz")
    weights = read_beside(PIR / f"{name}.json", program, name)
    found = run_reference(program, weights, {"x": stored["x"]})
    assert not found.unknown and found.ends(program) == list(program.fetches)
    for number, output in enumerate(program.fetches):
        np.testing.assert_allclose(found.values[output], stored[f"out{number}"], atol=1e-6)


def test_what_is_not_known_is_named_and_the_rest_is_run():
    program, stored = load_file(PIR / "shapes.json"), np.load(PIR / "shapes.npz")
    found = run_reference(program, {}, {"x": stored["x"]})
    assert "top_k_v2" in found.unknown and program.fetches[0] not in found.values
    np.testing.assert_allclose(found.values[program.fetches[3]], stored["out3"])
    np.testing.assert_allclose(found.values[program.fetches[4]], stored["out4"])
    (read,) = next(op for op in program.ops if op.type == "top_k_v2").inputs["X"]
    assert read in found.ends(program)


@pytest.mark.parametrize(
    ("groups", "stride", "dilation", "padding"),
    [(1, 1, 1, (1, 1)), (2, 2, 1, (0, 1, 2, 0)), (4, 1, 2, (2, 2))],
)
def test_a_convolution_is_its_sum(groups, stride, dilation, padding):
    x, weight = RNG.normal(size=(2, 4, 7, 9)), RNG.normal(size=(8, 4 // groups, 3, 3))
    attrs = {
        "strides": (stride, stride),
        "dilations": (dilation, dilation),
        "paddings": padding,
        "groups": groups,
    }
    found = run("conv2d", {"Input": x, "Filter": weight}, attrs, "Output")
    top, below, left, right = (
        padding if len(padding) == 4 else (padding[0],) * 2 + (padding[1],) * 2
    )
    wide = np.pad(x, ((0, 0), (0, 0), (top, below), (left, right)))
    for _ in range(12):
        n, o, y, z = (int(RNG.integers(size)) for size in found.shape)
        first = o // (8 // groups) * (4 // groups)
        rows = [y * stride + i * dilation for i in range(3)]
        columns = [z * stride + j * dilation for j in range(3)]
        part = wide[n, first : first + 4 // groups][:, rows][:, :, columns]
        assert found[n, o, y, z] == pytest.approx((part * weight[o]).sum())


def test_a_transposed_convolution_is_the_gradient_of_the_convolution():
    """<conv(x), y> = <x, transposed(y)> for any x and y."""
    x, y = RNG.normal(size=(1, 4, 6, 6)), RNG.normal(size=(1, 3, 3, 3))
    weight = RNG.normal(size=(3, 4, 2, 2))
    attrs = {"strides": (2, 2), "paddings": (0, 0), "dilations": (1, 1), "groups": 1}
    forward = run("conv2d", {"Input": x, "Filter": weight}, attrs, "Output")
    back = run("conv2d_transpose", {"Input": y, "Filter": weight}, attrs, "Output")
    assert back.shape == x.shape
    assert (forward * y).sum() == pytest.approx((x * back).sum())


def test_pooling_counts_padding_as_it_is_told():
    x = np.ones((1, 1, 4, 4))
    attrs = {"ksize": (3, 3), "strides": (2, 2), "paddings": (1, 1), "pooling_type": "avg"}
    assert (run("pool2d", {"X": x}, {**attrs, "exclusive": True}) == 1).all()
    counted = run("pool2d", {"X": x}, {**attrs, "exclusive": False})
    assert counted[0, 0, 0, 0] == pytest.approx(4 / 9)
    largest = run("pool2d", {"X": -x}, {**attrs, "pooling_type": "max", "ceil_mode": True})
    assert largest.shape == (1, 1, 3, 3) and (largest == -1).all()
    bins = run("pool2d", {"X": x}, {"ksize": (3, 2), "adaptive": True, "pooling_type": "avg"})
    assert bins.shape == (1, 1, 3, 2)


def test_an_elementwise_op_follows_its_axis():
    x, y = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3,))
    found = run("elementwise_add", {"X": x, "Y": y}, {"axis": 1})
    np.testing.assert_allclose(found, x + y[None, :, None])
