"""Linear layers are pruned by rows and columns, attention by whole heads: held against numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.config import PruneConfig
from graphprobe.emit import prune_config
from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.ratios import choose

pytestmark = pytest.mark.paddle

DIM, HEADS, TOKENS, HIDDEN, CLASSES = 24, 4, 9, 96, 5
SIZE = DIM // HEADS


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with one encoder block and a head, on patches of 4 x 4 of a picture of 12 x 12."""
    import paddle
    import paddle.nn.functional as F  # noqa: N812 - paddle's own name for it

    paddle.enable_static()
    program = paddle.static.Program()

    def linear(x: Any, size: int, name: str) -> Any:
        names = {"weight_attr": f"{name}.w", "bias_attr": f"{name}.b"}
        return paddle.static.nn.fc(x, size, num_flatten_dims=2, **names)

    def norm(x: Any, name: str) -> Any:
        names = {"param_attr": f"{name}.w", "bias_attr": f"{name}.b"}
        return paddle.static.nn.layer_norm(x, begin_norm_axis=2, **names)

    def split(x: Any) -> Any:
        return paddle.transpose(paddle.reshape(x, [0, 0, HEADS, SIZE]), [0, 2, 1, 3])

    with paddle.static.program_guard(program, paddle.static.Program()):
        image = paddle.static.data("image", [-1, 3, 12, 12])
        x = paddle.static.nn.conv2d(image, DIM, 4, 4, param_attr="patch.w", bias_attr="patch.b")
        x = paddle.transpose(paddle.reshape(x, [0, DIM, TOKENS]), [0, 2, 1])
        y = norm(x, "n1")
        q, k, v = (split(linear(y, DIM, name)) for name in "qkv")
        scores = paddle.matmul(paddle.scale(q, SIZE**-0.5), k, transpose_y=True)
        z = paddle.transpose(paddle.matmul(F.softmax(scores), v), [0, 2, 1, 3])
        x = x + linear(paddle.reshape(z, [0, 0, DIM]), DIM, "out")
        x = x + linear(F.gelu(linear(norm(x, "n2"), HIDDEN, "up")), DIM, "down")
        linear(x, CLASSES, "head")
    path = tmp_path_factory.mktemp("transformer") / "model.pdmodel"
    path.write_bytes(program.desc.serialize_to_string())
    return str(path)


@pytest.fixture(scope="module")
def config(transformer: str) -> PruneConfig:
    program = load_program(transformer)
    return prune_config(choose(find_prunable(program, "coupled"), 0.5), program, "x")


def in_numpy(weights: Mapping[str, Any], image: Any) -> Any:
    """The network's output, with as many heads and hidden channels as the weights have."""

    def linear(x: Any, name: str) -> Any:
        return x @ weights[f"{name}.w"] + weights[f"{name}.b"]

    def norm(x: Any, name: str) -> Any:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * weights[f"{name}.w"] + weights[f"{name}.b"]

    patches = image.reshape(-1, 3, 3, 4, 3, 4).transpose(0, 2, 4, 1, 3, 5).reshape(-1, TOKENS, 48)
    x = patches @ weights["patch.w"].reshape(DIM, 48).T + weights["patch.b"]
    q, k, v = (linear(norm(x, "n1"), name) for name in "qkv")
    mixed = []
    for start in range(0, q.shape[-1], SIZE):
        a, b, c = (t[..., start : start + SIZE] for t in (q, k, v))
        scores = np.exp(a @ b.transpose(0, 2, 1) / math.sqrt(SIZE))
        mixed.append(scores / scores.sum(-1, keepdims=True) @ c)
    x = x + linear(np.concatenate(mixed, -1), "out")
    y = linear(norm(x, "n2"), "up")
    y = y * 0.5 * (1 + np.vectorize(math.erf)(y / math.sqrt(2)))
    return linear(x + linear(y, "down"), "head")


def without(weights: Mapping[str, Any], plan: PrunePlan) -> dict[str, Any]:
    """The weights that are left: rows and columns of whole heads, and of hidden channels."""
    gone = {group.leader: set(group.parts[0].removed or ()) for group in plan.groups}
    heads = [i * SIZE + j for i in range(HEADS) if i not in gone["q.w"] for j in range(SIZE)]
    hidden = [i for i in range(HIDDEN) if i not in gone["up.w"]]
    left = dict(weights)
    for name in "qkv":
        left |= {
            f"{name}.w": weights[f"{name}.w"][:, heads],
            f"{name}.b": weights[f"{name}.b"][heads],
        }
    left |= {"out.w": weights["out.w"][heads], "down.w": weights["down.w"][hidden]}
    return left | {"up.w": weights["up.w"][:, hidden], "up.b": weights["up.b"][hidden]}


def test_the_cut_transformer_is_the_one_that_numpy_computes(config: PruneConfig) -> None:
    from graphprobe.training.networks.forward import open_forward
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.cutter import apply_prune
    from graphprobe.training.runtime.programs import get_values, state_shapes

    whole = open_forward(Networks().source(config.student.program))
    weights = get_values(whole.scope, state_shapes(whole.program))
    image = whole.batch["image"]
    np.testing.assert_allclose(whole.run()[0], in_numpy(weights, image), rtol=1e-3, atol=1e-5)

    plan = apply_prune(whole.program, None, whole.scope, config.prune).plan
    assert plan.channels == {"q.w": (HEADS, HEADS // 2), "up.w": (HIDDEN, HIDDEN // 2)}
    left = without(weights, plan)
    held = get_values(whole.scope, state_shapes(whole.program))
    assert held.keys() == left.keys()
    for name, value in left.items():
        np.testing.assert_array_equal(held[name], value, err_msg=name)
    np.testing.assert_allclose(whole.run()[0], in_numpy(left, image), rtol=1e-3, atol=1e-5)


def test_each_group_is_proven(config: PruneConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphprobe.training.pruning.proof import TOLERANCE, check_prune

    report = check_prune(config, prove=True)
    assert report.passed and [row.conv for row in report.groups] == ["q.w", "up.w"]
    assert all(row.difference is not None and row.difference < TOLERANCE for row in report.groups)
    monkeypatch.setattr(PrunePlan, "removed_inputs", lambda _: iter(()))
    assert not check_prune(
        config, prove=True
    ).passed  # nothing masked: a pruning changes the outputs


def test_a_file_keeps_its_bytes(config: PruneConfig) -> None:
    from graphprobe.training.pruning.proof import check_prune

    before = Path(config.student.program).read_bytes()
    check_prune(config)
    assert Path(config.student.program).read_bytes() == before
