"""The slim YAML of PaddleDetection: what it says, and that its own loader takes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from graphprobe.emit import find_prune_emitter
from graphprobe.emit.pair_emitters.ppdet import ppdet_text
from graphprobe.emit.pair_emitters.python import python_text
from graphprobe.errors import UsageError
from graphprobe.ir import Origin, Pair, Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import PairReport
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import PruneChoice, choose


def program(source: str) -> Program:
    return Program((), (), (), Origin(source))


def pairs(loss: str, widths: tuple[int, int] = (256, 256), weight: float = 1.0) -> PairReport:
    """Pairs of five levels, from the coarsest."""
    parts = {"ld": ("class", "distribution"), "fgd": ("",), "l2": ("",)}
    shapes = [(-1, width, -1, -1) for width in widths]
    return PairReport(
        tuple(
            Pair(
                f"s{stride}{part}", f"t{stride}{part}", shapes[0], shapes[1], "level", loss, weight,
                1.0, "rule", part=f"{i}.{part}" if part else "", stride=stride,
            )
            for i, stride in enumerate((128, 64, 32, 16, 8))
            for part in parts.get(loss, ("x",))
        )
    )  # fmt: skip


RETINA = program("zoo:retinanet_r50?scale=1"), program("zoo:retinanet_r101")
GFL = program("zoo:gfl_r18vd"), program("zoo:gfl_r101vd")
FILES = program("student/model.pdmodel"), program("teacher/model.pdmodel")


def test_fgd_is_the_published_file_but_for_the_default_of_one_weight() -> None:
    text = ppdet_text(pairs("fgd"), *RETINA)
    assert "python tools/train.py -c configs/retinanet/retinanet_r50_fpn_2x_coco.yml" in text
    assert yaml.safe_load(text) == {
        "_BASE_": ["../../retinanet/retinanet_r101_fpn_2x_coco.yml"],
        "pretrain_weights": "https://paddledet.bj.bcebos.com/models/retinanet_r101_fpn_2x_coco.pdparams",
        "slim": "Distill",
        "slim_method": "FGD",
        "distill_loss": "FGDFeatureLoss",
        "distill_loss_name": [f"neck_f_{i}" for i in (4, 3, 2, 1, 0)],
        "FGDFeatureLoss": {
            "student_channels": 256,
            "teacher_channels": 256,
            "loss_weight": 1.0,
            "temp": 0.5,
            "alpha_fgd": 0.001,
            "beta_fgd": 0.0005,
            "gamma_fgd": 0.001,
            "lambda_fgd": 0.000005,
        },
    }


def test_ld_is_the_published_file() -> None:
    text = ppdet_text(pairs("ld"), *GFL)
    assert "-c configs/gfl/gfl_slim_ld_r18vd_1x_coco.yml" in text
    found = yaml.safe_load(text)
    assert found["_BASE_"] == ["../../gfl/gfl_r18vd_1x_coco.yml"]
    assert found["pretrain_weights"].endswith("/gfl_r101vd_fpn_mstrain_2x_coco.pdparams")
    assert (found["slim"], found["slim_method"]) == ("Distill", "LD")
    assert (found["ResNet"]["depth"], found["ResNet"]["variant"]) == (101, "d")
    assert found["TrainReader"]["batch_transforms"] == [
        {"PadBatch": {"pad_to_stride": 32}},
        {
            "Gt2GFLTarget": {
                "downsample_ratios": [8, 16, 32, 64, 128],
                "grid_cell_scale": 8,
                "compute_vlr_region": True,
            }
        },
    ]


def test_yolo_is_the_published_file() -> None:
    sides = program("zoo:yolov3_mobilenet_v1"), program("zoo:yolov3_r34")
    found = yaml.safe_load(ppdet_text(pairs("yolo_fine_grained", weight=1000.0), *sides))
    assert found["_BASE_"] == ["../../yolov3/yolov3_r34_270e_coco.yml"]
    assert found["distill_loss"] == "DistillYOLOv3Loss"
    assert found["DistillYOLOv3Loss"] == {"weight": 1000.0}
    assert "slim_method" not in found


def test_what_only_the_user_knows_is_named() -> None:
    text = ppdet_text(pairs("fgd", (96, 256), 2.0), *FILES)
    assert "TEACHER.yml and TEACHER.pdparams: the config and weights of your teacher." in text
    assert "STUDENT.yml: the config of your student." in text
    found = yaml.safe_load(text)
    assert found["_BASE_"] == ["TEACHER.yml"]
    settings = found["FGDFeatureLoss"]
    assert (settings["student_channels"], settings["teacher_channels"]) == (96, 256)
    assert settings["loss_weight"] == 2.0


def test_what_it_has_not_is_refused() -> None:
    with pytest.raises(
        UsageError, match="no loss l2; use loss='fgd' or loss='ld' or loss='yolo_fine_grained'"
    ):
        ppdet_text(pairs("l2"), *RETINA)
    found = pairs("fgd")
    other = replace(found.pairs[0], student_shape=(-1, 128, -1, -1))
    with pytest.raises(UsageError, match="differ in channels"):
        ppdet_text(PairReport((other, *found.pairs[1:])), *RETINA)


@pytest.mark.parametrize("loss", ["fgd", "ld"])
def test_a_script_has_no_maps_of_boxes(loss: str) -> None:
    with pytest.raises(UsageError, match=f"{loss} is fed maps.*emit=.ppdet"):
        python_text(pairs(loss), *RETINA)


CODE = """
import json, sys
import numpy  # before paddle: scipy after paddle alone crashes
import paddle
from ppdet.core.workspace import create, load_config
import ppdet.slim
cfg = load_config(sys.argv[1])
found = {"slim": cfg.slim, "method": cfg.get("slim_method")}
found["architecture"] = cfg.get("architecture")
found["depth"] = cfg["ResNet"]["depth"] if "ResNet" in cfg else None
if cfg.get("distill_loss"):
    loss = create(cfg.distill_loss)
    found["loss"] = type(loss).__name__
    found["values"] = {k: v for k, v in vars(loss).items() if isinstance(v, float)}
