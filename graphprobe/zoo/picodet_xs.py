"""PicoDet-XS, as PaddleDetection 2.6 published it for COCO."""

from graphprobe.zoo._picodet import picodet

MODEL = picodet("xs")
