"""What an output is follows from what the program does with it, and its loss from what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.find import find_pairs

Build = Callable[[int], Program]


def pooled(b: Builder, width: int, image: str = "image") -> str:
    """An image through a convolution, pooled to [N, width]."""
    x = b.conv(b.feed(image, (-1, 3, 32, 32)), width, k=3, stride=2)
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, width, 1, 1))
    return b.op("flatten_contiguous_range", {"X": x}, shape=(-1, width))


def linear(b: Builder, x: str, inputs: int, outputs: int, rows: tuple[int, ...] = ()) -> str:
    weight = b.param(f"{b.fresh('linear')}.w_0", (inputs, outputs))
    return b.op("matmul_v2", {"X": x, "Y": weight}, shape=(-1, *rows, outputs))


def vector(tail: Callable[[Builder, str], str], outputs: int = 10) -> Build:
    """A network with a vector of outputs and something behind it."""

    def build(width: int) -> Program:
        b = Builder()
        y = linear(b, pooled(b, width), width, outputs)
        return b.build(fetches=[tail(b, y)])

    return build


def after(*types: str, **attrs: object) -> Callable[[Builder, str], str]:
    """Ops one behind the other that keep the shape."""

    def tail(b: Builder, x: str) -> str:
        for kind in types:
            x = b.op(kind, {"X": x}, attrs=attrs, shape=b.build().shape(x))  # type: ignore[arg-type]
        return x

    return tail


def normalised(b: Builder, x: str) -> str:
    norm = b.op("p_norm", {"X": x}, attrs={"axis": 1, "keepdim": True}, shape=(-1, 1))
    norm = b.op("clip", {"X": norm}, shape=(-1, 1))
    return b.op("elementwise_div", {"X": x, "Y": norm}, shape=(-1, 10))


def picked(b: Builder, x: str) -> str:
    return b.op("arg_max", {"X": x}, attrs={"axis": 1}, shape=(-1,))


def map_of(
    tail: Callable[[Builder, str], str], channels: int = 4, up: bool = True, scale: float = 2.0
) -> Build:
    """A network with a map of outputs, resized to the image or left at stride 2."""

    def build(width: int) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, -1, -1)), width, k=3, stride=2)
        y = b.conv(b.op("relu", {"X": x}, shape=(-1, width, -1, -1)), channels)
        if up:
            shape = (-1, channels, -1, -1)
            y = b.op("bilinear_interp_v2", {"X": y}, attrs={"scale": scale}, shape=shape)
        return b.build(fetches=[tail(b, y)])

    return build


def cells(b: Builder, x: str) -> str:
    flat = b.op("reshape2", {"X": x}, shape=(-1, 4, 64))
    return b.op("arg_max", {"X": flat}, attrs={"axis": 2}, shape=(-1, 4))


def fixed_map(width: int) -> Program:
    """Heatmaps of 4 points on 8 x 8 cells, of which the largest is the answer."""
    b = Builder()
    y = b.conv(b.conv(b.feed("image", (-1, 3, 16, 16)), width, k=3, stride=2), 4)
    return b.build(fetches=[cells(b, y)])


def shuffled_up(width: int) -> Program:
    """Super-resolution by pixel shuffle."""
    b = Builder()
    y = b.conv(b.conv(b.feed("image", (-1, 3, -1, -1)), width, k=3), 12)
    y = b.op("pixel_shuffle", {"X": y}, attrs={"upscale_factor": 2}, shape=(-1, 3, -1, -1))
    return b.build(fetches=[b.op("clip", {"X": y}, shape=(-1, 3, -1, -1))])


def residual(width: int, type: str = "elementwise_add") -> Program:
    """Denoising: what is added to the image."""
    b = Builder()
    image = b.feed("image", (-1, 3, -1, -1))
    noise = b.conv(b.conv(image, width, k=3), 3)
    return b.build(fetches=[b.op(type, {"X": image, "Y": noise}, shape=(-1, 3, -1, -1))])


def stretched(b: Builder, x: str) -> str:
    """A depth or an age: a sigmoid times its largest value."""
    shape = b.build().shape(x) or ()
    y = b.op("sigmoid", {"X": x}, shape=shape)
    return b.op("scale", {"X": y}, attrs={"scale": 80.0}, shape=shape)


def resized_scores(width: int) -> Program:
    """Probabilities that are resized: the logits are in front of the softmax."""
    b = Builder()
    y = b.conv(b.conv(b.feed("image", (-1, 3, -1, -1)), width, k=3, stride=2), 4)
    y = b.op("softmax", {"X": y}, attrs={"axis": 1}, shape=(-1, 4, -1, -1))
    y = b.op("bilinear_interp_v2", {"X": y}, attrs={"scale": 2.0}, shape=(-1, 4, -1, -1))
    return b.build(fetches=[y])


def mean_places(width: int) -> Program:
    """Where the mass of each of 4 maps is: a softmax over 8 x 8 cells, times their places."""
    b = Builder()
    y = b.conv(b.conv(b.feed("image", (-1, 3, 16, 16)), width, k=3, stride=2), 4)
    y = b.op("reshape2", {"X": y}, shape=(-1, 4, 64))
    y = b.op("softmax", {"X": y}, attrs={"axis": -1}, shape=(-1, 4, 64))
    places = b.op("range", {}, shape=(64,))
    y = b.op("elementwise_mul", {"X": y, "Y": places}, shape=(-1, 4, 64))
    return b.build(fetches=[b.op("reduce_sum", {"X": y}, attrs={"dim": (2,)}, shape=(-1, 4))])


def text_lines(tail: Callable[[Builder, str], str]) -> Build:
    """Text recognition: [N, T, C]."""

    def build(width: int) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, 32, 320)), width, k=3, stride=4)
        x = b.op("reshape2", {"X": x}, shape=(-1, width, 640))
        x = b.op("transpose2", {"X": x}, attrs={"axis": (0, 2, 1)}, shape=(-1, 640, width))
        return b.build(fetches=[tail(b, linear(b, x, width, 97, (640,)))])

    return build


def trained(loss: Callable[[Builder, str, str], str], outputs: int = 10) -> Build:
    """A train program whose loss reads the outputs and a label."""

    def build(width: int) -> Program:
        b = Builder()
        y = linear(b, pooled(b, width), width, outputs)
        label = b.feed("label", (-1, outputs))
        b.op("reduce_mean", {"X": loss(b, y, label)}, shape=(1,))
        return b.build()

    return build


def cross_entropy(b: Builder, y: str, label: str) -> str:
    outputs = {"Softmax": "probabilities", "Loss": "terms"}
    return b.op("softmax_with_cross_entropy", {"Logits": y, "Label": label}, outputs, shape=(-1, 1))


def spelled_out(b: Builder, y: str, label: str) -> str:
    """-sum(y * log_softmax(x))"""
    logs = b.op("log_softmax", {"X": y}, attrs={"axis": -1}, shape=(-1, 10))
    terms = b.op("elementwise_mul", {"X": label, "Y": logs}, shape=(-1, 10))
    total = b.op("reduce_sum", {"X": terms}, attrs={"dim": (1,)}, shape=(-1,))
    return b.op("scale", {"X": total}, attrs={"scale": -1.0}, shape=(-1,))


def difference(b: Builder, y: str, label: str) -> str:
    gap = b.op("elementwise_sub", {"X": y, "Y": label}, shape=(-1, 10))
    return b.op("abs", {"X": gap}, shape=(-1, 10))


def in_parts(b: Builder, x: str) -> str:
    """Two attributes of five classes each, of one layer."""
    parts = b.op("reshape2", {"X": x}, attrs={"shape": (-1, 2, 5)}, shape=(-1, 2, 5))
    return b.op("softmax", {"X": parts}, attrs={"axis": -1}, shape=(-1, 2, 5))


def tags(b: Builder, x: str) -> str:
    return b.op("arg_max", {"X": x}, attrs={"axis": -1}, shape=(-1, 640))


def one_op(type: str, slot: str = "Label") -> Callable[[Builder, str, str], str]:
    return lambda b, y, label: b.op(type, {"X": y, slot: label}, shape=(-1, 10))


def nothing(b: Builder, x: str) -> str:
    return x


def complement(b: Builder, x: str, more: float = 0.0) -> str:
    return b.op("scale", {"X": x}, attrs={"scale": -1.0, "bias": 1.0 + more}, shape=(-1, 10))


def focal(b: Builder, y: str, label: str) -> str:
    """Cross entropies times (1 - p): a loss of scores, each on its own."""
    entropy = one_op("sigmoid_cross_entropy_with_logits")(b, y, label)
    rest = complement(b, b.op("sigmoid", {"X": y}, shape=(-1, 10)))
    return b.op("elementwise_mul", {"X": entropy, "Y": rest}, shape=(-1, 10))


def spelled_out_bce(b: Builder, y: str, label: str) -> str:
    """y * log(p) + (1 - y) * log(1 - p), of finite logarithms."""
    p = b.op("sigmoid", {"X": y}, shape=(-1, 10))
    finite = b.op("scale", {"X": p}, attrs={"scale": 1.0, "bias": 1e-7}, shape=(-1, 10))
    terms = []
    for truth, score in ((label, finite), (complement(b, label), complement(b, p, 1e-7))):
        logs = b.op("log", {"X": score}, shape=(-1, 10))
        terms.append(b.op("elementwise_mul", {"X": truth, "Y": logs}, shape=(-1, 10)))
    return b.op("elementwise_add", {"X": terms[0], "Y": terms[1]}, shape=(-1, 10))


def of_the_action(b: Builder, y: str, label: str) -> str:
    """Values of actions: that of the action taken, to be as large as the reward was."""
    taken = b.op("elementwise_mul", {"X": y, "Y": label}, shape=(-1, 10))
    value = b.op("reduce_sum", {"X": taken}, attrs={"dim": (1,)}, shape=(-1,))
    gap = b.op("elementwise_sub", {"X": value, "Y": b.feed("reward", (-1,))}, shape=(-1,))
    return b.op("square", {"X": gap}, shape=(-1,))


def warped(b: Builder, x: str) -> str:
    """The image at the places that a grid, moved by the map, names."""
    moved = b.op("transpose2", {"X": x}, attrs={"axis": (0, 2, 3, 1)}, shape=(-1, -1, -1, 4))
    grid = b.op("elementwise_add", {"X": moved, "Y": b.feed("grid", (-1, -1, -1, 4))},
                shape=(-1, -1, -1, 4))  # fmt: skip
    image = b.op("grid_sampler", {"X": "image", "Grid": grid}, shape=(-1, 3, -1, -1))
    b.op("fetch", {"X": image}, {"Out": "fetch"})
    return x


def dice(b: Builder, y: str, label: str) -> str:
    """How much of the scores of classes lies where the classes are."""
    scores = b.op("softmax", {"X": y}, attrs={"axis": 1}, shape=(-1, 10, -1, -1))
    return b.op("elementwise_mul", {"X": scores, "Y": label}, shape=(-1, 10, -1, -1))


def trained_map(loss: Callable[[Builder, str, str], str]) -> Build:
    """A train program whose loss reads a map of 10 channels and a map of labels."""

    def build(width: int) -> Program:
        b = Builder()
        y = b.conv(b.conv(b.feed("image", (-1, 3, -1, -1)), width, k=3, stride=2), 10)
        terms = loss(b, y, b.feed("label", (-1, 10, -1, -1)))
        b.op("reduce_mean", {"X": terms}, shape=(1,))
        return b.build()

    return build


# What is behind the outputs -> role, loss, weight, and whether nothing is left to doubt.
CASES: dict[str, tuple[Build, str, str, float, bool]] = {
    "softmax": (vector(after("softmax", axis=-1)), "class logits", "soft_label", 1.0, True),
    # It may pick the best of values of actions, of which a softmax would forget the height.
    "arg_max": (vector(picked), "class logits", "relative_l2", 1.0, False),
    "cross entropy": (trained(cross_entropy), "class logits", "soft_label", 1.0, True),
    "log_softmax": (trained(spelled_out), "class logits", "soft_label", 1.0, True),
    "nothing": (vector(nothing), "vector output", "relative_l2", 1.0, False),
    "one number": (vector(nothing, 1), "vector output", "relative_l2", 1.0, False),
    "softmax of one": (vector(after("softmax"), 1), "vector output", "relative_l2", 1.0, False),
    "sigmoid of one": (vector(after("sigmoid"), 1), "binary logits", "binary_kl", 1.0, True),
    "sigmoid": (vector(after("sigmoid")), "multi-label logits", "binary_kl", 1.0, True),
    "bce": (
        trained(one_op("sigmoid_cross_entropy_with_logits")),
        "multi-label logits",
        "binary_kl",
        1.0,
        True,
    ),
    "embedding": (vector(normalised), "embedding", "cosine", 1.0, True),
    "regression": (
        trained(one_op("square_error_cost", "Y")),
        "regression output",
        "relative_l2",
        1.0,
        True,
    ),
    "spelled-out regression": (trained(difference), "regression output", "relative_l2", 1.0, True),
    "tags": (text_lines(tags), "sequence logits", "soft_label", 1.0, True),
    "ctc": (text_lines(after("softmax", axis=2)), "sequence logits", "soft_label", 1.0, True),
    "steps": (text_lines(nothing), "sequence output", "relative_l2", 1.0, False),
    "segmentation": (map_of(picked), "segmentation logits, stride 1", "l2", 0.1, True),
    "softmax map": (
        map_of(after("softmax", axis=1)),
        "segmentation logits, stride 1",
        "l2",
        0.1,
        True,
    ),
    "mask": (map_of(after("sigmoid"), 1), "segmentation logits, stride 1", "binary_kl", 1.0, True),
    "resized map": (map_of(nothing), "segmentation logits, stride 1", "l2", 0.1, False),
    "flow": (map_of(nothing, 2), "map output, stride 1", "relative_l2", 1.0, False),
    "enlarged flow": (
        map_of(after("scale", scale=2.0)),
        "map output, stride 1",
        "relative_l2",
        1.0,
        False,
    ),
    "warped by": (map_of(warped), "map output, stride 2", "relative_l2", 1.0, False),
    "focal loss": (trained(focal), "multi-label logits", "binary_kl", 1.0, True),
    "spelled-out bce": (trained(spelled_out_bce), "multi-label logits", "binary_kl", 1.0, True),
    "value of the action taken": (
        trained(of_the_action),
        "vector output",
        "relative_l2",
        1.0,
        False,
    ),
    "dice": (trained_map(dice), "segmentation logits, stride 2", "l2", 0.1, True),
    "map": (map_of(nothing, up=False), "map output, stride 2", "relative_l2", 1.0, False),
    "heatmaps": (fixed_map, "heatmap logits, stride 2", "relative_l2", 1.0, True),
    "image-like": (map_of(nothing, 3), "restored image, stride 1", "relative_l2", 1.0, False),
    "super-resolution": (shuffled_up, "restored image, stride 1/2", "relative_l2", 1.0, True),
    "ranked": (vector(after("argsort", axis=-1)), "class logits", "relative_l2", 1.0, False),
    "depth": (map_of(stretched, 1), "map output, stride 1", "relative_l2", 1.0, False),
    "restored by a sigmoid": (
        map_of(after("sigmoid"), 3),
        "segmentation logits, stride 1",
        "binary_kl",
        1.0,
        False,
    ),
    "several distributions": (vector(in_parts), "sequence logits", "soft_label", 1.0, True),
    "age": (vector(stretched, 1), "vector output", "relative_l2", 1.0, False),
    "resized scores": (resized_scores, "segmentation logits, stride 2", "l2", 0.1, True),
    "places": (mean_places, "heatmap logits, stride 2", "relative_l2", 1.0, True),
    "noise taken away": (
        lambda width: residual(width, "elementwise_sub"),
        "restored image, stride 1",
        "relative_l2",
        1.0,
        True,
    ),
    "denoising": (residual, "restored image, stride 1", "relative_l2", 1.0, True),
}


@pytest.mark.parametrize("case", CASES)
def test_the_loss_follows_the_use(case: str) -> None:
    build, role, loss, weight, sure = CASES[case]
    (pair,) = find_pairs(build(8), build(16)).pairs
    assert (pair.role, pair.loss, pair.weight) == (role, loss, weight)
    assert (pair.score == 1.0) is sure
    assert any(text.startswith("in doubt: ") for text in pair.evidence) is not sure


@pytest.mark.parametrize("case", CASES)
def test_names_and_order_of_ops_decide_nothing(case: str) -> None:
    build, role, *_ = CASES[case]
    expected = find_pairs(build(8), build(16)).pairs[0]
    for seed in range(3):
        student, _ = rename_all(shuffle_ops(build(8), seed), seed)
        (pair,) = find_pairs(student, build(16)).pairs
        assert (pair.role, pair.evidence, pair.score) == (role, expected.evidence, expected.score)


def test_one_program_tells_what_the_other_leaves_open() -> None:
    """A train program with a softmax cross entropy, and an export that returns the logits."""
    student, teacher = CASES["cross entropy"][0](8), CASES["nothing"][0](16)
    for ours, theirs, side in ((student, teacher, "student"), (teacher, student, "teacher")):
        (pair,) = find_pairs(ours, theirs).pairs
        assert (pair.role, pair.loss, pair.score) == ("class logits", "soft_label", 0.8)
        assert f"in doubt: taken for class logits as the {side}'s is" in pair.evidence


def test_a_softmax_of_one_program_shows_what_an_arg_max_of_the_other_picks_among() -> None:
    student, teacher = CASES["cross entropy"][0](8), CASES["arg_max"][0](16)
    for ours, theirs in ((student, teacher), (teacher, student)):
        (pair,) = find_pairs(ours, theirs).pairs
        assert (pair.role, pair.loss, pair.score) == ("class logits", "soft_label", 0.8)


def test_different_answers_are_no_pair() -> None:
    report = find_pairs(CASES["sigmoid"][0](8), CASES["softmax"][0](8))
    assert not report.pairs
    assert "1 multi-label logits" in report.warnings[0]


def test_soft_label_of_one_channel_is_refused() -> None:
    """Its value is 0.000000 whatever the student does."""
    for case in ("one number", "sigmoid of one"):
        build = CASES[case][0]
        with pytest.raises(UsageError, match="the loss is always 0; use l2"):
            find_pairs(build(8), build(8), loss="soft_label")


def test_soft_label_of_what_is_no_distribution_is_warned_of() -> None:
    build = CASES["embedding"][0]
    report = find_pairs(build(8), build(8), loss="soft_label")
    assert report.pairs[0].loss == "soft_label"
    assert "(embedding) for classes" in report.warnings[-1]


def test_steps_of_sequences_are_not_stretched() -> None:
    def build(length: int) -> Program:
        b = Builder()
        words, table = b.feed("words", (-1, length), "int64"), b.param("table", (100, 8))
        x = b.op("lookup_table_v2", {"Ids": words, "W": table}, shape=(-1, length, 8))
        y = linear(b, x, 8, 5, (length,))
        return b.build(fetches=[b.op("softmax", {"X": y}, shape=(-1, length, 5))])

    assert find_pairs(build(20), build(20)).pairs[0].score == 1.0
    report = find_pairs(build(20), build(40))
    assert not report.pairs and "20 and 40 steps" in report.warnings[0]


def test_a_pooled_convolution_gives_its_flat_logits() -> None:
    """[N, C, 1, 1] has its classes on axis 1, where soft_label would not look."""

    def build(width: int, flat: bool) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2)
        x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, width, 1, 1))
        x = b.conv(x, 10)
        if flat:
            x = b.op("flatten_contiguous_range", {"X": x}, shape=(-1, 10))
        attrs = {"axis": 1}
        return b.build(fetches=[b.op("softmax", {"X": x}, attrs=attrs, shape=(-1, 10))])

    (pair,) = find_pairs(build(8, True), build(16, True)).pairs
    assert (pair.role, pair.student_shape) == ("class logits", (-1, 10))
    (pair,) = find_pairs(build(8, False), build(16, False)).pairs
    assert (pair.role, pair.student_shape, pair.loss) == (
        "class logits", (-1, 10, 1, 1), "soft_label",
    )  # fmt: skip
    report = find_pairs(build(8, True), build(16, False), "decoding_input")
    assert not report.pairs and "the shapes have other axes" in report.warnings[0]


def test_the_first_output_is_the_one_that_counts() -> None:
    """An auxiliary head has the shape of the main one and may stand in front of it or behind."""

    def build(width: int, auxiliary: bool, last: bool = True) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, -1, -1)), width, k=3, stride=2)
        main = b.conv(b.op("relu", {"X": b.conv(x, width)}, shape=(-1, width, -1, -1)), 4)
        heads = [main, b.conv(x, 4)] if auxiliary else [main]
        shape = (-1, 4, -1, -1)
        ups = [
            b.op("bilinear_interp_v2", {"X": y}, attrs={"scale": 2.0}, shape=shape) for y in heads
        ]
        found = [picked(b, y) for y in ups]
        return b.build(fetches=found if last else found[::-1])

    report = find_pairs(build(8, auxiliary=False), build(16, auxiliary=True))
    (pair,) = report.pairs
    assert pair.teacher == "bilinear_interp_v2_0.tmp_0"
    assert "one of 2 candidates, by the order of the outputs" in pair.evidence
    assert (pair.score, len(report.warnings)) == (0.8, 1)
    (pair,) = find_pairs(build(8, auxiliary=False), build(16, auxiliary=True, last=False)).pairs
    assert pair.teacher == "bilinear_interp_v2_1.tmp_0"


@pytest.mark.parametrize(("channels", "kind"), [(1, "map output"), (5, "segmentation logits")])
def test_one_channel_without_a_sigmoid_is_no_class(channels: int, kind: str) -> None:
    """A depth behind a relu, at the size of the image."""

    def build(width: int) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2)
        x = b.op("relu", {"X": b.conv(x, channels)}, shape=(-1, channels, 16, 16))
        attrs = {"out_h": 32, "out_w": 32}
        out = b.op("bilinear_interp_v2", {"X": x}, attrs=attrs, shape=(-1, channels, 32, 32))
        return b.build(fetches=[out])

    (pair,) = find_pairs(build(8), build(16)).pairs
    assert pair.role.partition(",")[0] == kind and pair.score < 1
