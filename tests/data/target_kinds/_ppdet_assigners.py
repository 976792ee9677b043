"""Run in a process of its own: what PaddleDetection's assigners make of the arrays of a file.

Called as ``python _ppdet_assigners.py IN.npz OUT.npz`` with PaddleDetection on PYTHONPATH.
"""

from __future__ import annotations

import sys

import numpy as np
import paddle
from ppdet.data.transform.atss_assigner import ATSSAssigner
from ppdet.modeling.proposal_generator.target import label_box


def main(source: str, target: str) -> None:
    given = dict(np.load(source))
    anchors, boxes = paddle.to_tensor(given["anchors"]), paddle.to_tensor(given["boxes"])
    matches, labels = label_box(anchors, boxes, 0.5, 0.4, True, -1)
    owner, _ = ATSSAssigner(9)(
        given["squares"], given["counts"].tolist(), given["boxes"], None, given["classes"]
    )
    np.savez(target, matches=matches.numpy(), labels=labels.numpy(), owner=owner)


if __name__ == "__main__":
    main(*sys.argv[1:])
