"""What a colleague needs beside an exported model: its preparation and labels, for deploy scripts.

Forms: ``infer_cfg.yml`` of PaddleDetection (ppdet/engine/export_utils.py of release/2.8),
``deploy.yaml`` of PaddleSeg (deploy/python/infer.py), and ``inference.yml`` of PaddleX 3, which is
the one or the other with the model's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from graphprobe.config import TrainSection
from graphprobe.data.metrics.names import COCO
from graphprobe.files import write_whole
from graphprobe.training.evaluate import choose_metric
from graphprobe.training.feeding.feeding import make_augmentation
from graphprobe.zoo import Built

# By the start of a bundled model's name: what PaddleDetection calls it, and the least ops of a part
# that it gives to TensorRT.
_ARCHITECTURES = {
    "yolov3": ("YOLO", 3),
    "retinanet": ("RetinaNet", 40),
    "gfl": ("GFL", 16),
    "picodet": ("PicoDet", 3),
    "ppyoloe": ("PPYOLOE", 3),
}
_BILINEAR = 1  # in OpenCV
_HEAD = """\
# {what} of the model beside it, written by graphprobe.
# Images are stretched to {size} x {size} pixels by Pillow's bilinear filter, which takes the mean
# of an area where it shrinks; OpenCV's (interp: 1) does not, so results with it differ.
"""


def write_deploy_settings(
    built: Built,
    section: TrainSection,
    class_names: Sequence[str],
    files: Sequence[Path],
    program: str,
) -> list[Path]:
    """Write them beside the files of a model.

    Args:
        built: the network, for inference.
        section: of the run, for the image size and the metric.
        class_names: by index.
        files: the program, then its parameters.
        program: what was trained, as ``zoo:yolov3_mobilenet_v1?num_classes=3``.

    Returns:
        the files; none for a network that takes no image.
    """
    if built.task not in ("detection", "segmentation"):
        return []
    name = program.removeprefix("zoo:").partition("?")[0].rpartition(":")[2]
    if built.task == "detection":
        found = _detection(built, section, class_names, name)
        own = "infer_cfg.yml"
    else:
        found = _segmentation(built, section, class_names, files)
        own = "deploy.yaml"
    made = {
        own: found,
        "inference.yml": {"Global": {"model_name": name}, **found},
    }
    head = _HEAD.format(what="Preparation and labels", size=section.image_size)
    for file, document in made.items():
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        write_whole(files[0].parent / file, head + text)
    return [files[0].parent / file for file in made]


def _detection(
    built: Built, section: TrainSection, class_names: Sequence[str], name: str
) -> dict[str, Any]:
    arch, least = next(
        (found for start, found in _ARCHITECTURES.items() if name.startswith(start)), (name, 3)
    )
    prepared = make_augmentation(section, built.meta)
    size = section.image_size
    permute: dict[str, Any] = {"type": "Permute"}
    if prepared.bgr:
        permute["to_bgr"] = True
    return {
        "mode": "paddle",
        "draw_threshold": 0.5,
        "metric": "COCO" if choose_metric(section, built.task) == COCO else "VOC",
        "use_dynamic_shape": built.meta.get("size") is None,
        "arch": arch,
        "min_subgraph_size": least,
        "Preprocess": [
            {
                "type": "Resize",
                "interp": _BILINEAR,
                "keep_ratio": False,
                "target_size": [size, size],
            },
            {
                "type": "NormalizeImage",
                "is_scale": True,
                "mean": list(map(float, prepared.mean)),
                "std": list(map(float, prepared.std)),
                "norm_type": "mean_std",
            },
            permute,
        ],
        "label_list": list(class_names),
    }


def _segmentation(
    built: Built, section: TrainSection, class_names: Sequence[str], files: Sequence[Path]
) -> dict[str, Any]:
    prepared = make_augmentation(section, built.meta)
    size = section.image_size
    return {
        "Deploy": {
            "model": files[0].name,
            "params": files[1].name,
            "transforms": [
                {"type": "Resize", "target_size": [size, size]},
                {
                    "type": "Normalize",
                    "mean": list(map(float, prepared.mean)),
                    "std": list(map(float, prepared.std)),
                },
            ],
        },
        "label_list": list(class_names),
    }
