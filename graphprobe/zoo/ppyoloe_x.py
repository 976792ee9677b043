"""PP-YOLOE-X, as PaddleDetection 2.6 published it for COCO."""

from graphprobe.zoo._ppyoloe import ppyoloe

MODEL = ppyoloe("x")
