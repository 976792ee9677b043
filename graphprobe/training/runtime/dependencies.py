"""Say which extra to install before anything imports paddle."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from graphprobe.errors import MissingDependency
from graphprobe.training.runtime.paddle_import import import_paddle

CPU, GPU = "paddlepaddle", "paddlepaddle-gpu"


def installed(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def require_paddle(*, slim: bool = True) -> None:
    """Check that exactly one build of Paddle, and PaddleSlim where asked, is there; import Paddle.

    Raises:
        MissingDependency: none is installed, both are (they overwrite each other's files), or
            paddleslim is missing.
    """
    cpu, gpu = installed(CPU), installed(GPU)
    if cpu and gpu:
        raise MissingDependency(
            f"both {CPU} {cpu} and {GPU} {gpu} are installed, and they overwrite each other",
            hint=f"uninstall both, then install graphprobe[cpu] or graphprobe[gpu]: "
            f"pip uninstall {CPU} {GPU}",
        )
    if find_spec("paddle") is None:
        raise MissingDependency(
            "this command needs PaddlePaddle, which is not installed",
            hint="pip install 'graphprobe[cpu]', or 'graphprobe[gpu]' on a machine with a GPU",
        )
    if slim and find_spec("paddleslim") is None:
        raise MissingDependency(
            "this command needs paddleslim, which is not installed",
            hint="pip install 'graphprobe[cpu]' or 'graphprobe[gpu]'",
        )
    import_paddle()
