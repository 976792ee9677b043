"""What the losses of train programs read: roles, doubts, and outputs that blocks hand on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from graphprobe.ir import Pair, Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import find_pairs

Build = Callable[[int], Program]


def layer(b: Builder, width: int) -> str:
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2)
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, width, 1, 1))
    x = b.op("flatten_contiguous_range", {"X": x}, shape=(-1, width))
    return b.op("mul", {"X": x, "Y": b.param("fc.w_0", (width, 10))}, shape=(-1, 10))


def vector(loss: Callable[[Builder, str], str]) -> Build:
    def build(width: int) -> Program:
        b = Builder()
        b.op("reduce_mean", {"X": loss(b, layer(b, width))}, shape=(1,))
        return b.build()

    return build


def upsampled(b: Builder, width: int, channels: int, type: str, shape: tuple[int, ...]) -> str:
    y = b.conv(b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2), channels)
    return b.op(type, {"X": y}, attrs={"scale": 2.0, "upscale_factor": 2}, shape=shape)


def dice(width: int) -> Program:
    b = Builder()
    shape = (-1, 5, 32, 32)
    y = upsampled(b, width, 5, "bilinear_interp_v2", shape)
    y = b.op("softmax", {"X": y}, attrs={"axis": 1}, shape=shape)
    y = b.op("elementwise_mul", {"X": y, "Y": b.feed("label", shape)}, shape=shape)
    b.op("reduce_sum", {"X": y}, attrs={"reduce_all": True}, shape=(1,))
    return b.build()


def enlarged(width: int) -> Program:
    b = Builder()
    shape = (-1, 3, 32, 32)
    y = upsampled(b, width, 12, "pixel_shuffle", shape)
    y = b.op("elementwise_sub", {"X": y, "Y": b.feed("label", shape)}, shape=shape)
    b.op("reduce_mean", {"X": b.op("abs", {"X": y}, shape=shape)}, shape=(1,))
    return b.build()


def entropy_by_hand(b: Builder, y: str) -> str:
    total = b.op("logsumexp", {"X": y}, attrs={"axis": (1,)}, shape=(-1,))
    right = b.op("elementwise_mul", {"X": y, "Y": b.feed("label", (-1, 10))}, shape=(-1, 10))
    right = b.op("reduce_sum", {"X": right}, attrs={"dim": (1,)}, shape=(-1,))
    return b.op("elementwise_sub", {"X": total, "Y": right}, shape=(-1,))


def near_the_fed(b: Builder, y: str) -> str:
    """|y / |y| - p|^2, as half of a triplet loss is."""
    norm = b.op("p_norm", {"X": y}, attrs={"axis": 1, "keepdim": True}, shape=(-1, 1))
    unit = b.op("elementwise_div", {"X": y, "Y": norm}, shape=(-1, 10))
    gap = b.op("elementwise_sub", {"X": unit, "Y": b.feed("near", (-1, 10))}, shape=(-1, 10))
    return b.op("square", {"X": gap}, shape=(-1, 10))


def levels(width: int) -> Program:
    """Scores by binary cross entropy and boxes by absolute differences, at strides 2 and 4."""
    b = Builder()
    x, total = b.feed("image", (-1, 3, 32, 32)), ""
    for i, size in enumerate((16, 8)):
        x = b.conv(x, width, k=3, stride=2)
        x = b.op("relu", {"X": x}, shape=(-1, width, size, size))
        shape = (-1, 6, size, size)
        inputs = {"X": b.conv(x, 6, k=3), "Label": b.feed(f"classes{i}", shape)}
        scores = b.op("sigmoid_cross_entropy_with_logits", inputs, shape=shape)
        boxes = {"X": b.conv(x, 6, k=3), "Y": b.feed(f"boxes{i}", shape)}
        gap = b.op("abs", {"X": b.op("elementwise_sub", boxes, shape=shape)}, shape=shape)
        for terms in (scores, gap):
            one = b.op("reduce_mean", {"X": terms}, attrs={"reduce_all": True}, shape=(1,))
            total = b.op("elementwise_add", {"X": total, "Y": one}, shape=(1,)) if total else one
    return b.build()


def peaks_and_sizes(width: int) -> Program:
    """Scores of centres by logarithms, and the sizes there."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2)
    x = b.op("relu", {"X": x}, shape=(-1, width, 16, 16))
    shape = (-1, 3, 16, 16)
    score = b.op("sigmoid", {"X": b.conv(x, 3)}, shape=shape)
    score = b.op("log", {"X": score}, shape=shape)
    score = b.op("elementwise_mul", {"X": score, "Y": b.feed("centres", shape)}, shape=shape)
    shape = (-1, 2, 16, 16)
    gap = b.op("elementwise_sub", {"X": b.conv(x, 2), "Y": b.feed("sizes", shape)}, shape=shape)
    parts = [b.op("reduce_mean", {"X": x}, shape=(1,)) for x in (score, gap)]
    b.op("elementwise_add", {"X": parts[0], "Y": parts[1]}, shape=(1,))
    return b.build()


