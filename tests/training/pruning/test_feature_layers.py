"""Transformers, mixers and ConvNeXt, built and executed by Paddle: cut is masked, head by head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphprobe.config import PruneSection
from graphprobe.ir import Program
from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import PruneChoice, choose

pytestmark = pytest.mark.paddle

Network = Callable[[Any], Any]


def tokens(x: Any, width: int) -> Any:
    """[N, 3, 16, 16] -> [N, 16, width]."""
    import paddle

    x = paddle.nn.Conv2D(3, width, 4, stride=4)(x)
    return x.flatten(2).transpose([0, 2, 1])


def head(x: Any, width: int) -> Any:
    import paddle

    return paddle.nn.Linear(width, 5)(paddle.nn.LayerNorm(width)(x).mean(axis=1))


def mlp(x: Any, width: int, hidden: int) -> Any:
    import paddle

    y = paddle.nn.functional.gelu(paddle.nn.Linear(width, hidden)(x))
    return paddle.nn.Linear(hidden, width)(y)


def attention(x: Any, width: int, heads: int, *, fused: bool) -> Any:
    """As ViT (one layer for queries, keys and values; an open batch), or with three layers."""
    import paddle

    count, size = 16, width // heads
    batch = paddle.shape(x)[0]
    if fused:
        qkv = paddle.nn.Linear(width, 3 * width)(x)
        qkv = qkv.reshape([batch, count, 3, heads, size]).transpose([2, 0, 3, 1, 4])
        q, k, v = qkv[0], qkv[1], qkv[2]
    else:
        q, k, v = (
            paddle.nn.Linear(width, width)(x).reshape([0, 0, heads, size]).transpose([0, 2, 1, 3])
            for _ in range(3)
        )
    weights = paddle.nn.functional.softmax(paddle.matmul(q, k, transpose_y=True) * size**-0.5)
    if not fused:
        table = paddle.static.create_parameter([7, heads], "float32")
        places = paddle.arange(count * count, dtype="int64") % 7
        bias = paddle.index_select(table, places, axis=0)
        bias = bias.reshape([count, count, heads]).transpose([2, 0, 1]).unsqueeze(0)
        weights = paddle.nn.functional.softmax(weights + bias)
    y = paddle.matmul(weights, v).transpose([0, 2, 1, 3]).reshape([batch, count, width])
    return paddle.nn.Linear(width, width)(y)


def vit(x: Any, *, fused: bool = True) -> Any:
    import paddle

    x = tokens(x, 24)
    for _ in range(2):
        x = x + attention(paddle.nn.LayerNorm(24)(x), 24, 4, fused=fused)
        x = x + mlp(paddle.nn.LayerNorm(24)(x), 24, 48)
    return head(x, 24)


def mixer(x: Any) -> Any:
    import paddle

    x = tokens(x, 12)
    for _ in range(2):
        y = paddle.nn.LayerNorm(12)(x).transpose([0, 2, 1])
        x = x + mlp(y, 16, 20).transpose([0, 2, 1])
        x = x + mlp(paddle.nn.LayerNorm(12)(x), 12, 28)
    return head(x, 12)


def convnext(x: Any) -> Any:
    import paddle

    x = paddle.nn.Conv2D(3, 12, 4, stride=4)(x)
    for _ in range(2):
        y = paddle.nn.Conv2D(12, 12, 3, padding=1, groups=12)(x).transpose([0, 2, 3, 1])
        y = mlp(paddle.nn.LayerNorm(12)(y), 12, 48)
        gamma = paddle.static.create_parameter([12], "float32")
        x = x + (gamma * y).transpose([0, 3, 1, 2])
    return paddle.nn.Linear(12, 5)(paddle.nn.LayerNorm(12)(x.mean(axis=[2, 3])))


NETWORKS: dict[str, tuple[Network, int]] = {
    # How many fully connected layers lead a group.
    "vit": (vit, 4),
    "vit with three layers and a table": (lambda x: vit(x, fused=False), 4),
    "mixer": (mixer, 4),
    "convnext": (convnext, 2),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Program, int]:
    """A file of the network, the program, and how many fully connected layers lead."""
    import paddle

    build, leaders = NETWORKS[request.param]
    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        image = paddle.static.data("image", [-1, 3, 16, 16])
        out = build(image)
    pruned = main.clone(for_test=True)._prune_with_input(["image"], [out.name])
    path = tmp_path / "network.pdmodel"
    path.write_bytes(pruned.desc.serialize_to_string())
    return str(path), load_program(str(path)), leaders


def half(program: Program) -> PruneChoice:
    return choose(find_prunable(program, "coupled"), 0.5)


def test_hidden_widths_and_heads_lead(network):
    _, program, leaders = network
    found = find_prunable(program, "coupled")
    assert sum(d.status == "prunable" for d in found.linears) == leaders
    assert not find_prunable(program, "seeds").linears
    assert not found.unsupported


def test_cut_is_masked_group_by_group_and_all_together(network):
    from graphprobe.training.networks.forward import open_forward
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.proof import Proof

    path, program, _ = network
    section = PruneSection.of(half(program).plan).model_copy(update={"engine": "own"})
    proof = Proof(open_forward(Networks().source(path)), section)
    (whole,) = proof.forward.run()
    assert abs(whole).max() > 1e-3  # the network says something
    for i in range(len(section.groups)):
        assert proof.difference(i) < 1e-5
    assert proof.compare(section) < 1e-5


def test_the_smaller_network_has_whole_heads_and_less_work(network):
    _, program, _ = network
    choice = half(program)
    for group in choice.groups:
        for part in group.parts:
            made = {axis.width for axis in part.axes if axis.role == "out"}
            assert made in ({1}, {6})
    assert choice.after.params < 0.75 * choice.before.params


def test_classes_that_are_handed_on_are_proven_by_what_they_are_picked_from(tmp_path):
    import paddle

    from graphprobe.training.networks.forward import open_forward
    from graphprobe.training.networks.source import Networks

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        image = paddle.static.data("image", [-1, 3, 8, 8])
        logits = paddle.nn.Conv2D(3, 4, 1)(image)
        out = paddle.scale(paddle.argmax(logits, axis=1), 1.0)
    path = tmp_path / "classes.pdmodel"
    pruned = main.clone(for_test=True)._prune_with_input(["image"], [out.name])
    path.write_bytes(pruned.desc.serialize_to_string())
    assert open_forward(Networks().source(str(path))).outputs == (logits.name,)
