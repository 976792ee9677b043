"""One line that names a folder -> the lines of what is trained on and what is evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.data.open import find_format, parse_spec
from graphprobe.errors import DataError

# What folders call their parts, the usual name first.
TRAIN_NAMES = ("train", "training", "trainset")
VAL_NAMES = ("val", "valid", "validation", "test", "eval", "dev", "testing")
# What the sets call the parts that belong together, the usual choice first.
_PAIRS = (
    ("trainval", "test"),
    ("train2017", "val2017"),
    ("train2014", "val2014"),
    *((train, val) for train in TRAIN_NAMES for val in VAL_NAMES),
)
_ALONE = ("trainval", "train2017", "train2014", *TRAIN_NAMES)


def train_and_val(spec: str) -> tuple[str, str | None]:
    """The two lines that ``voc:PATH`` stands for, as ``voc:PATH?split=trainval`` and ``test``.

    Args:
        spec: ``name[:path][?options]``. One that names its split is taken for training as it
            is, and nothing for evaluation; so is one of data that are whole
            unless a split is named (``images:PATH``).

    Returns:
        the line for training, and the one for evaluation or None where there is no such split.

    Raises:
        DataError: an unknown kind of data, or no split there is called as training data are.
    """
    name, path, options = parse_spec(spec)
    form = find_format(name)
    if form.takes_path and not path:
        raise DataError("needs a path", where=name, hint=f"write {name}:PATH")
    named = form.options.get("split", "all")
    if "split" in options or (form.takes_path and named == "all"):
        return spec, None
    found = ("train", "val") if form.splits is None else form.splits(path)
    train, val = _choose(spec, found)
    return _with_split(spec, train), None if val is None else _with_split(spec, val)


def split_of(spec: str) -> str | None:
    """The split that a line of data names, or takes by default; None for data without splits.

    Raises:
        DataError: an unknown kind of data.
    """
    name, _, options = parse_spec(spec)
    found = options.get("split") or find_format(name).options.get("split")
    return None if found is None else str(found)


def data_text(spec: str, samples: int, size: int | tuple[int, int] | None = None) -> str:
    """What a figure was measured on, in one line, as ``digits: split val, 40 images, 96 x 96``.

    Args:
        spec: the line of data.
        samples: how many of it.
        size: H and W that its images were resized to, in pixels, or one number for both; None
            where they were not, or each to its own.
    """
    name, _, options = parse_spec(spec)
    split = split_of(spec)
    parts = [] if split is None or "split" in options else [f"split {split}"]
    parts.append(count_and_size(samples, size, "sample" if name == "npz" else "image"))
    return f"{spec}, {', '.join(parts)}"


def count_and_size(
    samples: int, size: int | tuple[int, int] | None = None, noun: str = "image"
) -> str:
    """How many of what, and the pixels that they were resized to, as in `data_text`."""
    text = f"{samples:,} {noun}" + ("" if samples == 1 else "s")
    if size is None:
        return text
    height, width = (size, size) if isinstance(size, int) else size
    return f"{text}, {height} x {width} pixels"


def _choose(spec: str, found: Sequence[str]) -> tuple[str, str | None]:
    by_name = {name.removesuffix(".txt"): name for name in reversed(found)}
    for train, val in _PAIRS:
        if train in by_name and val in by_name:
            return by_name[train], by_name[val]
    alone = next((by_name[name] for name in _ALONE if name in by_name), None)
    if alone is None:
        raise DataError(
            f"no split there is called train or trainval; there are {', '.join(found) or 'none'}",
            where=spec,
            hint="name one, as ?split=NAME",
        )
    return alone, None


def _with_split(spec: str, split: str) -> str:
    mark = "&" if parse_spec(spec)[2] else "?"
    return f"{spec}{mark}split={split}"
