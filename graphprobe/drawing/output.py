"""Choose the renderer for a file name."""

from __future__ import annotations

from pathlib import Path

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.renderer import Renderer
from graphprobe.errors import UsageError
from graphprobe.registry import discover


def formats() -> dict[str, Renderer]:
    """Every file format by its suffix, without the dot."""
    return discover("graphprobe.drawing.renderers", "RENDERER", Renderer)


def renderer_for(file_name: str) -> Renderer:
    """The renderer that a file's suffix names.

    Raises:
        UsageError: no renderer has that suffix.
    """
    _, dot, suffix = Path(file_name).name.rpartition(".")
    known = formats()
    if not dot or suffix.lower() not in known:
        what = f"unknown suffix .{suffix}" if dot else "no suffix"
        hint = f"use one of {', '.join(f'.{name}' for name in known)}"
        raise UsageError(what, where=file_name, hint=hint)
    return known[suffix.lower()]


def render(drawing: Drawing, file_name: str) -> bytes:
    """A drawing as a whole file, in the format that the suffix names.

    Raises:
        UsageError: unknown suffix, a focus that matches nothing, or an engine for a format that
            lays out by itself.
    """
    renderer = renderer_for(file_name)
    if drawing.engine != "layered" and not renderer.engines:
        able = ", ".join(f".{name}" for name, found in formats().items() if found.engines)
        hint = f"use {able}, or the layered engine"
        raise UsageError(f"engine {drawing.engine} does not draw it", where=file_name, hint=hint)
    return renderer.render(drawing)
