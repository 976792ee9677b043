"""Run in a process of its own: what PaddleDetection's modules make of the arrays of a file.

Called as ``python _ppdet_reference.py IN.npz OUT.npz`` with PaddleDetection on PYTHONPATH.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import paddle
from ppdet.data.transform.batch_operators import Gt2GFLTarget
from ppdet.modeling.heads.fcos_head import FCOSFeat
from ppdet.modeling.heads.gfl_head import LDGFLHead
from ppdet.modeling.losses import (
    DistributionFocalLoss,
    GIoULoss,
    QualityFocalLoss,
)
from ppdet.slim.distill_loss import FGDFeatureLoss, KnowledgeDistillationKLDivLoss

TERMS = {
    "foreground": "alpha_fgd",
    "background": "beta_fgd",
    "attention": "gamma_fgd",
    "relation": "lambda_fgd",
}
# Our parameters of a context block -> the module's, S standing for s or t, SIDE for stu or tea.
BLOCK = {
    "key": "conv_mask_S.weight",
    "key_bias": "conv_mask_S.bias",
    "reduce": "SIDE_conv_block.0.weight",
    "reduce_bias": "SIDE_conv_block.0.bias",
    "norm_scale": "SIDE_conv_block.1.weight",
    "norm_shift": "SIDE_conv_block.1.bias",
    "expand": "SIDE_conv_block.3.weight",
    "expand_bias": "SIDE_conv_block.3.bias",
}


def boxes_of(given: Any) -> list[Any]:
    return [given[f"boxes{i}"] for i in range(2)]


def fgd(given: Any) -> dict[str, Any]:
    """Each term alone, with the context blocks' parameters as given."""
    channels, size = given["student"].shape[1], float(given["size"])
    student, teacher = paddle.to_tensor(given["student"]), paddle.to_tensor(given["teacher"])
    inputs = {
        "gt_bbox": [paddle.to_tensor(boxes) for boxes in boxes_of(given)],
        "im_shape": paddle.to_tensor(np.full((2, 2), size, "float32")),
    }
    found = {}
    for term in TERMS:
        weights = {name: float(key == term) for key, name in TERMS.items()}
        module = FGDFeatureLoss(channels, channels, temp=0.5, **weights)
        module.set_state_dict(blocks(given, module.state_dict()))
        found[f"fgd_{term}"] = module(student, teacher, inputs).numpy()
    return found


def blocks(given: Any, state: Any) -> dict[str, Any]:
    found = {}
    for side, long in (("student", "stu"), ("teacher", "tea")):
        for ours, theirs in BLOCK.items():
            name = theirs.replace("SIDE", long).replace("_S", f"_{side[0]}")
            array = given[f"{side}_{ours}"]
            # A matrix of [in, out] is the filter [out, in, 1, 1].
            array = array.T if ours in ("reduce", "expand") else array
            found[name] = array.reshape(state[name].shape).astype("float32")
    assert found.keys() == state.keys()
    return found


def ld(given: Any) -> dict[str, Any]:
    """The three terms of LD, weighted, from the targets that the reader makes."""
    size, classes = int(given["size"]), int(given["classes"])
    make = Gt2GFLTarget(num_classes=classes, grid_cell_scale=8, compute_vlr_region=True)
    samples = [
        {
            "image": np.zeros((3, size, size), "float32"),
            "gt_bbox": boxes,
            "gt_class": given[f"labels{i}"].reshape(-1, 1),
        }
        for i, boxes in enumerate(boxes_of(given))
    ]
    samples = make(samples)
    keys = ("grid_cells", "labels", "label_weights", "bbox_targets", "vlr_regions")
    meta = {key: paddle.to_tensor(np.stack([s[key] for s in samples])) for key in keys}
    meta["pos_num"] = [paddle.to_tensor([float(s["pos_num"])]) for s in samples]
    head = LDGFLHead(
        conv_feat=FCOSFeat(8, 8, 1, "gn"),
        num_classes=classes,
        loss_class=QualityFocalLoss(),
        loss_dfl=DistributionFocalLoss(loss_weight=0.25),
        loss_bbox=GIoULoss(loss_weight=2.0),
        loss_ld=KnowledgeDistillationKLDivLoss(loss_weight=0.25, T=10),
        loss_ld_vlr=KnowledgeDistillationKLDivLoss(loss_weight=0.25, T=10),
        loss_kd=KnowledgeDistillationKLDivLoss(loss_weight=10, T=2),
        feat_in_chan=8,
    )
    maps = [
        [paddle.to_tensor(given[f"{side}_{part}{i}"]) for i in range(5)]
        for side in ("student", "teacher")
        for part in ("class", "bins")
    ]
    loss = head.get_loss((maps[0], maps[1]), meta, maps[2], maps[3])
    names = {"loss_ld": "main", "loss_ld_vlr": "valuable", "loss_kd": "classes"}
    found = {f"ld_{ours}": loss[theirs].numpy() for theirs, ours in names.items()}
    return {**found, "region": meta["vlr_regions"].numpy()}


if __name__ == "__main__":
    arrays = dict(np.load(sys.argv[1]))
    np.savez(sys.argv[2], **(fgd(arrays) if "student" in arrays else ld(arrays)))
