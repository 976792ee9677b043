"""A dozen small networks of Paddle's own library, looked at as the survey looks at large ones."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import graphprobe

pytestmark = pytest.mark.paddle

SIZES = {"LeNet": (1, 28)}


def vision(name: str, **settings: Any) -> Callable[[], Any]:
    def build() -> Any:
        models = importlib.import_module("paddle.vision.models")
        return getattr(models, name)(num_classes=10, **settings)

    return build


def encoder() -> Any:
    """Two layers of a transformer over patches: all that can be pruned is linear."""
    from paddle import nn

    class Encoder(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2D(3, 24, 16, stride=16)
            layer = nn.TransformerEncoderLayer(24, 3, 48, activation="gelu")
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.head = nn.Linear(24, 10)

        def forward(self, image: Any) -> Any:
            rows = self.patches(image).flatten(2).transpose([0, 2, 1])
            return self.head(self.encoder(rows).mean(1))

    return Encoder()


# What stands in the way of the widths of a transformer is its norms.
REASONS = {"encoder": {"output", "unsupported_op"}}
# name: how it is built, and the most that is left of its multiply-adds at ratio 0.5 under coupled.
NETWORKS: dict[str, tuple[Callable[[], Any], float]] = {
    "mobilenet_v1": (vision("mobilenet_v1", scale=0.25), 0.31),
    "mobilenet_v2": (vision("mobilenet_v2", scale=0.25), 0.36),
    "mobilenet_v3_small": (vision("mobilenet_v3_small", scale=0.5), 0.36),
    "mobilenet_v3_large": (vision("mobilenet_v3_large", scale=0.35), 0.36),
    "shufflenet_v2_x0_25": (vision("shufflenet_v2_x0_25"), 0.45),
    "shufflenet_v2_x0_33": (vision("shufflenet_v2_x0_33"), 0.45),
    "shufflenet_v2_swish": (vision("shufflenet_v2_swish"), 0.33),
    "squeezenet1_0": (vision("squeezenet1_0"), 0.34),
    "squeezenet1_1": (vision("squeezenet1_1"), 0.34),
    "resnet18": (vision("resnet18"), 0.28),
    "LeNet": (vision("LeNet"), 0.36),
    "encoder": (encoder, 0.81),
}


@pytest.fixture(scope="module")
def prove() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
        yield importlib.import_module("tools.survey.prove")


@pytest.mark.parametrize("name", NETWORKS)
def test_every_row_says_why_and_every_group_goes_without_a_trace(
    name: str, tmp_path: Path, prove: Any
) -> None:
    import paddle

    build, most = NETWORKS[name]
    paddle.disable_static()
    paddle.seed(0)
    net = build()
    net.eval()
    channels, side = SIZES.get(name, (3, 64))
    image = paddle.static.InputSpec([None, channels, side, side], "float32", name="image")
    paddle.jit.save(paddle.jit.to_static(net, input_spec=[image]), str(tmp_path / name))
    paddle.enable_static()
    file = str(tmp_path / f"{name}.pdmodel")

    whole = prove.Whole(tmp_path / name, (side, side))
    assert whole.multiply_adds() == whole.claimed()

    found = graphprobe.find_prunable(file, policy="coupled", ratio=0.5)
    blocked = [row for row in (*found.decisions, *found.linears) if row.status == "blocked"]
    assert all(row.reason and row.at and row.path for row in blocked if row.reason != "grouped")
    assert not {row.reason for row in blocked} - REASONS.get(name, {"output", "grouped"})
    assert found.after.flops / found.before.flops <= most
    assert whole.compare(found.to_config().prune) < 1e-5

    pairs = graphprobe.find_pairs(file, file).pairs
    assert pairs
    assert all(pair.student == pair.teacher and pair.evidence for pair in pairs)
