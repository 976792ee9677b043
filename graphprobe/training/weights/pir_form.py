"""Write a program as PIR json, the form that Paddle 3 saves, by Paddle 3 itself."""

from __future__ import annotations

from pathlib import Path

import paddle

from graphprobe.errors import ExportError, MissingDependency


def write_pir(content: bytes, path: Path) -> None:
    """Translate a ProgramDesc to PIR json.

    The parameters are those of the ProgramDesc, in the same file of all: both forms read them in
    the order of their names.

    Args:
        content: a ProgramDesc as bytes, with its feed and fetch ops.
        path: where to write.

    Raises:
        MissingDependency: the Paddle that is installed is older than 3.0.
        ExportError: Paddle cannot translate an operator.
    """
    if int(paddle.__version__.split(".")[0]) < 3:
        raise MissingDependency(
            f"only Paddle 3 writes PIR json; {paddle.__version__} is installed",
            where="form",
            hint="install Paddle 3 (docs/compat.md), or take the form pdmodel",
        )
    from paddle.base import core
    from paddle.base.libpaddle import pir

    paddle.enable_static()
    program = paddle.static.Program.parse_from_string(content)
    try:
        translated = pir.translate_to_pir(program.desc)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = " ".join((lines or [type(error).__name__])[-1].split())[:160]
        raise ExportError(
            f"Paddle {paddle.__version__} cannot translate it to PIR ({text})",
            where=str(path),
            hint="take the form pdmodel, which Paddle 3 loads too",
        ) from error
    # Without `trainable` the parameters lose the marks by which the inference engine knows them.
    overwrite, readable, trainable = True, False, True
    core.serialize_pir_program(translated, str(path), overwrite, readable, trainable)
