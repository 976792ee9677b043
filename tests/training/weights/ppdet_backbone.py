"""Run in a process of its own: the state of PaddleDetection's ResNet-18-vd.

Called as ``python ppdet_backbone.py IN.npz OUT.npz`` with PaddleDetection on PYTHONPATH.
"""

from __future__ import annotations

import sys

import numpy as np
from ppdet.modeling.backbones.resnet import ResNet


def main(target: str) -> None:
    layer = ResNet(depth=18, variant="d", return_idx=[1, 2, 3], freeze_at=0)
    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    np.savez(target, **state)


if __name__ == "__main__":
    main(sys.argv[2])
