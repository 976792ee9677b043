"""The YOLOv3 loss as one op a scale, as PaddleDetection builds it by default."""

from __future__ import annotations

from collections.abc import Sequence

from paddle.vision.ops import yolo_loss

from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add_up, mean
from graphprobe.zoo._yolo_head import YoloHead

IGNORE_THRESHOLD = 0.7


def whole_loss(
    maps: Sequence[Var],
    head: YoloHead,
    truth: Sequence[Var],
    label_smooth: bool,
    scale_x_y: float = 1.0,
) -> dict[str, Var]:
    """The mean over images of each scale's yolov3_loss, summed.

    Args:
        maps: from `yolo_outputs`.
        head: its settings.
        truth: gt_bbox [N, B, 4] (center x, y, width, height over the image's size),
            gt_class [N, B], gt_score [N, B].
        label_smooth: whether class targets are smoothed by 1 / C.
        scale_x_y: by how much a centre may leave its cell.

    Returns:
        ``loss``, a scalar.
    """
    boxes, labels, scores = truth
    terms = []
    for index, x in enumerate(maps):
        loss = yolo_loss(
            x,
            boxes,
            labels,
            head.flat_anchors,
            list(head.masks[index]),
            head.num_classes,
            IGNORE_THRESHOLD,
            head.downsample[index],
            gt_score=scores,
            use_label_smooth=label_smooth,
            name=f"yolo_loss{index}",
            scale_x_y=scale_x_y,
        )
        terms.append(mean(loss))
    return {"loss": add_up([sum(terms)])}
