"""Export one network of the survey with random weights: a process of its own for each.

    python -m tools.survey.export NAME FOLDER [EXTRA_PATH ...]

Detectors take their settings from the configs of a PaddleDetection checkout, which the environment
variable PADDLEDETECTION names.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
import zlib  # noqa: F401 - before paddle, whose libraries bring a zlib of their own
from pathlib import Path
from typing import Any

from tools.survey.models import Entry, entries


def build(entry: Entry) -> Any:
    """The paddle layer of an entry, in evaluation mode."""
    import paddle

    kind, *words = entry.build
    paddle.seed(0)
    if kind == "vision":
        net = getattr(importlib.import_module("paddle.vision.models"), words[0])(pretrained=False)
    elif kind == "clas":
        # The package itself imports a vector index; its networks need no more than its folder.
        spec = importlib.util.find_spec("paddleclas")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("paddleclas")
        sys.path.insert(0, spec.submodule_search_locations[0])
        backbones = importlib.import_module("ppcls.arch.backbone")
        importlib.import_module("ppcls.utils.logger").init_logger()
        net = getattr(backbones, words[0])(class_num=1000)
    elif kind == "det":
        net = _detector(words[0])
    else:
        net = _segmentation(*words)
    net.eval()
    return net


def _segmentation(
    name: str, settings: dict[str, Any], backbone: str | None, of_backbone: dict[str, Any]
) -> Any:
    models = importlib.import_module("paddleseg.models")
    # What evaluation returns of a list of heads is its first; only this one is exported.
    if backbone is not None:
        made = getattr(models, backbone, None) or getattr(
            importlib.import_module("paddleseg.models.backbones"), backbone
        )
        settings = {**settings, "backbone": made(**of_backbone)}
    return getattr(models, name)(num_classes=19, **settings)


def _detector(config: str) -> Any:
    workspace = importlib.import_module("ppdet.core.workspace")
    importlib.import_module("ppdet.modeling")
    settings = workspace.load_config(str(Path(os.environ["PADDLEDETECTION"], "configs", config)))
    for key in ("pretrain_weights", "weights"):
        settings.pop(key, None)
    # Newer configs place suppression on a device, which the released modules do not know.
    for section in settings.values():
        if isinstance(section, dict) and isinstance(section.get("nms"), dict):
            section["nms"].pop("cpu", None)
    return workspace.create(settings.architecture)


def export(entry: Entry, folder: Path) -> None:
    """Write NAME.pdmodel and NAME.pdiparams with a dynamic batch."""
    import paddle

    net = build(entry)
    image = paddle.static.InputSpec([None, 3, *entry.size], "float32", name="image")
    if entry.build[0] != "det":
        layer = paddle.jit.to_static(net, input_spec=[image])
        paddle.jit.save(layer, str(folder / entry.name))
        return
    sizes = ("im_shape", "scale_factor")
    spec = {n: paddle.static.InputSpec([None, 2], "float32", name=n) for n in sizes}
    layer = paddle.jit.to_static(net, input_spec=[{"image": image, **spec}])
    # A detector that does not read one of them is saved without it, as PaddleDetection does.
    for _ in sizes:
        try:
            paddle.jit.save(layer, str(folder / entry.name), input_spec=[{"image": image, **spec}])
            return
        except ValueError as error:
            unread = [n for n in spec if f"'{n}'" in str(error)]
            if not unread:
                raise
            del spec[unread[0]]
    paddle.jit.save(layer, str(folder / entry.name), input_spec=[{"image": image}])


def main() -> None:
    """Export what the command line names."""
    name, folder, *extra = sys.argv[1:]
    sys.path[:0] = extra
    _stand_in("pandas", "lap", "motmetrics")
    found = {entry.name: entry for entry in entries()}
    Path(folder).mkdir(parents=True, exist_ok=True)
    export(found[name], Path(folder))


def _stand_in(*names: str) -> None:
    """Empty modules for what the detectors import and exporting does not use."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)


if __name__ == "__main__":
    main()
