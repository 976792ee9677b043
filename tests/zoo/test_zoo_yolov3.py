"""YOLOv3: the published names, shapes and counts, and that the programs run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import LoadError
from graphprobe.ir import Program
from graphprobe.programs import load_program
from graphprobe.zoo import Built, build_zoo, parse_zoo, zoo_bytes

pytestmark = pytest.mark.paddle

STUDENT, TEACHER = "zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34"
TINY = "scale=0.05&num_classes=3"
Programs = Callable[[str], Program]
Models = Callable[[str], Built]


def _types(program: Program) -> Counter[str]:
    return Counter(op.type for op in program.ops)


def _shapes(program: Program) -> dict[str, tuple[int, ...] | None]:
    return {var.name: var.shape for var in program.parameters}


def _train_feed(size: int, batch: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    boxes = np.zeros((batch, 50, 4), "float32")
    boxes[:, 0] = [0.5, 0.4, 0.3, 0.6]
    return {
        "image": rng.random((batch, 3, size, size), dtype="float32"),
        "gt_bbox": boxes,
        "gt_class": np.full((batch, 50), 2, "int32"),
        "gt_score": (boxes[:, :, 2] > 0).astype("float32"),
    }


@pytest.mark.parametrize(
    ("model", "parameters", "plain", "depthwise", "ops"),
    [(STUDENT, 241, 37, 13, 161), (TEACHER, 291, 60, 0, 204)],
)
def test_counts(
    program: Programs, model: str, parameters: int, plain: int, depthwise: int, ops: int
) -> None:
    found = program(model)
    types = _types(found)
    assert len(found.parameters) == parameters
    assert (types["conv2d"], types["depthwise_conv2d"]) == (plain, depthwise)
    assert types["yolov3_loss"] == 3
    assert len(found.ops) == ops


@pytest.mark.parametrize(
    ("model", "heads"),
    [
        (STUDENT, ["conv2d_20.tmp_1", "conv2d_28.tmp_1", "conv2d_36.tmp_1"]),
        (TEACHER, ["conv2d_6.tmp_1", "conv2d_14.tmp_1", "conv2d_22.tmp_1"]),
    ],
)
def test_the_published_variables_meet_the_losses(
    program: Programs, built: Models, model: str, heads: list[str]
) -> None:
    found = program(model)
    losses = [op for op in found.ops if op.type == "yolov3_loss"]
    assert [op.input("X") for op in losses] == heads == built(model).meta["heads"]
    assert [op.get_int("downsample_ratio") for op in losses] == [32, 16, 8]
    assert all(found.shape(name) == (-1, 75, -1, -1) for name in heads)


def test_parameters_have_the_published_names_and_shapes(program: Programs) -> None:
    student, teacher = _shapes(program(STUDENT)), _shapes(program(TEACHER))
    assert (
        student.items()
        >= {
            "conv1_weights": (32, 3, 3, 3),
            "conv1_bn_scale": (32,),
            "conv2_1_dw_weights": (32, 1, 3, 3),
            "conv2_1_sep_weights": (64, 32, 1, 1),
            "conv2_1_sep_bn_variance": (64,),
            "conv5_6_sep_weights": (1024, 512, 1, 1),
            "conv6_sep_bn_offset": (1024,),
        }.items()
    )
    assert (
        teacher.items()
        >= {
            "conv1_weights": (64, 3, 7, 7),
            "bn_conv1_mean": (64,),
            "res2a_branch1_weights": (64, 64, 1, 1),
            "res2a_branch2a_weights": (64, 64, 3, 3),
            "bn2a_branch2a_offset": (64,),
            "res3a_branch1_weights": (128, 64, 1, 1),
            "res4f_branch2b_weights": (256, 256, 3, 3),
            "bn5c_branch2b_variance": (512,),
        }.items()
    )
    for shapes in (student, teacher):
        assert (
            shapes.items()
            >= {
                "yolo_block.0.0.1.conv.weights": (1024, 512, 3, 3),
                "yolo_block.1.1.0.bn.var": (256,),
                "yolo_block.2.tip.conv.weights": (256, 128, 3, 3),
                "yolo_output.0.conv.weights": (75, 1024, 1, 1),
                "yolo_output.2.conv.bias": (75,),
                "yolo_transition.1.bn.mean": (128,),
            }.items()
        )
    assert student["yolo_block.0.0.0.conv.weights"] == (512, 1024, 1, 1)
    assert teacher["yolo_block.0.0.0.conv.weights"] == (512, 512, 1, 1)
    assert student["yolo_block.1.0.0.conv.weights"] == (256, 512 + 256, 1, 1)


def test_the_head_is_that_of_a_real_program(program: Programs, shared_models: Path) -> None:
    """The head of a YOLOv3 of Paddle 1.8 with another backbone and number of classes."""
    real = load_program(str(shared_models / "yolov3_darknet53_p1.8"))
    ours = program(f"{STUDENT}?mode=infer&num_classes=1")

    def head(found: Program) -> dict[str, tuple[int, ...] | None]:
        heads = ("yolo_block", "yolo_output", "yolo_transition")
        return {name: shape for name, shape in _shapes(found).items() if name.startswith(heads)}

    def outputs(found: Program, kind: str) -> list[str | None]:
        return [op.output("Out") for op in found.ops if op.type.removesuffix("_v2") == kind]

    # DarkNet-53 and MobileNetV1 give the head maps of the same 256, 512 and 1024 channels.
    assert head(ours) == head(real)
    assert outputs(ours, "nearest_interp") == outputs(real, "nearest_interp")
    boxes = [[op for op in found.ops if op.type == "yolo_box"] for found in (ours, real)]
    assert [op.output("Boxes") for op in boxes[0]] == [op.output("Boxes") for op in boxes[1]]
    assert [op.get_ints("anchors") for op in boxes[0]] == [
        op.get_ints("anchors") for op in boxes[1]
    ]


def test_the_backbone_is_that_of_a_real_program(program: Programs, shared_models: Path) -> None:
    real = load_program(str(shared_models / "mobilenet_v1_p1.x"))
    ours = program(f"{STUDENT}?mode=infer&num_classes=1")
    shapes = _shapes(ours)
    assert {
        name: shape for name, shape in _shapes(real).items() if not name.startswith("fc")
    }.items() <= shapes.items()
    first = next(op for op in real.ops if op.type == "relu")
    assert first.output("Out") == next(op for op in ours.ops if op.type == "relu").output("Out")


def test_names_do_not_depend_on_what_was_built_before() -> None:
    spec = parse_zoo(f"{TEACHER}?{TINY}")
    first, second = build_zoo(spec), build_zoo(spec)
    assert first.meta == second.meta
    assert [v.name for v in first.main.list_vars()] == [v.name for v in second.main.list_vars()]


def test_what_is_added_later_takes_no_name_twice() -> None:
    import paddle

    found = build_zoo(parse_zoo(f"{STUDENT}?{TINY}"))
    block = found.main.global_block()
    names = set(block.vars)
    with paddle.static.program_guard(found.main, found.startup):
        more = block.var(found.loss) * 2.0 + 1.0
    assert more.name not in names
    assert more.op.input("X")[0] not in names


def test_norms_and_the_student_backbone_are_free_of_weight_decay(built: Models) -> None:
    def decays(model: str) -> dict[str, bool]:
        """Whether the optimizer's weight decay reaches a parameter."""
        params = built(model).main.all_parameters()
        return {p.name: p.regularizer is None for p in params if p.trainable}

    student, teacher = decays(STUDENT), decays(TEACHER)
    heads = {"yolo_block.0.2.conv.weights", "yolo_output.0.conv.weights"}
    assert {name for name, on in student.items() if on} >= heads
    assert all(name.startswith("yolo_") for name, on in student.items() if on)
    assert teacher["res2a_branch2a_weights"] and not teacher["bn2a_branch2a_scale"]
    assert not student["yolo_block.0.2.bn.scale"] and not student["yolo_output.0.conv.bias"]