def pairs_of(build: Build) -> dict[str, Pair]:
    found = find_pairs(build(8), build(16)).pairs
    assert len({pair.role for pair in found}) == len(found)
    return {pair.role: pair for pair in found}


@pytest.mark.parametrize(
    ("build", "role", "loss", "sure"),
    [
        (dice, "segmentation logits, stride 1", "l2", True),
        (enlarged, "restored image, stride 1", "relative_l2", True),
        (vector(entropy_by_hand), "vector output", "relative_l2", False),
        (vector(near_the_fed), "embedding", "cosine", True),
    ],
)
def test_a_loss_by_hand_shows_what_it_reads(build: Build, role: str, loss: str, sure: bool) -> None:
    (pair,) = pairs_of(build).values()
    assert (pair.role, pair.loss, pair.score == 1.0) == (role, loss, sure)
    assert any(text.startswith("in doubt: ") for text in pair.evidence) is not sure


def test_scores_beside_boxes_at_several_strides_are_class_heads() -> None:
    found = pairs_of(levels)
    assert {role: (p.loss, p.score) for role, p in found.items()} == {
        "class head, stride 2": ("binary_kl", 1.0),
        "class head, stride 4": ("binary_kl", 1.0),
        "head, stride 2": ("relative_l2", 0.8),
        "head, stride 4": ("relative_l2", 0.8),
    }


def test_scores_among_several_maps_are_known_by_their_sigmoid() -> None:
    found = pairs_of(peaks_and_sizes)
    assert {role: (p.loss, p.score) for role, p in found.items()} == {
        "class head, stride 2": ("binary_kl", 1.0),
        "head, stride 2": ("relative_l2", 0.8),
    }


def entropy(b: Builder, logits: str) -> str:
    outputs = {"Softmax": "probabilities", "Loss": "terms"}
    inputs = {"Logits": logits, "Label": b.feed("label", (-1, 1), "int64")}
    return b.op("softmax_with_cross_entropy", inputs, outputs, shape=(-1, 1))


def looped(b: Builder, y: str) -> str:
    """Logits that a loop makes smaller, again and again under one name."""
    go = b.op("fill_constant", {}, shape=(1,))
    with b.block() as body:
        less = b.op("scale", {"X": y}, attrs={"scale": 0.5}, shape=(-1, 10))
        b.op("assign", {"X": less}, {"Out": y})
    b.op("while", {"Condition": go, "X": [y]}, {"Out": [y]}, attrs={"sub_block": body})
    return entropy(b, y)


def chosen(b: Builder, y: str) -> str:
    """Logits or twice of them, as a fed flag says."""
    flag, results = b.feed("flag", (1,), "int32"), []
    for scale in (1.0, 2.0):
        results.append(b.var(shape=(-1, 10)))
        with b.block() as body:
            more = b.op("scale", {"X": y}, attrs={"scale": scale}, shape=(-1, 10))
            b.op("assign", {"X": more}, {"Out": results[-1]})
        attrs = {"sub_block": body}
        b.op("conditional_block", {"Cond": flag, "Input": y}, {"Out": results[-1]}, attrs=attrs)
    return entropy(b, b.op("select_input", {"X": results, "Mask": flag}, shape=(-1, 10)))


@pytest.mark.parametrize(("loss", "block"), [(looped, "while"), (chosen, "conditional")])
def test_what_a_block_hands_on_is_taken_and_the_block_is_named(
    loss: Callable[[Builder, str], str], block: str
) -> None:
    (pair,) = pairs_of(vector(loss)).values()
    program = vector(loss)(8)
    assert (pair.role, pair.loss) == ("class logits", "soft_label")
    assert pair.student in program.blocks[0].vars
    assert pair.student in next(
        op.input("Logits") for op in program.ops if op.type == "softmax_with_cross_entropy"
    )
    assert pair.evidence[0].endswith(f"made in a {block} block")
