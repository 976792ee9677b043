"""Folder and file names of an inference model, in the form that Paddle's own loader takes."""

from __future__ import annotations

from pathlib import Path

_MODELS = (".pdmodel", "__model__")
_PARAMS = ("__params__", "params", "model.pdiparams", "inference.pdiparams")


def model_files(source: str) -> tuple[str, str | None, str | None]:
    """Folder, name of the model file, and name of the parameters' file (None: one a parameter)."""
    path = Path(source)
    if path.is_dir():
        found = [p for p in sorted(path.iterdir()) if p.name.endswith(_MODELS)]
        path = found[0] if len(found) == 1 else path / "__model__"
    return str(path.parent), path.name, _params(path)


def _params(model: Path) -> str | None:
    names = (model.with_suffix(".pdiparams").name, *_PARAMS)
    return next((name for name in names if (model.parent / name).is_file()), None)
