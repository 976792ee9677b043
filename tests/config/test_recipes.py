"""Every recipe in templates/ is a valid config that says how it is run."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from graphprobe.config import load_config

TEMPLATES = Path(str(resources.files("graphprobe_templates")))
RECIPES = sorted(TEMPLATES.rglob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_valid_and_tells_its_command(path: Path) -> None:
    config = load_config(path)
    text = path.read_text()
    assert f"#   graphprobe train {path.name}" in text
    assert "-r auto" in text and "-o train." in text
    assert config.train.reference_batch == (64 if path.stem.startswith("yolov3") else 16)
    assert config.train.reference_batch % config.train.batch_size == 0
    assert config.train.output == f"runs/{path.stem}"
    if not config.train.learning_rate.poly_power:
        assert all(step < config.train.max_iters for step in config.train.learning_rate.milestones)


def test_every_published_run_has_a_recipe() -> None:
    assert {path.stem for path in RECIPES} >= {
        *(f"yolov3_mobilenet_v1_voc_{size}" for size in (608, 416, 320)),
        *(f"yolov3_mobilenet_v1_coco_{size}" for size in (608, 416, 320)),
        "yolov3_mobilenet_v1_voc_pruned",
        "deeplabv3p_mobilenetv2_cityscapes",
        "retinanet_r50_fgd_coco",
        "gfl_r18vd_ld_coco",
    }
