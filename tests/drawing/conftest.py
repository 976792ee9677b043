"""Small programs to draw, shuffled programs, and a headless browser."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graphprobe.drawing import Marks, make_drawing, render
from graphprobe.ir import Pair, Program, PruneDecision, Site
from graphprobe.ir.builder import Builder

Shuffle = Callable[[Program, int], Program]


def conv_bn_relu(
    b: Builder, x: str, filters: int, k: int = 3, stride: int = 1, **more: object
) -> str:
    """A convolution with its norm and activation."""
    x = b.conv(x, filters, k=k, stride=stride, **more)  # type: ignore[arg-type]
    shape = b._shape(x)
    scale, bias = b.param(f"{x}.scale", (filters,)), b.param(f"{x}.bias", (filters,))
    x = b.op("batch_norm", {"X": x, "Scale": scale, "Bias": bias}, {"Y": f"{x}.bn"}, {}, shape)
    return b.op("relu", {"X": x}, shape=shape)


def residual(b: Builder, x: str, filters: int) -> str:
    """Two convolutions and a shortcut."""
    y = conv_bn_relu(b, conv_bn_relu(b, x, filters), filters)
    return b.op("elementwise_add", {"X": y, "Y": x}, shape=b._shape(y))


@pytest.fixture(scope="session")
def shared_cases(shared_models: Path) -> Path:
    """Exported models of PaddleDetection, PaddleSeg and PaddleClas."""
    path = shared_models.parent / "cases"
    if not path.is_dir():
        pytest.skip(f"no {path}")
    return path


@pytest.fixture
def resnet() -> Program:
    """A stem, two stages of residual blocks, and a classifier."""
    b = Builder()
    x = conv_bn_relu(b, b.feed("image", (-1, 3, 32, 32)), 8)
    for filters in (8, 16):
        x = conv_bn_relu(b, x, filters, stride=2)
        for _ in range(3):
            x = residual(b, x, filters)
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, 16, 1, 1))
    weight = b.param("fc.w", (16, 10))
    x = b.op("mul", {"X": x, "Y": weight}, shape=(-1, 10))
    x = b.op("softmax", {"X": x}, shape=(-1, 10))
    return b.build([x])


@pytest.fixture
def student_and_teacher(resnet: Program, tmp_path: Path) -> Path:
    """A page of two programs with a pair and a blocked convolution."""
    convs = [op for op in resnet.ops if op.type == "conv2d"]
    out = convs[4].output("Output") or ""
    path = tuple(op.output("Output") or "" for op in convs[1:4])
    param = convs[1].input("Filter") or ""
    decision = PruneDecision(
        param, convs[1].id, "conv2d", (8, 8, 3, 3), 1, "blocked", "concat", Site(3, "concat"), path,
        detail="its channels meet a concat",
    )  # fmt: skip
    pair = Pair(out, out, (), (), "feature, stride 2", "l2", 1.0, 1.0, "rule", ("same place",))
    found = tmp_path / "both.html"
    marks = Marks({param: decision})
    drawing = make_drawing(resnet, resnet, marks=marks, pairs=[pair], level="stage")
    found.write_bytes(render(drawing, found.name))
    return found


def shuffle(program: Program, seed: int) -> Program:
    """The same program with its ops in another order, each still after what it reads."""
    pick = random.Random(seed)  # noqa: S311 - not for secrets
    block = program.blocks[0]
    written = {name for op in block.ops for name in op.output_names()}
    waiting, done, order = list(block.ops), set[str](), []
    while waiting:
        ready = [o for o in waiting if all(n in done or n not in written for n in o.input_names())]
        op = pick.choice(ready)
        waiting.remove(op)
        order.append(op)
        done.update(op.output_names())
    ops = tuple(replace(op, id=at) for at, op in enumerate(order))
    names = list(block.vars)
    pick.shuffle(names)
    variables = {name: block.vars[name] for name in names}
    return replace(program, blocks=(replace(block, ops=ops, vars=variables), *program.blocks[1:]))


@pytest.fixture
def shuffled() -> Shuffle:
    """Reorder the ops and variables of a program of one block in which no op writes in place."""
    return shuffle


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium; the test skips where none is installed."""
    path = Path(__file__).with_name("_browser.py")
    spec = importlib.util.spec_from_file_location("graphprobe_test_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.find()
    if found is None:
        pytest.skip("needs Chromium or Chrome (or GRAPHPROBE_BROWSER) to drive the page")
    made = module.Browser(found, tmp_path_factory.mktemp("browser"))
    yield made
    made.close()
