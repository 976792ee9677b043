"""The files beside exported models with how an image is prepared, one table a dialect.

Sources: the readers that the libraries ship beside their models: deploy/python/preprocess.py of
PaddleDetection and of PaddleClas, ppocr/data/imaug of PaddleOCR, paddleseg/transforms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphprobe.data.preparation.detection_steps import DETECTION_STEPS
from graphprobe.data.preparation.draft import Draft, Options, Read, for_channels
from graphprobe.data.preparation.operator_steps import OPERATOR_STEPS
from graphprobe.data.preparation.preparation import Preparation
from graphprobe.data.preparation.segmentation_steps import SEGMENTATION_STEPS
from graphprobe.errors import DataError, GraphprobeError, listed
from graphprobe.yaml_io import EXPORTED, read_yaml

# What exporters call these files, and whose they are.
FILE_NAMES = ("infer_cfg.yml", "inference.yml", "deploy.yaml", "inference_cls.yaml")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of file.

    Args:
        name: whose it is.
        steps: its content -> (name, options) of each step; None where it is another dialect's.
        table: name of a step -> what it does to the draft.
        channels_first: whether channels come first though no step asks for it.
    """

    name: str
    steps: Callable[[Options], list[tuple[str, Options]] | None]
    table: Mapping[str, Read]
    channels_first: bool = False


def read_preparation(path: Path) -> Preparation | None:
    """What a file holds on the preparation; None where it holds nothing.

    Raises:
        DataError: it is no YAML, or has steps that are not known, all of them named.
    """
    content = _load(path)
    for dialect in DIALECTS:
        steps = dialect.steps(content)
        if steps is not None:
            return _read(dialect, steps, path)
    return None


def labels_beside(file: Path) -> tuple[str, ...]:
    """The names of the classes that the files beside a program list; none where none does.

    Args:
        file: the program's file, or its folder.

    Raises:
        DataError: a file is no YAML.
    """
    folder = file if file.is_dir() else file.parent
    for name in FILE_NAMES:
        if not (folder / name).is_file():
            continue
        content = _load(folder / name)
        topk = _below(_below(content, "PostProcess"), "Topk")
        for found in (content.get("label_list"), topk.get("label_list")):
            if isinstance(found, list) and found:
                return tuple(map(str, found))
    return ()


def _read(dialect: Dialect, steps: list[tuple[str, Options]], path: Path) -> Preparation:
    unknown = [name for name, _ in steps if name not in dialect.table]
    if unknown:
        raise DataError(
            f"has steps that are not known: {listed(dict.fromkeys(unknown))}",
            where=str(path),
            hint="prepare the arrays yourself, as npz:FOLDER",
        )
    draft = Draft(channels_last=not dialect.channels_first)
    for name, options in steps:
        try:
            dialect.table[name](draft, options)
        except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise DataError(f"step {name} {what}", where=str(path)) from error
    channels = 1 if draft.gray else 3
    zeros, ones = (0.0,) * channels, (1.0,) * channels
    mean, std = (for_channels(x, channels) for x in (draft.mean or zeros, draft.std or ones))
    if len(mean) != channels or len(std) != channels or 0.0 in std:
        raise DataError(
            f"mean {mean} and std {std} do not fit {channels} channels", where=str(path)
        )
    return Preparation(
        tuple(draft.steps),
        mean,
        std,
        draft.scale,
        draft.bgr,
        draft.gray,
        draft.channels_last,
        source=path.name,
    )


def _load(path: Path) -> Options:
    try:
        content = read_yaml(path, EXPORTED)
    except GraphprobeError as error:
        raise DataError(error.message, where=error.where, hint=error.hint) from error
    return content if isinstance(content, dict) else {}


def _typed(items: Any) -> Iterator[tuple[str, Options]]:
    """Steps as ``{type: NAME, option: ...}``."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield str(item.get("type")), {k: v for k, v in item.items() if k != "type"}


def _keyed(items: Any) -> Iterator[tuple[str, Options]]:
    """Steps as ``NAME: {option: ...}``."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            for name, options in item.items():
                yield str(name), options if isinstance(options, dict) else {}


def _below(content: Options, key: str) -> Options:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _detection_steps(content: Options) -> list[tuple[str, Options]] | None:
    found = content.get("Preprocess")
    return list(_typed(found)) if isinstance(found, list) else None


def _ops_steps(content: Options) -> list[tuple[str, Options]] | None:
    found = _below(content, "PreProcess").get("transform_ops")
    return list(_keyed(found)) if isinstance(found, list) else None


def _seg_steps(content: Options) -> list[tuple[str, Options]] | None:
    deploy = _below(content, "Deploy")
    return list(_typed(deploy.get("transforms"))) if "transforms" in deploy else None


DIALECTS = (
    Dialect("PaddleDetection", _detection_steps, DETECTION_STEPS),
    Dialect("PaddleOCR, PaddleClas, PaddleX", _ops_steps, OPERATOR_STEPS),
    Dialect("PaddleSeg", _seg_steps, SEGMENTATION_STEPS, channels_first=True),
)
