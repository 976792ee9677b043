"""The survey's checker: it counts what Paddle executes and finds a cut that is not exact."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.paddle

SIZE = (16, 16)


@pytest.fixture(scope="module")
def prove() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
        yield importlib.import_module("tools.survey.prove")


@pytest.fixture(scope="module")
def stem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions, one of them depthwise, and a layer of 5 classes, saved as users do."""
    import paddle
    from paddle import nn

    paddle.disable_static()
    net = nn.Sequential(
        nn.Conv2D(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2D(8),
        nn.ReLU(),
        nn.Conv2D(8, 8, 3, padding=1, groups=8),
        nn.Conv2D(8, 12, 1),
        nn.AdaptiveAvgPool2D(1),
        nn.Flatten(),
        nn.Linear(12, 5),
    )
    net.eval()
    image = paddle.static.InputSpec([None, 3, *SIZE], "float32", name="image")
    target = tmp_path_factory.mktemp("survey") / "small"
    paddle.jit.save(paddle.jit.to_static(net, input_spec=[image]), str(target))
    paddle.enable_static()
    return target


def test_multiply_adds_are_those_of_the_executed_shapes(prove: Any, stem: Path) -> None:
    whole = prove.Whole(stem, SIZE)
    at_stride_2 = 8 * 8
    by_hand = at_stride_2 * (8 * 3 * 9 + 8 * 9 + 12 * 8) + 12 * 5
    assert whole.multiply_adds() == whole.claimed() == by_hand


def test_every_group_is_proven_alone_and_together(prove: Any, stem: Path) -> None:
    found = dict(prove.Whole(stem, SIZE).proofs())
    assert list(found)[-1] == "all together"
    assert len(found) == 3
    assert max(found.values()) < 1e-6


def test_a_cut_that_takes_other_inputs_than_channels_is_found(
    prove: Any, stem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pruned network reads its last layer's rows in another order than its channels."""
    import numpy as np
    import paddle

    def apply_and_swap(program: Any, startup: Any, scope: Any, section: Any) -> None:
        apply_prune(program, startup, scope, section)
        name = next(op for op in program.global_block().ops if op.type == "matmul_v2").input("Y")[0]
        tensor = scope.find_var(name).get_tensor()
        tensor.set(np.array(tensor)[::-1].copy(), paddle.CPUPlace())

    apply_prune = prove.apply_prune
    monkeypatch.setattr(prove, "apply_prune", apply_and_swap)
    assert max(difference for _, difference in prove.Whole(stem, SIZE).proofs()) > 1e-2
