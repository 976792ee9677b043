"""Before and after: what is gone, new, narrower between two versions of a program."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import combinations
from pathlib import Path

import pypdf
import pytest

import graphprobe
from graphprobe.drawing import render
from graphprobe.drawing.diff.align import align
from graphprobe.drawing.diff.changes import Diff, compare
from graphprobe.drawing.diff.common_run import common_pairs
from graphprobe.drawing.diff.drawing import make_diff
from graphprobe.drawing.graph import item_graph
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.wall import make_wall
from graphprobe.errors import UsageError
from graphprobe.ir import Op, Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.programs import load_program


def diff_of(before: Program, after: Program) -> Diff:
    return compare(item_graph(before), item_graph(after))


def kinds(diff: Diff, side: int) -> dict[str, str]:
    """The filter or variable of every op that differs by itself -> the kind of change."""
    found = {}
    for at, item in enumerate(diff.graphs[side].items):
        change = diff.changes[side][at]
        if item.op is not None and change.kind != "same" and diff.counts_for(side, at):
            found[item.op.input("Filter") or item.name] = change.kind
    return found


def without(program: Program, gone: set[int]) -> Program:
    """A program without some ops that have one input that matters: their readers read that."""
    block = program.blocks[0]
    source: dict[str, str] = {}
    ops: list[Op] = []
    for op in block.ops:
        slots = {s: tuple(source.get(n, n) for n in names) for s, names in op.inputs.items()}
        if op.id in gone:
            source.update(dict.fromkeys(op.output_names(), slots["X"][0]))
        else:
            ops.append(replace(op, id=len(ops), inputs=slots))
    fetches = tuple(source.get(name, name) for name in program.fetches)
    return replace(program, blocks=(replace(block, ops=tuple(ops)),), fetches=fetches)


def pruned(program: Program, path: str, ratio: float = 0.5) -> Program:
    """The program with the shapes of parameters that pruning every group leaves."""
    plan = graphprobe.find_prunable(path, policy="coupled", ratio=ratio).choice.plan
    shapes = {v.name: v.shape for v in program.parameters if v.shape is not None}
    after = plan.shapes_after(shapes)
    block = program.blocks[0]
    variables = {n: replace(v, shape=after[n]) if n in after else v for n, v in block.vars.items()}
    return replace(program, blocks=(replace(block, vars=variables), *program.blocks[1:]))


@pytest.mark.parametrize("seed", range(4))
def test_names_and_order_make_no_difference(resnet: Program, seed: int) -> None:
    other = shuffle_ops(rename_all(resnet, seed)[0], seed)
    assert diff_of(resnet, other).is_empty


@pytest.mark.parametrize("name", ["mobilenet_v1_p1.x", "yolov3_p1.8", "ssd_mobilenet_v1_p2.2",
                                  "deeplabv3p_p2.2"])  # fmt: skip
def test_a_pruned_program_is_narrower_where_shapes_say_so(
    program_files: dict[str, Path], name: str
) -> None:
    path = str(program_files[name])
    before = load_program(path)
    after = pruned(before, path)
    convs = [op for op in before.ops if op.input("Filter")]
    wanted = {
        op.input("Filter")
        for op in convs
        if before.shape(op.input("Filter")) != after.shape(op.input("Filter"))
    }
    assert len(wanted) > 3
    diff = diff_of(before, after)
    found = kinds(diff, 0)
    assert {n for n in found if n.endswith(("w_0", "weights"))} == wanted
    assert set(found.values()) == {"narrower"}
    assert set(kinds(diff_of(after, before), 1).values()) == {"wider"}


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_dropped_ops_are_gone_and_inserted_ones_new(resnet: Program, count: int, seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - not for secrets
    ids = [op.id for op in resnet.ops if op.type in ("relu", "batch_norm")]
    gone = set(pick.sample(ids, count))
    names = {resnet.ops[i].output("Out") or resnet.ops[i].output("Y") for i in gone}
    shorter = without(resnet, gone)
    for before, after, side, kind in (
        (resnet, shorter, 0, "gone"),
        (shorter, resnet, 1, "new"),
    ):
        diff = diff_of(before, after)
        assert kinds(diff, side) == dict.fromkeys(names, kind)
        assert diff.counts() == {kind: count}


def test_a_dropped_op_is_found_without_names(resnet: Program) -> None:
    (softmax,) = [op.id for op in resnet.ops if op.type == "softmax"]
    (pool,) = [op.id for op in resnet.ops if op.type == "pool2d"]
    other = rename_all(without(resnet, {softmax}), 1)[0]
    assert diff_of(resnet, other).counts() == {"gone": 1}
    assert diff_of(resnet, rename_all(without(resnet, {pool}), 1)[0]).counts() == {"gone": 1}


def head(build: Callable[[Builder, str], str]) -> Program:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 16, 16)), 8, k=3, name="stem")
    return b.build([b.conv(build(b, x), 4, name="head")])


def test_types_attributes_and_sources_that_change_are_named() -> None:
    relu = head(lambda b, x: b.op("relu", {"X": x}, shape=(-1, 8, 16, 16)))
    swish = head(lambda b, x: b.op("hard_swish", {"X": x}, shape=(-1, 8, 16, 16)))
    diff = diff_of(relu, swish)
    (change,) = [c for c in diff.changes[0] if c.kind != "same"]
    assert (change.kind, change.words) == ("changed", ("relu → hard_swish",))

    def pool(size: int) -> Program:
        attrs = {"ksize": (size, size), "pooling_type": "max"}
        return head(lambda b, x: b.op("pool2d", {"X": x}, attrs=attrs, shape=(-1, 8, 8, 8)))

    (change,) = [c for c in diff_of(pool(2), pool(3)).changes[1] if c.kind != "same"]
    assert (change.kind, change.words) == ("changed", ("ksize [2, 2] → [3, 3]",))


def test_a_shortcut_from_elsewhere_is_moved() -> None:
    def network(late: bool) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 8, 8, 8)), 8, k=3, name="a")
        y = b.conv(x, 8, k=5, name="b")
        z = b.conv(y, 8, k=1, name="c")
        add = b.op("elementwise_add", {"X": z, "Y": y if late else x}, shape=(-1, 8, 8, 8))
        return b.build([b.op("relu", {"X": add}, shape=(-1, 8, 8, 8))])

    diff = diff_of(network(False), network(True))
    moved = [diff.graphs[1].items[i].op for i, c in enumerate(diff.changes[1]) if c.kind == "moved"]
    assert [op.type for op in moved if op is not None] == ["elementwise_add"]
    assert diff.counts() == {"moved": 1}


def longest(a: list[int], b: list[int]) -> int:
    """By trying every part of the shorter sequence."""
    for size in range(min(len(a), len(b)), 0, -1):
        parts = set(combinations(b, size))
        if any(part in parts for part in combinations(a, size)):
            return size
    return 0


@pytest.mark.parametrize("seed", range(20))
def test_common_pairs_against_every_part(seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - not for secrets
    a, b = ([pick.randrange(4) for _ in range(pick.randrange(9))] for _ in range(2))
    pairs = common_pairs(a, b)
    assert [a[i] for i, _ in pairs] == [b[j] for _, j in pairs]
    assert all(p < q and r < s for (p, r), (q, s) in zip(pairs, pairs[1:], strict=False))
    assert len(pairs) == longest(a, b)


def test_common_pairs_of_long_sequences_follow_the_edits() -> None:
    pick = random.Random(0)  # noqa: S311 - not for secrets
    a = [pick.randrange(30) for _ in range(6000)]
    b = [x for x in a if pick.random() > 0.1]
    pairs = common_pairs(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert len(pairs) > 0.95 * len(b)


def test_matching_is_one_to_one(resnet: Program) -> None:
    ids = [op.id for op in resnet.ops if op.type in ("relu", "batch_norm")]
    other = without(resnet, set(ids[2:20:5]))
    there = [b for b in align(item_graph(resnet), item_graph(other)) if b is not None]
    assert len(there) == len(set(there))


def test_both_versions_have_the_same_stages(resnet: Program) -> None:
    ids = {op.id for op in resnet.ops if op.type == "relu"}
    drawing = make_diff(resnet, without(resnet, set(sorted(ids)[2:9:3])))
    before, after = (side.fold.levels["stage"] for side in drawing.sides)
    assert len(before.dag) == len(after.dag)
    version = drawing.sides[1].version
    assert version is not None
    assert version.stages == list(range(len(before.dag)))


def test_the_drawing_says_what_differs(program_files: dict[str, Path]) -> None:
    path = str(program_files["mobilenet_v1_p1.x"])
    before = load_program(path)
    ids = [op.id for op in before.ops if op.type == "relu"]
    after = without(pruned(before, path), set(ids[3:5]))
    drawing = make_diff(before, after)
    content = render(drawing, "x.pdf")
    text = " ".join(p.extract_text() for p in pypdf.PdfReader(BytesIO(content)).pages)
    text = " ".join(text.split())
    assert "before and after by stages: 2 gone" in text
    assert "gone: only before" in text
    assert "narrower: fewer channels than before" in text
    assert "what differs: 2 gone" in text
    sizes = [side.figures.size for side in drawing.sides]
    assert sizes[0] is not None and sizes[1] is not None
    assert f"{sizes[1].params / sizes[0].params - 1:+.0%} parameters" in text
    for suffix in ("svg", "png", "html", "dot", "graphml"):
        assert render(make_diff(before, after), f"x.{suffix}")


def test_what_does_not_differ_is_left_out(resnet: Program) -> None:
    (softmax,) = [op.id for op in resnet.ops if op.type == "softmax"]
    drawing = make_diff(resnet, without(resnet, {softmax}))
    notes = [note for page in make_book(drawing) for note in page.notes]
    assert any("stages without a difference" in note for note in notes)
    assert make_wall(make_diff(resnet, resnet)).heading.endswith("no difference in structure")


def test_a_diff_is_of_two_versions_and_nothing_else(program_files: dict[str, Path]) -> None:
    path = program_files["mobilenet_v1_p1.x"]
    with pytest.raises(UsageError, match="compares two versions"):
        graphprobe.draw(path, diff=path, teacher=path)
    with pytest.raises(UsageError, match="a diff has no such figures"):
        graphprobe.draw(path, diff=path, color_by="latency")
    assert graphprobe.draw(path, diff=path).drawing.diff.is_empty  # type: ignore[union-attr]


def test_a_diff_is_coloured_on_one_scale(program_files: dict[str, Path]) -> None:
    """The scale is that of the stages as both versions are folded."""
    path = program_files["mobilenet_v1_p1.x"]
    drawing = graphprobe.draw(path, diff=path, color_by="params").drawing
    assert drawing is not None
    one, two = drawing.sides
    assert one.overlay is two.overlay and one.overlay.key == "params"
    most = max(sum(one.figures.params.get(op.id, 0) for op in ops) for ops in one.view("stage").ops)
    assert one.overlay.tops["stage"] == most > 0
