"""The survey's checker: it counts what Paddle executes and finds a pruning that is not exact."""

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
    found, groups = prove.Whole(stem, SIZE).proofs()
    assert (found[-1].name, groups) == ("all together", 2)
    assert len(found) == 3
    assert not any(proof.linear for proof in found)
    assert max(proof.difference for proof in found) < 1e-6


def test_of_a_large_network_a_sample_of_groups_is_proven(
    prove: Any, stem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "ALL_ALONE", 0)
    monkeypatch.setattr(prove, "SAMPLE", 1)
    found, groups = prove.Whole(stem, SIZE).proofs()
    assert (len(found), groups) == (2, 2)
    found, _ = prove.Whole(stem, SIZE).proofs(every=True)
    assert len(found) == 3


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
    found, _ = prove.Whole(stem, SIZE).proofs()
    assert max(proof.difference for proof in found) > 1e-2


def test_the_page_says_what_is_proven_and_what_is_left(prove: Any) -> None:
    """Of two networks one is proven; one of a kind that must get small does not."""
    main = importlib.import_module("tools.survey.__main__")
    kinds = {entry.name: entry for entry in main.entries()}
    figures = {
        "name": "resnet18", "failures": [], "ops": 73, "groups": 12, "alone": 12, "linear": 0,
        "together": 3e-7, "macs_error": 0.0, "seconds_pdf": 1.1, "pairs_self": {"pairs": 1},
        "seeds": {"rows": 20, "prunable": 8, "left": 0.538},
        "coupled": {"rows": 21, "prunable": 20, "left": 0.266, "seconds": 0.5},
    }  # fmt: skip
    wide = {**figures, "failures": ["proof of a: differs by 1"], "linear": 3}
    found = [(kinds["resnet18"], figures), (kinds["det_retinanet_r50_fpn"], wide)]
    text = main.page(found, {"vgg16": "not exported"})
    counts = "| 73 | 21 | 8 | 20 | 0.538 / 0.266 | +0.0% |"
    proofs = "12 of 12 | 3e-07 | 1 / - | 0.5 / 1.1 |"
    assert f"| resnet18 {counts} {proofs}" in text
    assert "2 networks. All groups alone and all of them together are proven on\n1, linear" in text
    assert "13 proofs in all,\n0 of them" in text
    assert "- vgg16: not exported" in text
    assert list(main.beyond(*found[1])) == []
    wide["coupled"] = {**figures["coupled"], "left": 0.635}
    (said,) = main.beyond(*found[1])
    assert said.startswith("coupled: 0.635 of the multiply-adds left")
