"""What pruning costs an exported program, measured by labels where the data have fitting ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .conftest import prepared

pytestmark = pytest.mark.paddle
Classifier = Callable[..., Path]
NAMES = ("blue", "green", "red")  # folders are sorted


def pruned_accuracy(model: Path, data: Path, ratio: float) -> float:
    """Top-1 accuracy in Paddle alone, without the filters of the least norms."""
    import paddle

    paddle.enable_static()
    scope, executor = paddle.static.Scope(), paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(scope):
        program, feeds, fetches = paddle.static.load_inference_model(
            str(model / "inference"), executor
        )
        filters = np.array(scope.find_var("conv2d_0.w_0").get_tensor())
        weights = scope.find_var("fc_0.w_0").get_tensor()
        norms = np.abs(filters).sum(axis=(1, 2, 3))
        values = np.array(weights)
        values[np.argsort(norms)[: int(ratio * len(norms))]] = 0  # what reads them
        weights.set(values, paddle.CPUPlace())
        right = []
        for path in sorted((data / "val").glob("*/*.png")):
            feed = {feeds[0]: prepared(Image.open(path))}
            (scores,) = executor.run(program, feed=feed, fetch_list=fetches)
            right.append(NAMES[int(scores.argmax())] == path.parent.name)
    return float(np.mean(right))


def measured(model: Path, data: str, record: Path, **words: Any) -> tuple[Any, list[str]]:
    import graphprobe

    said: list[str] = []
    found = graphprobe.sensitivity(
        str(model), data=data, output=record, device="cpu", progress=said.append, **words
    )
    return found, said


def test_labels_measure_what_each_pruning_costs(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    model = classifier(tmp_path / "m", seed=3)
    ratios = (0.25, 0.5, 0.75)
    data = f"folder:{classes}?split=val"
    found, said = measured(model, data, tmp_path / "s.json", ratios=ratios)
    record = found.record
    assert record.measured.metric == "top1"
    assert any(line.startswith("measured by labels: top-1 accuracy of ") for line in said)
    assert record.baseline == pytest.approx(pruned_accuracy(model, classes, 0))
    (group,) = record.groups
    expected = [pruned_accuracy(model, classes, ratio) for ratio in ratios]
    assert [point.value for point in group.points] == pytest.approx(expected)
    assert found.about()[0].startswith("top-1 accuracy unpruned ")


def test_other_classes_leave_agreement_with_itself(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    model = classifier(tmp_path / "m", count=5)
    found, said = measured(model, f"folder:{classes}", tmp_path / "s.json", ratios=(0.5,))
    assert found.record.measured.metric == "agreement"
    (why,) = [line for line in said if line.startswith("labels do not measure ")]
    assert why.endswith("; agreement with the unpruned program does")
    assert found.about()[0].startswith("agreement with the unpruned program unpruned 1.0000 on ")


def test_outputs_that_are_equal_for_all_images_are_a_result(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    """Filters that no image passes are left: the pruned network gives all images the same."""
    import paddle

    model = classifier(tmp_path / "m")
    paddle.enable_static()
    scope, executor = paddle.static.Scope(), paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(scope):
        program, feeds, fetches = paddle.static.load_inference_model(
            str(model / "inference"), executor
        )
        tensor, bias = (scope.find_var(f"conv2d_0.{n}").get_tensor() for n in ("w_0", "b_0"))
        filters, offsets = np.array(tensor), np.array(bias)
        filters[0] = 9.0  # the largest norm
        offsets[0] = -1e6
        tensor.set(filters, paddle.CPUPlace())
        bias.set(offsets, paddle.CPUPlace())
        feed = [program.global_block().var(name) for name in feeds]
        path = str(model / "inference")
        paddle.static.save_inference_model(path, feed, fetches, executor, program=program)
    found, _ = measured(model, f"images:{classes}", tmp_path / "s.json", ratios=(0.9,))
    (group,) = found.record.groups
    (point,) = group.points
    assert point.kept == 1 and 0 <= point.value < 1
