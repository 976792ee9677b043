"""Pairs -> the slim YAML of PaddleDetection 2.x, for its tools/train.py --slim_config.

Source: PaddleDetection 2.6, ppdet/slim/__init__.py, distill_model.py, distill_loss.py and
configs/slim/distill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from graphprobe.emit.emitter import PairEmitter
from graphprobe.errors import UsageError
from graphprobe.ir import Pair, Program
from graphprobe.losses import find_loss
from graphprobe.pairing.find import PairReport
from graphprobe.zoo import parse_zoo

Section = dict[str, Any]
_MODELS = "https://paddledet.bj.bcebos.com/models/"


@dataclass(frozen=True, slots=True)
class Published:
    """The config of a bundled model in PaddleDetection 2.6, under configs/, and its weights."""

    config: str
    weights: str


PUBLISHED = {
    name: Published(f"{folder}/{file}.yml", f"{_MODELS}{file}.pdparams")
    for name, folder, file in (
        ("yolov3_mobilenet_v1", "yolov3", "yolov3_mobilenet_v1_270e_coco"),
        ("yolov3_r34", "yolov3", "yolov3_r34_270e_coco"),
        ("retinanet_r50", "retinanet", "retinanet_r50_fpn_2x_coco"),
        ("retinanet_r101", "retinanet", "retinanet_r101_fpn_2x_coco"),
        ("gfl_r18vd", "gfl", "gfl_r18vd_1x_coco"),
        ("gfl_r101vd", "gfl", "gfl_r101vd_fpn_mstrain_2x_coco"),
        ("picodet_xs", "picodet", "picodet_xs_416_coco_lcnet"),
        ("picodet_s", "picodet", "picodet_s_416_coco_lcnet"),
        ("picodet_m", "picodet", "picodet_m_416_coco_lcnet"),
        ("picodet_l", "picodet", "picodet_l_640_coco_lcnet"),
        *((f"ppyoloe_{size}", "ppyoloe", f"ppyoloe_crn_{size}_300e_coco") for size in "smlx"),
    )
}
# LD is a loss of the student's head, so its config is another.
_LD_STUDENT = {"gfl_r18vd": "gfl/gfl_slim_ld_r18vd_1x_coco.yml"}
# What makes a student's config the teacher's. A whole config would bring its schedule along.
_BACKBONES: dict[str, Section] = {
    "gfl_r101vd": {
        "depth": 101,
        "variant": "d",
        "norm_type": "bn",
        "freeze_at": 0,
        "return_idx": [1, 2, 3],
        "num_stages": 4,
    }
}


def ppdet_text(report: PairReport, student: Program, teacher: Program) -> str:
    """The YAML with comments on where it belongs and what is left to fill in.

    Raises:
        UsageError: PaddleDetection has no such distillation.
    """
    losses = list(dict.fromkeys(pair.loss for pair in report.pairs))
    if len(losses) != 1 or losses[0] not in METHODS:
        names = " or ".join(f"loss={name!r}" for name in METHODS)
        hint = f"use {names}, emit='python', or graphprobe's own trainer"
        raise UsageError(
            f"PaddleDetection's slim has no loss {' and '.join(losses)}",
            where="emit='ppdet'",
            hint=hint,
        )
    section = {**_teacher(student, teacher), "slim": "Distill", **METHODS[losses[0]](report.pairs)}
    head = _head(student, losses[0], known=_published(teacher) is not None)
    return head + yaml.safe_dump(section, sort_keys=False, width=96)


def _name(program: Program) -> str:
    """Of a bundled model; empty for other programs."""
    source = program.origin.source
    return parse_zoo(source).name if source.startswith("zoo:") else ""


def _published(program: Program) -> Published | None:
    return PUBLISHED.get(_name(program))


def _teacher(student: Program, teacher: Program) -> Section:
    found, base = _published(teacher), _published(student)
    if found is None:
        return {"_BASE_": ["TEACHER.yml"], "pretrain_weights": "TEACHER.pdparams"}
    backbone = _BACKBONES.get(_name(teacher))
    if backbone is None or base is None:
        return {"_BASE_": [f"../../{found.config}"], "pretrain_weights": found.weights}
    return {
        "_BASE_": [f"../../{base.config}"],
        "pretrain_weights": found.weights,
        "ResNet": backbone,
    }


def _head(student: Program, loss: str, *, known: bool) -> str:
    config, found = "STUDENT.yml", _published(student)
    if found is not None:
        config = found.config
        if loss == "ld":
            config = _LD_STUDENT.get(_name(student), "STUDENT.yml")
    lines = [
        "PaddleDetection 2.x, to be saved in its folder configs/slim/distill:",
        f"python tools/train.py -c configs/{config} --slim_config configs/slim/distill/THIS.yml",
    ]
    if not known:
        lines.append("TEACHER.yml and TEACHER.pdparams: the config and weights of your teacher.")
    if config == "STUDENT.yml":
        lines.append("STUDENT.yml: the config of your student.")
    if loss == "ld":
        lines.append("The student's config has the head LDGFLHead, which holds the loss's weights.")
    return "".join(f"# {line}\n" for line in lines)


def _fgd(pairs: Sequence[Pair]) -> Section:
    """One loss module a level; the names are labels, the order is from fine to coarse."""
    widths = {(pair.student_shape[1], pair.teacher_shape[1]) for pair in pairs}
    weights = {pair.weight for pair in pairs}
    if len(widths) > 1 or len(weights) > 1:
        raise UsageError(
            "the levels differ in channels or weight, and PaddleDetection's FGD has one for all",
            where="emit='ppdet'",
            hint="use graphprobe's own trainer",
        )
    ((ours, theirs),) = widths
    options = find_loss("fgd").options
    return {
        "slim_method": "FGD",
        "distill_loss": "FGDFeatureLoss",
        "distill_loss_name": [f"neck_f_{i}" for i in reversed(range(len(pairs)))],
        "FGDFeatureLoss": {
            "student_channels": ours,
            "teacher_channels": theirs,
            "loss_weight": weights.pop(),
            "temp": options["temperature"],
            "alpha_fgd": options["foreground"],
            "beta_fgd": options["background"],
            "gamma_fgd": options["attention"],
            "lambda_fgd": options["relation"],
        },
    }


def _ld(pairs: Sequence[Pair]) -> Section:
    """The targets hold the valuable region; strides are those of the pairs."""
    strides = sorted({pair.stride for pair in pairs if pair.stride is not None})
    target = {"downsample_ratios": strides, "grid_cell_scale": 8, "compute_vlr_region": True}
    steps = [{"PadBatch": {"pad_to_stride": 32}}, {"Gt2GFLTarget": target}]
    return {"slim_method": "LD", "TrainReader": {"batch_transforms": steps}}


def _yolo(pairs: Sequence[Pair]) -> Section:
    return {"distill_loss": "DistillYOLOv3Loss", "DistillYOLOv3Loss": {"weight": pairs[0].weight}}


METHODS: dict[str, Callable[[Sequence[Pair]], Section]] = {
    "fgd": _fgd,
    "ld": _ld,
    "yolo_fine_grained": _yolo,
}


EMITTER = PairEmitter("ppdet", "the slim YAML of PaddleDetection 2.x", ppdet_text)
