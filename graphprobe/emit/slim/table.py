"""Which operators PaddleSlim's Pruner follows channels through, and how: its table, not ours.

Source: ``paddleslim.prune.prune_worker`` of PaddleSlim 2.6.0: its registry ``PRUNE_WORKER`` and the
lists ``OPS_UNCHANGE_SHAPE`` and ``SKIPPED_OPS``. A test holds this table against the installed one.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphprobe.emit.slim.layers import (
    alike,
    conv,
    depthwise,
    elementwise,
    passing,
    summed,
    transposed,
    with_vectors,
)
from graphprobe.emit.slim.moves import flatten, reshape, split, squeeze, transpose, unsqueeze
from graphprobe.emit.slim.products import matmul, mul
from graphprobe.emit.slim.steps import Worker

_BY_X = (
    "bilinear_interp", "nearest_interp", "activation", "relu", "gelu", "leaky_relu", "floor",
    "relu6", "pool2d", "scale",
)  # fmt: skip
# What PaddleSlim has no worker for and takes for ops that leave every axis alone.
UNCHANGED = (
    "nearest_interp_v2", "roi_align", "sigmoid", "swish", "pad3d", "bilinear_interp_v2", "dropout",
    "cast", "hard_swish", "fused_softmax_mask_upper_triangle", "softmax", "hard_sigmoid",
)  # fmt: skip
# What it stops at without a word, and goes on elsewhere.
PASSED_BY = ("shape", "reduce_mean")
WORKERS: Mapping[str, Worker] = {
    "reshape2": reshape,
    "transpose2": transpose,
    "conv2d": conv,
    "conv2d_transpose": transposed,
    "depthwise_conv2d": depthwise,
    **dict.fromkeys(
        ("batch_norm", "sync_batch_norm"), with_vectors("Y", "Scale", "Bias", "Mean", "Variance")
    ),
    "affine_channel": with_vectors("Out", "Scale", "Bias"),
    **dict.fromkeys(("elementwise_add", "elementwise_sub", "elementwise_mul"), elementwise),
    **dict.fromkeys(_BY_X, passing()),
    **dict.fromkeys(UNCHANGED, alike),
    "sum": summed,
    "split": split,
    "mul": mul,
    "matmul": matmul,
    "matmul_v2": matmul,
    "flatten_contiguous_range": flatten,
    "squeeze2": squeeze,
    "unsqueeze2": unsqueeze,
}
# Optimizers and averages, whose numbers it cuts along with a parameter: no part of a network.
OF_TRAINING = ("momentum", "adam", "average_accumulates")