if cfg.slim == "Pruner":
    pruner = create(cfg.slim)
    found["pruner"] = [pruner.criterion, pruner.pruned_params, pruner.pruned_ratios]
print(json.dumps(found))
"""


@pytest.mark.paddle
@pytest.mark.network
def test_its_own_loader_takes_them(tmp_path: Path, ppdet: Path) -> None:
    """Its package comes without configs, so the ones that the files build on stand in for them."""
    bases = {
        "retinanet/retinanet_r101_fpn_2x_coco": "architecture: RetinaNet\nResNet: {depth: 101}\n",
        "gfl/gfl_r18vd_1x_coco": "architecture: GFL\nResNet: {depth: 18}\n",
        "yolov3/yolov3_r34_270e_coco": "architecture: YOLOv3\nResNet: {depth: 34}\n",
    }
    for name, text in bases.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / f"{name}.yml").write_text(text)
    folder = tmp_path / "slim" / "distill"
    folder.mkdir(parents=True)
    yolo = program("zoo:yolov3_mobilenet_v1"), program("zoo:yolov3_r34")

    def loaded(text: str) -> dict[str, Any]:
        (folder / "this.yml").write_text(text)
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(folder / "this.yml")],
            env={**os.environ, "PYTHONPATH": str(ppdet)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    found = loaded(ppdet_text(pairs("fgd", weight=2.0), *RETINA))
    assert (found["method"], found["architecture"], found["loss"]) == (
        *("FGD", "RetinaNet"),
        "FGDFeatureLoss",
    )
    values = {"alpha_fgd": 1e-3, "beta_fgd": 5e-4, "gamma_fgd": 1e-3, "lambda_fgd": 5e-6}
    assert found["values"].items() >= {**values, "loss_weight": 2.0, "temp": 0.5}.items()
    found = loaded(ppdet_text(pairs("ld"), *GFL))
    assert (found["method"], found["architecture"], found["depth"]) == ("LD", "GFL", 101)
    found = loaded(ppdet_text(pairs("yolo_fine_grained", weight=1000.0), *yolo))
    assert (found["loss"], found["values"]) == ("DistillYOLOv3Loss", {"loss_weight": 1000.0})
    found = loaded(find_prune_emitter("ppdet").text(*cut()))
    assert found["pruner"] == ["l1_norm", ["conv2d_0.w_0"], [0.5]]


def cut() -> tuple[PruneChoice, str]:
    """Half of the one filter that can be cut."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), 8, k=3)
    out = b.conv(b.op("relu", {"X": x}, shape=(-1, 8, 32, 32)), 4)
    return choose(find_prunable(b.build(fetches=[out]), "seeds"), 0.5), ""


def test_a_prune_choice_has_one_text_under_two_names() -> None:
    text = find_prune_emitter("ppdet").text(*cut())
    assert text == find_prune_emitter("ppdet2x").text(*cut())
    found = yaml.safe_load(text)
    assert found["slim"] == "Pruner"
    assert found["Pruner"]["pruned_params"] == ["conv2d_0.w_0"]
