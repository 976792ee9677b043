"""PIR json, the form of programs that Paddle 3 saves; Paddle 2 writes none."""

from __future__ import annotations

from pathlib import Path

from graphprobe.compat.installed import find_build
from graphprobe.errors import ExportError, MissingDependency


def require_pir_writer() -> None:
    """Check that the Paddle that is installed writes PIR json; it is not imported.

    Raises:
        MissingDependency: there is none, or it is older than 3.0.
    """
    build = find_build()
    version = None if build is None else build.version
    if version is None or int(version.partition(".")[0]) < 3:
        raise MissingDependency(
            f"only Paddle 3 writes PIR json; {version or 'no Paddle'} is installed",
            where="form",
            hint="install Paddle 3 (docs/compat.md), or take the form pdmodel",
        )


def write_pir(content: bytes, path: Path) -> None:
    """Translate a ProgramDesc to PIR json; Paddle is imported.

    The parameters are those of the ProgramDesc, in the same file of all: both forms read them in
    the order of their names.

    Args:
        content: a ProgramDesc as bytes, with its feed and fetch ops.
        path: where to write.

    Raises:
        ExportError: Paddle cannot translate an operator.
    """
    import paddle
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