def test_feeds_and_meta(built: Models) -> None:
    model = built(f"{STUDENT}?{TINY}&size=96")
    assert model.feeds == (
        ("image", (-1, 3, 96, 96), "float32"),
        ("gt_bbox", (-1, 50, 4), "float32"),
        ("gt_class", (-1, 50), "int32"),
        ("gt_score", (-1, 50), "float32"),
    )
    assert model.meta["num_classes"] == 3
    assert model.meta["size"] == 96
    assert model.meta["anchor_masks"] == [[6, 7, 8], [3, 4, 5], [0, 1, 2]]
    assert len(model.meta["anchors"]) == 9
    assert model.meta["downsample"] == [32, 16, 8]


@pytest.mark.parametrize("model", [STUDENT, TEACHER])
def test_a_few_steps_of_training_lower_the_loss(built: Models, run: Any, model: str) -> None:
    found = built(f"{model}?{TINY}")
    assert found.loss is not None
    (before,) = run(found, _train_feed(96), [found.loss])
    (after,) = run(found, _train_feed(96), [found.loss], steps=8)
    assert np.isfinite(before) and np.isfinite(after)
    assert after < before


@pytest.mark.parametrize("model", [STUDENT, TEACHER])
@pytest.mark.parametrize("size", [96, 320])
def test_boxes_come_out(built: Models, run: Any, model: str, size: int) -> None:
    found = built(f"{model}?{TINY}&mode=infer")
    feed = {
        "image": _train_feed(size)["image"],
        "im_size": np.array([[100, 200], [50, 60]], "int32"),
    }
    boxes, counts = run(found, feed, [found.outputs["bbox"], found.outputs["bbox_num"]])
    assert boxes.shape[1] == 6
    assert counts.sum() == len(boxes) > 0
    first = boxes[: counts[0]]
    assert set(first[:, 0]) <= {0, 1, 2}
    assert ((first[:, 1] >= 0.01) & (first[:, 1] <= 1)).all()
    # Left and top end at 0, right and bottom at the picture's last column and row.
    assert first[:, 2:4].min() >= 0 and first[:, 4].max() <= 199 and first[:, 5].max() <= 99


def test_an_infer_program_carries_its_feeds_and_fetches(program: Programs) -> None:
    found = program(f"{STUDENT}?mode=infer")
    assert found.feeds == ("image", "im_size")
    assert len(found.fetches) == 2
    assert _types(found)["multiclass_nms3"] == 1
    assert program(f"{STUDENT}?mode=eval").feeds == ("image", "im_size")


def test_the_bytes_name_no_folder_of_this_machine() -> None:
    content = zoo_bytes(f"{STUDENT}?{TINY}&mode=infer")
    assert str(Path(__file__).resolve().parents[2]).encode() not in content
    assert b"op_callstack" not in content


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{STUDENT}?size=100", "take size=96"),
        ("zoo:deeplabv3p_mobilenetv2?fine_grained=true", "has no option fine_grained"),
        ("zoo:deeplabv3p_mobilenetv2?num_classes=1", "take 2 to 255"),
    ],
)
def test_what_a_model_refuses(text: str, says: str) -> None:
    with pytest.raises(LoadError) as caught:
        zoo_bytes(text)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{text}: ")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(LoadError, match="no mode 'test'"):
        build_zoo(parse_zoo(STUDENT), "test")
