"""What the metrics are called in configs and json, and what people call them."""

from __future__ import annotations

ELEVEN_POINT, INTEGRAL, COCO, MIOU = "11point", "integral", "coco", "miou"
TOP1 = "top1"
AGREEMENT = "agreement"
LABELS = {
    ELEVEN_POINT: "mAP (11 point)",
    INTEGRAL: "mAP (integral)",
    COCO: "AP (COCO)",
    MIOU: "mIoU",
    TOP1: "top-1 accuracy",
    AGREEMENT: "agreement with the teacher",
}
# What pruning costs is measured against the program itself.
LABELS_OF_PRUNING = {**LABELS, AGREEMENT: "agreement with the unpruned program"}
