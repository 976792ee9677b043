"""What PaddleSlim makes of filters, held against the installed PaddleSlim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphprobe
from graphprobe.emit import slim_outcomes
from graphprobe.emit.slim import table

pytestmark = pytest.mark.paddle


def test_the_table_is_that_of_the_installed_paddleslim():
    from paddleslim.prune import prune_worker

    known = set(prune_worker.PRUNE_WORKER._module_dict)
    assert known - {"default_worker", *table.OF_TRAINING} == set(table.WORKERS) - set(
        table.UNCHANGED
    )
    assert set(prune_worker.OPS_UNCHANGE_SHAPE) == set(table.UNCHANGED)
    assert set(prune_worker.SKIPPED_OPS) == set(table.PASSED_BY)


def _flat_behind_transpose(x: Any, nn: Any, paddle: Any) -> Any:
    return nn.fc(paddle.flatten(paddle.transpose(x, [0, 2, 3, 1]), 1), 8)


def _map(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A middle that makes a map of 16 channels, in front of another convolution."""

    def build(x: Any, nn: Any, paddle: Any) -> Any:
        y = nn.conv2d(function(x, paddle), 8, 1)
        return nn.fc(paddle.nn.functional.adaptive_avg_pool2d(y, 1), 8)

    return build


def _normed(x: Any, nn: Any, paddle: Any) -> Any:
    return _map(lambda x, _: nn.instance_norm(x))(x, nn, paddle)


def _leaned(x: Any, nn: Any, paddle: Any) -> Any:
    return _map(lambda x, _: nn.prelu(x, "channel"))(x, nn, paddle)


def _depthwise(times: int, k: int = 3) -> Callable[..., Any]:
    def build(x: Any, nn: Any, paddle: Any) -> Any:
        y = nn.conv2d(x, 16 * times, k, padding=k // 2, groups=16)
        return nn.fc(paddle.nn.functional.adaptive_avg_pool2d(y, 1), 8)

    return build


def _upsampled(x: Any, nn: Any, paddle: Any) -> Any:
    y = nn.conv2d_transpose(x, 16, filter_size=2, stride=2, groups=16)
    return nn.fc(paddle.nn.functional.adaptive_avg_pool2d(y, 1), 8)


def _over_width(x: Any, nn: Any, paddle: Any) -> Any:
    weight = paddle.create_parameter([8, 8], "float32")
    return _map(lambda x, _: paddle.matmul(x, weight))(x, nn, paddle)


def _computed(x: Any, nn: Any, paddle: Any) -> Any:
    weight, scale = (paddle.create_parameter(s, "float32") for s in ([8, 16, 1, 1], [8, 1, 1, 1]))
    y = paddle.nn.functional.conv2d(x, weight * scale)
    return nn.fc(paddle.nn.functional.adaptive_avg_pool2d(y, 1), 8)


MIDDLES: dict[str, Callable[..., Any]] = {
    "relu": _map(lambda x, paddle: paddle.nn.functional.relu(x)),
    "silu": _map(lambda x, paddle: x * paddle.nn.functional.sigmoid(x)),
    "erf": _map(lambda x, paddle: x * (paddle.erf(x) + 1)),
    "x / (1 + |x|)": _map(lambda x, paddle: x / (paddle.abs(x) + 1)),
    "largest of a row": _map(lambda x, paddle: x + paddle.max(x, 3, keepdim=True)),
    "mean of a row": _map(lambda x, paddle: x + paddle.mean(x, 3, keepdim=True)),
    "where": _map(lambda x, paddle: paddle.where(x > 0.3, x, x * 0.1)),
    "instance norm": _normed,
    "prelu": _leaned,
    "depthwise": _depthwise(1),
    "two filters a channel": _depthwise(2),
    "depthwise transposed": _upsampled,
    "over the width": _over_width,
    "flatten": lambda x, nn, paddle: nn.fc(paddle.flatten(x, 1), 8),
    "flatten behind transpose": _flat_behind_transpose,
    "to tokens and back": _map(
        lambda x, paddle: paddle.reshape(paddle.flatten(x, 2), [-1, 16, 8, 8])
    ),
    "computed filter": _computed,
}


def _export(build: Callable[..., Any], folder: Path) -> str:
    """An inference model whose first convolution has 16 filters and a bias."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(paddle.static.Scope()):
        with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
            image = paddle.static.data("image", [1, 3, 8, 8], "float32")
            x = paddle.static.nn.conv2d(image, 16, 3, padding=1)
            out = build(x, paddle.static.nn, paddle)
        executor.run(startup)
        prefix = str(folder / "model")
        paddle.static.save_inference_model(prefix, [image], [out], executor, program=main)
    return prefix


def _really(prefix: str, name: str) -> str:
    """What PaddleSlim does with one filter: ``cut``, ``left`` or ``fails``."""
    import paddle
    from paddleslim.prune import Pruner

    executor = paddle.static.Executor(paddle.CPUPlace())
    scope, place = paddle.static.Scope(), paddle.CPUPlace()
    with paddle.static.scope_guard(scope):
        program, feeds, fetches = paddle.static.load_inference_model(prefix, executor)
        shape = np.array(scope.find_var(name).get_tensor()).shape
        try:
            pruned, _, _ = Pruner("l1_norm").prune(program, scope, [name], [0.5], place)
            feed = {feeds[0]: np.ones((1, 3, 8, 8), "float32")}
            executor.run(pruned, feed=feed, fetch_list=[each.name for each in fetches])
        except (AssertionError, LookupError, ValueError, AttributeError, RuntimeError):
            return "fails"
        after = np.array(scope.find_var(name).get_tensor()).shape
    return "cut" if after[0] == shape[0] // 2 else "left"


@pytest.mark.parametrize("middle", MIDDLES)
def test_what_paddleslim_leaves_or_fails_on_is_named(middle, tmp_path):
    prefix = _export(MIDDLES[middle], tmp_path)
    found = graphprobe.find_prunable(f"{prefix}.pdmodel")
    assert found.params
    left, failing = slim_outcomes(found.choice)
    said = {
        name: "left" if name in left else "fails" if name in failing else "cut"
        for name in found.params
    }
    assert said == {name: _really(prefix, name) for name in found.params}
    text = found.emit("act")
    assert all(name in text.partition("ChannelPrune")[0] for name in {**left, **failing})


def test_a_walk_that_stops_leaves_nothing_visited():
    from graphprobe.emit.slim.steps import NotFollowed
    from graphprobe.emit.slim.walk import SlimWalk
    from graphprobe.ir.builder import Builder

    b = Builder()
    x = b.conv(b.feed("x", (-1, 3, 8, 8)), 8, name="a")
    x = b.op("relu", {"X": x}, shape=(-1, 8, 8, 8))
    x = b.op("prelu", {"X": x, "Alpha": b.param("p", (1,))}, shape=(-1, 8, 8, 8))
    walk = SlimWalk(b.build([b.conv(x, 4, name="c")]))
    for _ in range(2):  # were the first's visits kept, the second would pass them by
        with pytest.raises(NotFollowed, match="prelu"):
            walk.cuts("a.w_0")
