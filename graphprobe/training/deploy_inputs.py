"""The inputs that PaddleDetection's deploy scripts feed, in place of the size that training uses.

Bundled detectors put boxes into the original image by ``im_size``, its height and width. What is
deployed with PaddleDetection 2.x is fed the size after resizing and the factor of it instead
(deploy/python/infer.py, `create_inputs`): the exported program divides the one by the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.training.runtime.programs import copy_program

SIZE = "im_size"
RESIZED, FACTOR = "im_shape", "scale_factor"


def with_deploy_inputs(main: Any, feeds: Sequence[str]) -> tuple[Any, list[str]]:
    """A program that is fed `RESIZED` and `FACTOR` where it was fed `SIZE`.

    The quotient is rounded: of 416 over the float32 of 416 / 427 an integer would keep 426 or 427.

    Args:
        main: for inference; it is left as it is.
        feeds: its inputs, in order.

    Returns:
        the program and its inputs; both as they were where `SIZE` is none of them.
    """
    if SIZE not in feeds:
        return main, list(feeds)
    program = copy_program(main)
    block = program.global_block()
    size = block.var(SIZE)
    size.is_data = False
    size.desc.set_need_check_feed(False)
    for name in (RESIZED, FACTOR):
        block.create_var(
            name=name, shape=size.shape, dtype="float32", is_data=True, need_check_feed=True
        )
    quotient, whole = (
        block.create_var(name=f"{SIZE}.{part}", shape=size.shape, dtype="float32")
        for part in ("quotient", "rounded")
    )
    dtypes = {"in_dtype": whole.dtype, "out_dtype": size.dtype}
    steps: list[tuple[str, dict[str, Any], Any, dict[str, Any]]] = [
        ("elementwise_div", {"X": RESIZED, "Y": FACTOR}, quotient, {"axis": -1}),
        ("round", {"X": quotient}, whole, {}),
        ("cast", {"X": whole}, size, dtypes),
    ]
    for kind, inputs, out, attrs in reversed(steps):
        named = {slot: [value] for slot, value in inputs.items()}
        block._prepend_op(type=kind, inputs=named, outputs={"Out": [out]}, attrs=attrs)
    program._sync_with_cpp()
    at = feeds.index(SIZE)
    return program, [*feeds[:at], RESIZED, FACTOR, *feeds[at + 1 :]]
