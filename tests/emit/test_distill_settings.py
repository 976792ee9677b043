"""The section ``train`` of distill.yaml: as published for the kind of network that it is for."""

from __future__ import annotations

import pytest

from graphprobe.config import TrainSection
from graphprobe.emit.distill import distill_config
from graphprobe.emit.prune import prune_config
from graphprobe.ir import Pair, Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import PairReport
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.ratios import Limits, PruneChoice


def small(*labels: str, size: int = -1) -> tuple[Program, str]:
    """A program with one convolution, and the variable that it writes."""
    b = Builder()
    out = b.conv(b.feed("image", (-1, 3, size, size)), 4)
    for label in labels:
        b.feed(label, (-1, -1), "int32")
    return b.build([out]), out


def settings(rule: str, *labels: str, size: int = -1) -> TrainSection:
    program, name = small(*labels, size=size)
    return settings_of(rule, program, name, (-1, 4, size, size))


def settings_of(rule: str, program: Program, name: str, shape: tuple[int, ...]) -> TrainSection:
    pair = Pair(name, name, shape, shape, "what it is", "l2", 1.0, 1.0, rule)
    return distill_config(PairReport((pair,)), program, program).train


def deeplab() -> tuple[Program, str]:
    b = Builder()
    small = b.conv(b.feed("image", (-1, 3, 769, 769)), 4)
    logits = b.op("bilinear_interp_v2", {"X": small}, {"Out": "logits"}, shape=(-1, 4, 769, 769))
    label = b.feed("label", (-1, 1, 769, 769), "int32")
    inputs = {"Logits": logits, "Label": label}
    loss = b.op("softmax_with_cross_entropy", inputs, {"Loss": "loss"}, attrs={"axis": 1})
    return b.build([loss]), logits


def assert_segmentation(found: TrainSection) -> None:
    assert (found.max_iters, found.reference_batch, found.image_size) == (18600, 16, 769)
    assert (found.learning_rate.poly_power, found.learning_rate.milestones) == (0.9, ())
    assert found.data.train == "digits_seg"


@pytest.mark.parametrize("rule", ["segmentation", "backbone_stages"])
def test_segmentation_gets_the_published_schedule_of_deeplab(rule: str) -> None:
    assert_segmentation(settings_of(rule, *deeplab(), (-1, 4, 769, 769)))


def test_a_cut_of_it_trains_on_with_the_same_schedule() -> None:
    assert_segmentation(cut_settings(deeplab()[0]))


@pytest.mark.parametrize("label", ["anchor_class", "point_class"])
def test_dense_detectors_get_that_of_retinanet(label: str) -> None:
    found = settings("dense_levels", label)
    assert (found.learning_rate.base, found.reference_batch) == (0.01, 16)
    assert found.data.train == "digits"


def test_other_programs_get_the_usual_settings() -> None:
    assert settings("stage_flows", size=64) == TrainSection(image_size=64)


def yolov3() -> tuple[Program, str]:
    b = Builder()
    out = b.conv(b.feed("image", (-1, 3, -1, -1)), 4)
    loss = b.op("yolov3_loss", {"X": out}, {"Loss": "loss"}, shape=(-1,))
    return b.build([loss]), out


def test_yolov3_gets_the_published_schedule_of_eight_devices() -> None:
    found = settings_of("loss_input", *yolov3(), (-1, 4, -1, -1))
    assert (found.max_iters, found.batch_size, found.reference_batch) == (70000, 8, 64)


def cut_settings(program: Program) -> TrainSection:
    choice = PruneChoice(find_prunable(program), PrunePlan(), Limits())
    return prune_config(choice, program, "").train


def test_a_cut_of_yolov3_trains_on_with_the_same_schedule() -> None:
    assert cut_settings(yolov3()[0]).reference_batch == 64
