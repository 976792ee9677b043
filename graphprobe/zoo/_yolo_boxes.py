"""From the head's maps to boxes."""

from __future__ import annotations

from collections.abc import Sequence

from paddle.vision.ops import yolo_box

from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import concat, transpose
from graphprobe.zoo._nms import suppress
from graphprobe.zoo._yolo_head import YoloHead

SCORE_THRESHOLD = 0.01
NMS = {
    "score_threshold": SCORE_THRESHOLD,
    "nms_top_k": 1000,
    "keep_top_k": 100,
    "nms_threshold": 0.45,
    "normalized": False,
}


def detections(maps: Sequence[Var], head: YoloHead, im_size: Var) -> dict[str, Var]:
    """Decoded boxes after non-maximum suppression.

    Args:
        maps: from `yolo_outputs`.
        head: its settings.
        im_size: [N, 2], height and width of each image before resizing.

    Returns:
        ``bbox`` [K, 6]: class, score, left, top, right, bottom in pixels of that image;
        ``bbox_num`` [N]: how many rows each image has.
    """
    boxes, scores = [], []
    for index, x in enumerate(maps):
        box, score = yolo_box(
            x,
            im_size,
            head.anchors_of(index),
            head.num_classes,
            SCORE_THRESHOLD,
            head.downsample[index],
            name=f"yolo_box{index}",
        )
        boxes.append(box)
        scores.append(transpose(score, [0, 2, 1]))
    return suppress(concat(boxes, axis=1), concat(scores, axis=2), NMS)
