"""Which Paddle is installed and for what it is built, read from its files without importing it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

CPU, GPU = "paddlepaddle", "paddlepaddle-gpu"

# Compute capabilities with machine code in a wheel that does not list them itself. That of 2.6.2 on
# PyPI holds code for 6.1 to 8.6 and no PTX, so no later card runs; the ones between are those of
# NVIDIA's cards for desktops and servers.
_KNOWN_ARCHS = {"2.6.2": ("6.1", "7.0", "7.5", "8.0", "8.6")}


@dataclass(frozen=True)
class PaddleBuild:
    """An installed build of Paddle.

    Args:
        packages: the distributions that installed it, as ``paddlepaddle-gpu 2.6.2``; two overwrite
            each other's files.
        version: as ``3.3.1``; None where its files hold none.
        cuda: the CUDA version that it is built with, as ``12.6``; None for a CPU build.
        archs: compute capabilities that it holds machine code for, as ``8.6``; None where it is
            not known.
    """

    packages: tuple[str, ...]
    version: str | None
    cuda: str | None
    archs: tuple[str, ...] | None


def installed_version(package: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def find_build() -> PaddleBuild | None:
    """The build that ``import paddle`` would find, or None."""
    found = find_spec("paddle")
    if found is None:
        return None
    packages = tuple(f"{name} {n}" for name in (CPU, GPU) if (n := installed_version(name)))
    facts = _literals(Path(found.origin or "").parent / "version" / "__init__.py")
    number = facts.get("full_version")
    cuda = facts.get("cuda_version")
    built = str(cuda) if cuda not in (None, "False", "OFF") else None
    listed = facts.get("compiled_cuda_archs")
    archs = tuple(map(_dotted, listed)) if isinstance(listed, list) and listed else None
    if archs is None and built:
        archs = _KNOWN_ARCHS.get(str(number))
    return PaddleBuild(packages, str(number) if number else None, built, archs)


def _dotted(arch: object) -> str:
    """``86`` and ``8.6`` as ``8.6``, ``120`` as ``12.0``."""
    text = str(arch)
    return text if "." in text else f"{text[:-1]}.{text[-1:]}"


def _literals(path: Path) -> dict[str, object]:
    """The plain values that a module assigns at its top; nothing of it runs."""
    try:
        body = ast.parse(path.read_text("utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, object] = {}
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found
