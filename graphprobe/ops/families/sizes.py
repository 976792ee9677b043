"""Ops that read only the size of a tensor, or nothing at all: no channel passes them.

Where a size is used to build a shape while the network runs, it follows the cut by itself.
"""

from __future__ import annotations

from graphprobe.ops.shared_rules import nothing
from graphprobe.ops.spec import Family, OpSpec, table

FAMILY = Family(
    "sizes",
    table(
        (
            OpSpec(nothing),
            "shape size rank prior_box density_prior_box anchor_generator feed fill_constant "
            "fill_constant_batch_size_like uniform_random_batch_size_like "
            "gaussian_random_batch_size_like assign_value range linspace eye meshgrid "
            "gaussian_random uniform_random randint read",
        ),
    ),
)
