"""Static sizes against those that Paddle makes when it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.formats import load_bytes
from graphprobe.ir import Program
from graphprobe.ops.shapes.infer import infer_shapes
from graphprobe.ops.work.count import count_work, gaps_text

pytestmark = pytest.mark.paddle
EXPORTED = Path(__file__).parents[3] / "shared" / "cases" / "exported"


def executed_sizes(main: Any, startup: Any, feed: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Run a program with a ``shape`` op behind every output; the sizes by the names of values."""
    import paddle

    block = main.global_block()
    # Other outputs (masks, statistics, saved shapes) are not made when nothing trains.
    names: dict[str, None] = {}
    for op in list(block.ops):
        for slot in {"Out", "Output", "Y"}.intersection(op.output_names):
            for name in op.output(slot):
                var = block.var(name) if block.has_var(name) else None
                if var is not None and not var.persistable and op.type not in ("feed", "fetch"):
                    names[name] = None
    with paddle.static.program_guard(main):
        sizes = {}
        for name in names:
            made = block.create_var(name=f"{name}@sizes", dtype="int32")
            block.append_op(type="shape", inputs={"Input": [name]}, outputs={"Out": [made.name]})
            sizes[name] = made.name
    executor = paddle.static.Executor(paddle.CPUPlace())
    scope = paddle.static.Scope()
    with paddle.static.scope_guard(scope):
        if startup is not None:
            executor.run(startup)
        found = executor.run(main, feed=feed, fetch_list=list(sizes.values()))
    return {
        name: tuple(int(n) for n in np.asarray(made).reshape(-1))
        for name, made in zip(sizes, found, strict=True)
    }


def built(build: Callable[[Any, Any], Any], shape: list[int]) -> tuple[Any, Any, Program]:
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.utils.unique_name.guard(), paddle.static.program_guard(main, startup):
        out = build(paddle, paddle.static.data("image", shape, "float32"))
        keep = paddle.static.normalize_program(main, [main.global_block().var("image")], [out])
    return main, startup, load_bytes(keep.desc.serialize_to_string(), "test")


def odd_convolutions(paddle: Any, x: Any) -> Any:
    """Strides, dilations, odd pools, ceil_mode, SAME, transposed and grouped convolutions."""
    functional, layers = paddle.nn.functional, paddle.static.nn
    x = layers.conv2d(x, 8, 3, stride=2, padding=1)
    a = functional.max_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)
    b = functional.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)
    x = functional.pad(paddle.concat([a, b], 1), [0, 1, 1, 0])
    x = functional.max_pool2d(x, 2, stride=1)
    x = layers.conv2d(x, 16, 3, padding="SAME", stride=2, groups=16)
    x = layers.conv2d(x, 12, 3, dilation=2, padding=[1, 2])
    x = layers.conv2d_transpose(x, 6, filter_size=4, stride=2, padding=1)
    pooled = functional.adaptive_avg_pool2d(x, 1)
    small = functional.adaptive_avg_pool2d(x, [3, 5])
    return paddle.sum(x * pooled) + paddle.sum(small)


def attention(paddle: Any, x: Any) -> Any:
    """A block of a transformer whose reshapes are computed from the shape of the map."""
    layers = paddle.static.nn
    x = layers.conv2d(x, 24, 4, stride=4)
    n, _, h, w = (paddle.shape(x)[i] for i in range(4))
    tokens = paddle.transpose(paddle.reshape(x, [n, 24, h * w]), [0, 2, 1])
    tokens = layers.layer_norm(tokens, begin_norm_axis=2)
    qkv = layers.fc(tokens, 72, num_flatten_dims=2)
    qkv = paddle.transpose(paddle.reshape(qkv, [n, h * w, 3, 4, 6]), [2, 0, 3, 1, 4])
    q, k, v = paddle.unbind(qkv, 0)
    weights = paddle.nn.functional.softmax(paddle.matmul(q, k, transpose_y=True) * 0.4)
    out = paddle.transpose(paddle.matmul(weights, v), [0, 2, 1, 3])
    out = layers.fc(paddle.reshape(out, [n, -1, 24]), 24, num_flatten_dims=2)
    out = paddle.transpose(out + tokens, [0, 2, 1])
    out = layers.conv2d(paddle.reshape(out, [n, 24, h, w]), 12, 1)
    return paddle.mean(out)


