"""What a network of a file is tried on: its outputs, its stored integers, and a smaller image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.paddle


def opened(tmp_path: Path, build: Callable[[Any], Any], side: int = 32) -> Any:
    """The forward part of what a function makes of an image, read from a file."""
    import paddle

    from graphprobe.training.networks.forward import open_forward
    from graphprobe.training.networks.source import Networks

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        build(paddle.static.data("image", [-1, 3, side, side]))
    path = tmp_path / "m.pdmodel"
    path.write_bytes(main.desc.serialize_to_string())
    return open_forward(Networks().source(str(path)))


def conv(x: Any, channels: int, **settings: Any) -> Any:
    import paddle

    return paddle.static.nn.conv2d(x, channels, 3, bias_attr=False, **settings)


def peaks(image: Any) -> tuple[Any, Any]:
    """A heatmap's best places, and the sizes of boxes there."""
    import paddle
    from paddle.nn import functional as F

    x = F.relu(conv(image, 8, padding=1))
    heat, size = F.sigmoid(conv(x, 2, padding=1)), conv(x, 4, padding=1)
    best = F.max_pool2d(heat, 3, 1, 1)
    kept = heat * paddle.cast(paddle.equal(best, heat), "float32")
    score, at = paddle.topk(paddle.flatten(kept, 1), 5)
    rows = paddle.reshape(paddle.transpose(size, [0, 2, 3, 1]), [-1, 4])
    return score, paddle.gather(rows, paddle.reshape(at, [-1]))


def test_answers_are_compared_before_the_best_of_them_are_chosen(tmp_path: Path) -> None:
    found = opened(tmp_path, peaks)
    block = found.program.global_block()
    makers = {n: op.type for op in block.ops for n in op.output_arg_names}
    assert sorted(makers[name] for name in found.outputs) == ["pool2d", "reshape2", "sigmoid"]
    assert sorted(array.shape for array in found.run()) == [
        (1, 2, 32, 32), (1, 2, 32, 32), (1024, 4),
    ]  # fmt: skip


def test_what_layers_make_of_a_choice_is_an_answer(tmp_path: Path) -> None:
    def build(image: Any) -> None:
        import paddle

        x = paddle.flatten(conv(image, 4, padding=1), 2)
        best, _ = paddle.topk(x, 6)
        paddle.static.nn.fc(best, 3)

    found = opened(tmp_path, build)
    assert [array.shape for array in found.run()] == [(1, 3)]


def test_a_table_of_places_names_places_that_are_there(tmp_path: Path) -> None:
    def build(image: Any) -> None:
        import paddle

        index = paddle.static.create_global_var([5], 0, "int64", persistable=True, name="places")
        paddle.index_select(conv(image, 4), index, 1)

    found = opened(tmp_path, build)
    assert found.scope.find_var("places").get_tensor()._dtype().name == "INT64"
    assert [array.shape[1] for array in found.run()] == [5]


def reshaped(image: Any) -> None:
    """A shape of 128 x 128 is written down, while the batch is open."""
    import paddle

    paddle.reshape(conv(image, 4, padding=1), [-1, 2, 2, 128, 128])


def narrowed(image: Any) -> None:
    """Six dilated filters without padding take 96 places, so an image of 96 has none left."""
    for _ in range(6):
        image = conv(image, 4, dilation=8)
    conv(image, 4, stride=2)


@pytest.mark.parametrize("build", [reshaped, narrowed])
def test_an_image_that_cannot_shrink_stays(tmp_path: Path, build: Callable[[Any], Any]) -> None:
    found = opened(tmp_path, build, 128)
    assert found.small() is found


def test_an_image_shrinks_where_it_can(tmp_path: Path) -> None:
    found = opened(tmp_path, lambda image: conv(image, 4), 128)
    small = found.small()
    assert small.batch["image"].shape == (1, 3, 96, 96)
    assert [array.shape for array in small.run()] == [(1, 4, 94, 94)]
    assert np.isfinite(small.run()[0]).all()
