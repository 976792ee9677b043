"""How the images of an exported program are prepared: from the file beside it, or from options."""

from graphprobe.data.preparation.dialects import FILE_NAMES, labels_beside, read_preparation
from graphprobe.data.preparation.find import (
    PreparationOptions,
    find_inputs,
    plan_inputs,
    preparation_beside,
)
from graphprobe.data.preparation.placement import Placement
from graphprobe.data.preparation.preparation import InputPlan, Preparation
from graphprobe.data.preparation.steps import Pixels, Size, Step, fixed_size

__all__ = [
    "FILE_NAMES",
    "InputPlan",
    "Pixels",
    "Placement",
    "Preparation",
    "PreparationOptions",
    "Size",
    "Step",
    "fixed_size",
    "labels_beside",
    "find_inputs",
    "plan_inputs",
    "preparation_beside",
    "read_preparation",
]