def computed_resize(paddle: Any, x: Any) -> Any:
    """Resized to a size computed from another map, split, gathered and tiled."""
    functional, layers = paddle.nn.functional, paddle.static.nn
    fine = layers.conv2d(x, 8, 3, stride=2, padding=1)
    coarse = layers.conv2d(fine, 8, 3, stride=2, padding=1)
    size = paddle.shape(fine)[2:]
    up = functional.interpolate(coarse, size, mode="bilinear")
    x = layers.conv2d(paddle.concat([fine, up], 1), 10, 3, padding=1)
    a, b = paddle.split(x, [4, 6], 1)
    b = functional.interpolate(b, scale_factor=0.5, mode="nearest")
    b = functional.interpolate(b, paddle.shape(x)[2:] - 1, mode="nearest")
    b = functional.pad(b, [0, 1, 0, 1])
    y = functional.pixel_shuffle(paddle.concat([a, b[:, :4]], 1), 2)
    grid = paddle.arange(0, paddle.shape(y)[3], 1, dtype="int64")
    y = paddle.gather(y, grid[::2], axis=3)
    return paddle.sum(paddle.tile(y, [1, 3, 1, 1])) + paddle.sum(paddle.squeeze(y[:, :, 0:1], 2))


def rounded_resize(paddle: Any, x: Any) -> Any:
    """Resized to a third of the size, computed with floats and rounded up."""
    functional, layers = paddle.nn.functional, paddle.static.nn
    x = layers.conv2d(x, 8, 3, stride=2, padding=1)
    sizes = [paddle.shape(x)[axis].astype("float32") for axis in (2, 3)]
    third = [paddle.ceil(sizes[0] / 3).astype("int32"), paddle.floor(sizes[1] / 3).astype("int32")]
    x = functional.interpolate(x, third, mode="nearest")
    half = [paddle.ceil(n * 0.6 - 0.5).astype("int32") for n in sizes]
    y = layers.conv2d(functional.interpolate(x, half, mode="bilinear"), 4, 3, padding=1)
    return layers.conv2d(y, 4, 3, stride=2, padding=1)


@pytest.mark.parametrize("build", [odd_convolutions, attention, computed_resize, rounded_resize])
@pytest.mark.parametrize("image", [(64, 96), (75, 101), (36, 34)])
def test_every_size_is_what_paddle_makes(build, image):
    main, startup, program = built(build, [-1, 3, -1, -1])
    feed = {"image": np.zeros((1, 3, *image), "float32")}
    executed = executed_sizes(main, startup, feed)
    tensors = infer_shapes(program, image)
    checked = 0
    for op in program.ops:
        for value in program.dataflow.writes(op):
            if value.name in executed:
                assert tensors[value.id].shape == executed[value.name], f"{op.type}: {value.name}"
                checked += 1
    assert checked > 15


def test_products_of_attention_are_counted_apart():
    _, _, program = built(attention, [-1, 3, -1, -1])
    work = count_work(program, (64, 96))
    tokens = 16 * 24
    assert gaps_text(program, work.gaps) == ()
    assert [product.macs for product in work.products] == [4 * tokens * tokens * 6] * 2
    assert [use.positions for use in work.uses] == [tokens] * 4


def test_a_fixed_batch_is_counted_for_one_image():
    one, four = (built(attention, [n, 3, 64, 96])[2] for n in (1, 4))
    for first, other in zip(count_work(one).uses, count_work(four).uses, strict=True):
        assert (first.positions, first.shape) == (other.positions, other.shape)
    assert [p.macs for p in count_work(one).products] == [p.macs for p in count_work(four).products]


@pytest.mark.skipif(not EXPORTED.is_dir(), reason="no exported programs beside the repository")
@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("segformer_b0", (128, 192)),
        ("clas_ShuffleNetV2_x1_0", (128, 128)),
        ("rtdetr_r18vd_6x_coco", None),
    ],
)
def test_exported_programs_have_the_sizes_that_run(name, image):
    import paddle

    paddle.enable_static()
    data = (EXPORTED / f"{name}.pdmodel").read_bytes()
    program = load_bytes(data, name)
    main = paddle.static.deserialize_program(data)
    block = main.global_block()
    for i in reversed(range(len(block.ops))):
        if block.ops[i].type in ("feed", "fetch"):
            block._remove_op(i)
    tensors = infer_shapes(program, image)
    feed = {}
    for value in program.dataflow.values:
        producer = program.dataflow.producer(value)
        if producer is not None and producer.type == "feed":
            shape = tensors[value.id].shape
            assert shape is not None and min(shape) > 0
            feed[value.name] = np.full(shape, 0.5, "float32")
    startup = paddle.static.Program()
    for var in main.list_vars():
        if var.persistable and var.type == paddle.base.core.VarDesc.VarType.LOD_TENSOR:
            made = startup.global_block().create_var(
                name=var.name, shape=var.shape, dtype=var.dtype, persistable=True
            )
            attrs = {"shape": list(var.shape), "dtype": var.dtype, "value": 0.01}
            startup.global_block().append_op(
                type="fill_constant", outputs={"Out": [made]}, attrs=attrs
            )
    executed = executed_sizes(main, startup, feed)
    wrong = [
        (op.type, value.name, tensors[value.id].shape, executed[value.name])
        for op in program.ops
        for value in program.dataflow.writes(op)
        if value.name in executed
        and value.slot in ("Out", "Output", "Y")
        and tensors[value.id].shape != executed[value.name]
    ]
    assert wrong == []
