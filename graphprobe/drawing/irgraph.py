"""Paddle's own drawing: IrGraph.draw with the convolutions marked, for those who want that one.

It needs paddle and Graphviz's `dot`, draws one page however large, and does not end in useful
time on train programs.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from graphprobe.compat import import_paddle
from graphprobe.errors import GraphprobeError, MissingDependency
from graphprobe.ir import Program
from graphprobe.ops.kinds import is_convolution

_NAME = "graph"
_KINDS = {
    "feed": "FEED_MINIBATCH",
    "fetch": "FETCH_LIST",
    "reader": "READER",
    "scope": "STEP_SCOPES",
}


def draw_irgraph(program: Program) -> bytes:
    """The main block as IrGraph.draw shows it, as a PDF.

    Raises:
        MissingDependency: paddle or dot is not installed.
        GraphprobeError: dot failed.
    """
    where = "engine='irgraph'"
    if shutil.which("dot") is None:
        hint = "install Graphviz, or take the default engine"
        raise MissingDependency("needs the program dot, which is not here", where=where, hint=hint)
    try:
        import_paddle()
    except ImportError as error:
        hint = "pip install 'graphprobe[cpu]', or take the default engine"
        raise MissingDependency(
            "needs paddle, which is not here", where=where, hint=hint
        ) from error
    from paddle.base import core
    from paddle.base.framework import IrGraph

    graph = IrGraph(core.Graph(_paddle_program(program, core).desc))
    marked = {node for node in graph.all_op_nodes() if is_convolution(node.name())}
    with tempfile.TemporaryDirectory() as folder:
        try:
            # It prints the command that it runs; a command's own output must stay clean.
            with contextlib.redirect_stdout(io.StringIO()):
                graph.draw(folder, _NAME, marked, remove_ctr_var=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise GraphprobeError(f"dot failed ({error})", where=where) from error
        found = Path(folder) / f"{_NAME}.pdf"
        if not found.is_file():
            hint = "the graph may be too large for dot; take the default engine"
            raise GraphprobeError("dot wrote no PDF", where=where, hint=hint)
        return found.read_bytes()


def _paddle_program(program: Program, core: Any) -> Any:
    """The main block as a paddle program: types and names suffice for a picture."""
    from paddle.static import Program as PaddleProgram

    made = PaddleProgram()
    block = made.desc.block(0)
    for var in program.blocks[0].vars.values():
        found = block.var(var.name.encode())
        kind = _KINDS.get(var.kind, "LOD_TENSOR")
        found.set_type(getattr(core.VarDesc.VarType, kind))
        found.set_persistable(var.persistable)
    for op in program.blocks[0].ops:
        described = block.append_op()
        described.set_type(op.type)
        for slot, names in op.inputs.items():
            described.set_input(slot, list(names))
        for slot, names in op.outputs.items():
            described.set_output(slot, list(names))
    return made
