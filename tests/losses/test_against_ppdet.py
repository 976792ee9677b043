"""fgd and ld, and the maps they are fed, against PaddleDetection 2.6.0 on the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.data.target_kinds import Objects, target_kinds
from graphprobe.losses import fgd, ld

pytestmark = [pytest.mark.paddle, pytest.mark.network]

STRIDES = (8, 16, 32, 64, 128)
META = {"downsample": list(STRIDES), "num_classes": 5, "cell_scale": 8, "nearest": 9}
SIZE = 128
Arrays = dict[str, Any]
Reference = Callable[[Path, Arrays], Arrays]
SCRIPT = Path(__file__).with_name("_ppdet_reference.py")
BOXES = (
    [[10.0, 12.5, 60.0, 90.0], [40.0, 40.0, 70.0, 64.0], [90.0, 3.0, 126.0, 47.0]],
    [[5.0, 70.0, 120.0, 127.0]],
)
LABELS = ([1, 4, 2], [3])


def truth() -> Arrays:
    found: Arrays = {"size": np.array(SIZE), "classes": np.array(META["num_classes"])}
    for i, (boxes, labels) in enumerate(zip(BOXES, LABELS, strict=True)):
        found |= {f"boxes{i}": np.array(boxes, "float32"), f"labels{i}": np.array(labels, "int32")}
    return found


def maps_of(kind: str) -> Arrays:
    """The maps of a kind for both pictures."""
    made = []
    for boxes, labels in zip(BOXES, LABELS, strict=True):
        scores = np.ones(len(boxes), "float32")
        objects = Objects(np.array(boxes, "float32"), np.array(labels, "int32"), scores)
        made.append(target_kinds()[kind].make(META, SIZE, objects))
    return {name: np.stack([arrays[name] for arrays in made]) for name in made[0]}


def run(feed: Arrays, build: Callable[[Arrays], Arrays]) -> tuple[Arrays, Arrays]:
    """Values of what is built, and the parameters, which are set to random numbers."""
    import paddle

    paddle.enable_static()
    main, startup, scope = paddle.static.Program(), paddle.static.Program(), paddle.static.Scope()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        inputs = {
            name: paddle.static.data(name, [-1, a.shape[1], -1, -1], "float32")
            for name, a in feed.items()
        }
        built = build(inputs)
    executor.run(startup, scope=scope)
    rng, own = np.random.default_rng(1), {}
    for parameter in main.all_parameters():
        tensor = scope.find_var(parameter.name).get_tensor()
        array = rng.normal(size=tensor.shape()).astype("float32")
        tensor.set(array, paddle.CPUPlace())
        own[parameter.name.removeprefix("context_").removesuffix("_0")] = array
    fetched = executor.run(main, feed=feed, fetch_list=list(built.values()), scope=scope)
    return {name: float(value) for name, value in zip(built, fetched, strict=True)}, own


def test_fgd_is_the_published_modules_with_blocks_that_train(reference: Reference) -> None:
    rng = np.random.default_rng(0)
    features = {side: rng.normal(size=(2, 8, 16, 16)).astype("float32") for side in ("s", "t")}
    maps = maps_of("fgd")
    feed = {**features, "fg": maps["fgd_fg_8"], "bg": maps["fgd_bg_8"]}
    found, own = run(feed, lambda v: fgd.terms(v["s"], v["t"], v["fg"], v["bg"], temperature=0.5))
    given = {**truth(), "student": features["s"], "teacher": features["t"], **own}
    expected = reference(SCRIPT, given)
    assert {f"fgd_{name}": value for name, value in found.items()} == pytest.approx(
        {name: float(value.reshape(-1)[0]) for name, value in expected.items()}, rel=1e-4
    )


def by_level(cells: Any) -> Arrays:
    """[N, M] -> the map ``ld_valuable`` of each level."""
    sides = [-(-SIZE // stride) for stride in STRIDES]
    parts = np.split(cells, np.cumsum([side * side for side in sides])[:-1], axis=1)
    return {
        f"ld_valuable_{stride}": part.reshape(-1, 1, side, side).astype("float32")
        for stride, side, part in zip(STRIDES, sides, parts, strict=True)
    }


def test_ld_is_the_published_head(reference: Reference) -> None:
    """On its valuable region: for the overlap in DIoU it divides by the area of a cell's square."""
    rng = np.random.default_rng(0)
    heads: Arrays = {}
    for i, stride in enumerate(STRIDES):
        side = -(-SIZE // stride)
        for name, width in (("class", META["num_classes"]), ("bins", 68)):
            for who in ("student", "teacher"):
                shape = (2, width, side, side)
                heads[f"{who}_{name}{i}"] = 2 * rng.normal(size=shape).astype("float32")

    def build(v: Arrays) -> Arrays:
        totals: Arrays = {}
        for i, stride in enumerate(STRIDES):
            sides = [[v[f"{who}_class{i}"], v[f"{who}_bins{i}"]] for who in ("student", "teacher")]
            targets = [v[f"ld_main_{stride}"], v[f"ld_valuable_{stride}"]]
            terms = ld.terms(*sides, targets, temperature=10.0, class_temperature=2.0)
            for name, weight in (("main", 0.25), ("valuable", 0.25), ("classes", 10.0)):
                totals[name] = totals.get(name, 0.0) + weight * terms[name]
        return totals

    expected = reference(SCRIPT, {**truth(), **heads})
    region = expected.pop("region")
    ours, theirs = maps_of("ld"), by_level(region)
    found, _ = run({**heads, **ours, **theirs}, build)
    assert {f"ld_{name}": value for name, value in found.items()} == pytest.approx(
        {name: float(value.reshape(-1)[0]) for name, value in expected.items()}, rel=1e-4
    )
    assert min(found.values()) > 0
    # The region of one box may begin elsewhere there, but most cells of both weigh the same.
    pairs = [(ours[n].ravel(), theirs[n].ravel()) for n in theirs]
    mine, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    shared = (mine > 0) & (other > 0)
    assert shared.sum() > 50
    assert np.isclose(mine[shared], other[shared], rtol=1e-4).mean() > 0.9
