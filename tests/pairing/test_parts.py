"""What is taught is what a softmax is over: a slice of a vector, or a group of its numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.find import find_pairs

Build = Callable[[int], Program]
# Shape, role, loss, and whether nothing is left to doubt.
Found = tuple[tuple[int, ...], str, str, bool]


def layer(b: Builder, width: int, outputs: int) -> str:
    """An image through a convolution and a linear layer with a bias."""
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2)
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, width, 1, 1))
    x = b.op("flatten_contiguous_range", {"X": x}, shape=(-1, width))
    y = b.op("mul", {"X": x, "Y": b.param("fc.w_0", (width, outputs))}, shape=(-1, outputs))
    return b.op("elementwise_add", {"X": y, "Y": b.param("fc.b_0", (outputs,))},
                attrs={"axis": 1}, shape=(-1, outputs))  # fmt: skip


def part(b: Builder, x: str, start: int, end: int) -> str:
    attrs = {"axes": (1,), "starts": (start,), "ends": (end,)}
    return b.op("slice", {"Input": x}, attrs=attrs, shape=(-1, end - start))


def scores(b: Builder, x: str, shape: tuple[int, ...], type: str = "softmax") -> str:
    return b.op(type, {"X": x}, attrs={"axis": -1}, shape=shape)


def grouped(b: Builder, y: str) -> list[str]:
    """Four characters out of 36."""
    y = b.op("reshape2", {"X": y}, attrs={"shape": (-1, 4, 36)}, shape=(-1, 4, 36))
    return [scores(b, y, (-1, 4, 36))]


def grouped_and_divided(b: Builder, y: str) -> list[str]:
    y = b.op("reshape2", {"X": y}, attrs={"shape": (-1, 4, 36)}, shape=(-1, 4, 36))
    y = b.op("scale", {"X": y}, attrs={"scale": 0.5}, shape=(-1, 4, 36))
    return [scores(b, y, (-1, 4, 36))]


def grouped_and_picked(b: Builder, y: str) -> list[str]:
    y = b.op("reshape2", {"X": y}, attrs={"shape": (-1, 4, 36)}, shape=(-1, 4, 36))
    return [b.op("arg_max", {"X": y}, attrs={"axis": -1}, shape=(-1, 4))]


def halves(b: Builder, y: str) -> list[str]:
    names = ["left", "right"]
    for name in names:
        b.var(name, (-1, 72))
    b.op("split", {"X": y}, {"Out": names}, attrs={"axis": 1, "num": 2})
    return [scores(b, name, (-1, 72)) for name in names]


def classes_and_numbers(b: Builder, y: str) -> list[str]:
    return [scores(b, part(b, y, 0, 100), (-1, 100)), part(b, y, 100, 144)]


def labels_and_numbers(b: Builder, y: str) -> list[str]:
    return [scores(b, part(b, y, 0, 100), (-1, 100), "sigmoid"), part(b, y, 100, 144)]


def turned(b: Builder, y: str) -> list[str]:
    """All of the numbers in another order: the softmax is over the whole."""
    parts = [part(b, y, 44, 144), part(b, y, 0, 44)]
    whole = b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 144))
    return [scores(b, whole, (-1, 144))]


def over_the_batch(b: Builder, y: str) -> list[str]:
    return [b.op("softmax", {"X": y}, attrs={"axis": 0}, shape=(-1, 144))]


def returned(tail: Callable[[Builder, str], list[str]]) -> Build:
    def build(width: int) -> Program:
        b = Builder()
        return b.build(fetches=tail(b, layer(b, width, 144)))

    return build


def trained(loss: Callable[[Builder, str], str], outputs: int = 16) -> Build:
    def build(width: int) -> Program:
        b = Builder()
        b.op("reduce_mean", {"X": loss(b, layer(b, width, outputs))}, shape=(1,))
        return b.build()

    return build


def entropy(b: Builder, logits: str, **attrs: bool) -> str:
    outputs = {"Softmax": "probabilities", "Loss": "terms"}
    inputs = {"Logits": logits, "Label": b.feed("label", (-1, 1), "int64")}
    return b.op("softmax_with_cross_entropy", inputs, outputs,
                attrs={"axis": -1, **attrs}, shape=(-1, 1))  # fmt: skip


def of_scores(b: Builder, y: str) -> str:
    return entropy(b, scores(b, y, (-1, 16)), use_softmax=False)


def of_scores_again(b: Builder, y: str) -> str:
    return entropy(b, scores(b, y, (-1, 16)), use_softmax=True)


def with_a_gallery(b: Builder, y: str) -> str:
    """Products of an embedding with vectors that are fed."""
    gallery = b.feed("gallery", (16, 20))
    return entropy(b, b.op("matmul_v2", {"X": y, "Y": gallery}, shape=(-1, 20)))


def with_centres(b: Builder, y: str) -> str:
    """-|y - c|^2 for each of seven centres that are fed."""
    y = b.op("unsqueeze2", {"X": y}, attrs={"axes": (1,)}, shape=(-1, 1, 16))
    gap = b.op("elementwise_sub", {"X": y, "Y": b.feed("centres", (7, 16))}, shape=(-1, 7, 16))
    gap = b.op("square", {"X": gap}, shape=(-1, 7, 16))
    gap = b.op("reduce_sum", {"X": gap}, attrs={"dim": (2,)}, shape=(-1, 7))
    return entropy(b, b.op("scale", {"X": gap}, attrs={"scale": -1.0}, shape=(-1, 7)))


def with_a_temperature(b: Builder, y: str) -> str:
    inputs = {"X": y, "Y": b.feed("temperature", (1,))}
    return entropy(b, b.op("elementwise_div", inputs, shape=(-1, 16)))


def mean_and_spread(b: Builder, y: str) -> str:
    """(mean - label)^2 / spread, where the spread is sliced anew each time it is used."""
    gap = b.op("elementwise_sub", {"X": part(b, y, 0, 9), "Y": b.feed("label", (-1, 9))},
               shape=(-1, 9))  # fmt: skip
    gap = b.op("square", {"X": gap}, shape=(-1, 9))
    weight = b.op("exp", {"X": part(b, y, 9, 16)}, shape=(-1, 7))
    gap = b.op("elementwise_mul", {"X": gap, "Y": weight}, shape=(-1, 9))
    return b.op("elementwise_add", {"X": gap, "Y": part(b, y, 9, 16)}, shape=(-1, 9))


CASES: dict[str, tuple[Build, list[Found]]] = {
    "groups": (returned(grouped), [((-1, 4, 36), "sequence logits", "soft_label", True)]),
    "groups, divided": (
        returned(grouped_and_divided),
        [((-1, 4, 36), "sequence logits", "soft_label", True)],
    ),
    "groups, picked": (
        returned(grouped_and_picked),
        [((-1, 4, 36), "sequence logits", "soft_label", False)],
    ),
    "halves": (returned(halves), [((-1, 72), "class logits", "soft_label", False)] * 2),
    "classes and numbers": (
        returned(classes_and_numbers),
        [
            ((-1, 44), "vector output", "relative_l2", False),
            ((-1, 100), "class logits", "soft_label", True),
        ],
    ),
    "labels and numbers": (
        returned(labels_and_numbers),
        [
            ((-1, 44), "vector output", "relative_l2", False),
            ((-1, 100), "multi-label logits", "binary_kl", True),
        ],
    ),
    "turned": (returned(turned), [((-1, 144), "class logits", "soft_label", True)]),
    "over the batch": (
        returned(over_the_batch),
        [((-1, 144), "vector output", "relative_l2", False)],
    ),
    "scores": (trained(of_scores), [((-1, 16), "class logits", "soft_label", True)]),
    "scores of scores": (
        trained(of_scores_again),
        [((-1, 16), "class logits", "soft_label", True)],
    ),
    "gallery": (trained(with_a_gallery), [((-1, 20), "class logits", "soft_label", True)]),
    "centres": (trained(with_centres), [((-1, 7), "class logits", "soft_label", True)]),
    "temperature": (trained(with_a_temperature), [((-1, 16), "class logits", "soft_label", True)]),
}


def found(student: Program, teacher: Program) -> list[Found]:
    pairs = find_pairs(student, teacher).pairs
    assert all((p.score == 1.0) is (not _doubts(p.evidence)) for p in pairs)
    return sorted((p.student_shape or (), p.role, p.loss, p.score == 1.0) for p in pairs)


def _doubts(evidence: tuple[str, ...]) -> bool:
    return any(text.startswith(("in doubt: ", "one of ")) for text in evidence)


@pytest.mark.parametrize("case", CASES)
def test_what_is_normalised_is_taught(case: str) -> None:
    build, expected = CASES[case]
    assert found(build(8), build(16)) == sorted(expected)


@pytest.mark.parametrize("case", CASES)
def test_names_and_order_of_ops_decide_nothing(case: str) -> None:
    build, expected = CASES[case]
    for seed in range(3):
        student, _ = rename_all(shuffle_ops(build(8), seed), seed)
        assert found(student, build(16)) == sorted(expected)


def test_equal_slices_are_one_output() -> None:
    """The mean is a regression; how far it may be off is another output of the same layer."""
    build = trained(mean_and_spread)
    shapes = [pair.student_shape for pair in find_pairs(build(8), build(16)).pairs]
    assert sorted(shapes, key=str) == [(-1, 7), (-1, 9)]


def test_logits_meet_logits_where_one_loss_reads_scores() -> None:
    (pair,) = find_pairs(trained(of_scores)(8), trained(with_a_temperature)(16)).pairs
    assert (pair.student, pair.teacher, pair.loss) == ("elementwise_add_0.tmp_0",) * 2 + (
        "soft_label",
    )


def test_distances_are_no_logits() -> None:
    """The smallest of distances is picked; the largest of logits would be."""

    def nearest(b: Builder, y: str) -> list[str]:
        return [b.op("arg_min", {"X": y}, attrs={"axis": 1}, shape=(-1,))]

    build = returned(nearest)
    (pair,) = find_pairs(build(8), build(16)).pairs
    assert (pair.role, pair.loss, pair.score) == ("regression output", "relative_l2", 0.8)
    assert any("distances or costs" in text for text in pair.evidence)
    scored = returned(lambda b, y: [scores(b, y, (-1, 144))])
    assert not [p for p in find_pairs(build(8), scored(16)).pairs if p.loss == "soft_label"]


def test_slices_at_places_that_tensors_hold_are_not_taken_for_equal() -> None:
    def placed(b: Builder, y: str) -> list[str]:
        found = []
        for _ in range(2):
            inputs = {"Input": y, "StartsTensor": b.op("fill_constant", {}, shape=(1,))}
            attrs = {"axes": (1,), "starts": (-1,), "ends": (-1,)}
            taken = b.op("slice", inputs, attrs=attrs, shape=(-1, 72))
            found.append(scores(b, taken, (-1, 72)))
        return found

    def build(width: int) -> Program:
        b = Builder()
        first, second = placed(b, layer(b, width, 144))
        gap = b.op("elementwise_add", {"X": first, "Y": second}, shape=(-1, 72))
        terms = b.op("elementwise_mul", {"X": gap, "Y": b.feed("label", (-1, 72))}, shape=(-1, 72))
        b.op("reduce_mean", {"X": terms}, shape=(1,))
        return b.build()

    assert len(find_pairs(build(8), build(16)).pairs) == 2
