"""Non-maximum suppression as every detector here ends with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphprobe.zoo._emit import Var, emit


def suppress(boxes: Var, scores: Var, settings: Mapping[str, Any]) -> dict[str, Var]:
    """Non-maximum suppression, class by class.

    Args:
        boxes: [N, M, 4] left, top, right, bottom.
        scores: [N, C, M].
        settings: attributes of multiclass_nms3.

    Returns:
        ``bbox`` [K, 6]: class, score, left, top, right, bottom, image after image;
        ``bbox_num`` [N]: how many rows each image has.
    """
    extra = [("Index", "int32"), ("NmsRoisNum", "int32")]
    inputs = {"BBoxes": boxes, "Scores": scores}
    attrs = {"background_label": -1, "nms_eta": 1.0, **settings}
    out = emit("multiclass_nms3", inputs, attrs, label="multiclass_nms", extra=extra)
    out.stop_gradient = True
    (count,) = out.op.output("NmsRoisNum")
    return {"bbox": out, "bbox_num": out.block.var(count)}
