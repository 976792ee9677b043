"""What must be installed, and which extra brings it; reported before anything imports paddle."""

from __future__ import annotations

from importlib.util import find_spec

from graphprobe.compat.installed import CPU, GPU, installed_version
from graphprobe.errors import MissingDependency
from graphprobe.training.runtime.process import import_paddle


def require_paddle() -> None:
    """Check that exactly one build of Paddle is there, and import it.

    Raises:
        MissingDependency: as `refuse_missing_paddle`.
    """
    refuse_missing_paddle()
    import_paddle()


def refuse_missing_paddle() -> None:
    """Check that exactly one build of Paddle is there; it is not imported.

    Raises:
        MissingDependency: none is installed, or both are (they overwrite each other's files).
    """
    cpu, gpu = installed_version(CPU), installed_version(GPU)
    if cpu and gpu:
        raise MissingDependency(
            f"both {CPU} {cpu} and {GPU} {gpu} are installed, and they overwrite each other",
            hint=f"uninstall both, then install graphprobe[cpu] or graphprobe[gpu]: "
            f"pip uninstall {CPU} {GPU}",
        )
    if find_spec("paddle") is None:
        raise MissingDependency(
            "this command needs PaddlePaddle, which is not installed",
            hint="pip install 'graphprobe[cpu]'; for a GPU docs/compat.md has the command",
        )


def require_paddleslim(what: str, instead: str) -> None:
    """Check that PaddleSlim is there.

    Args:
        what: the setting that asks for it, as ``prune.engine: paddleslim``.
        instead: the setting that does without it, as ``prune.engine=own``.

    Raises:
        MissingDependency: it is not.
    """
    if find_spec("paddleslim") is None:
        raise MissingDependency(
            f"{what} needs paddleslim, which is not installed",
            hint=f"pip install 'graphprobe[slim]', or set {instead}",
        )
