"""From a program, the file beside it and options to what each of its inputs is fed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graphprobe.data.preparation.dialects import FILE_NAMES, read_preparation
from graphprobe.data.preparation.draft import for_channels
from graphprobe.data.preparation.preparation import InputPlan, Preparation
from graphprobe.data.preparation.steps import Size, Step, fixed_size
from graphprobe.errors import DataError, listed
from graphprobe.ir import Program
from graphprobe.ops.spatial.image_input import ImageInput, image_inputs

# Inputs beside the image by name and numbers an image -> what they get (`FILLED`). PaddleDetection
# calls them so in all versions, and what runs its models feeds them by these names.
_OTHERS = {
    ("im_shape", 2): "resized",
    ("scale_factor", 2): "scale",
    ("im_size", 2): "original",
    ("im_info", 3): "info",
    ("im_shape", 3): "original3",
}
_CHANNELS = ("rgb", "bgr", "gray")


@dataclass(frozen=True, slots=True)
class PreparationOptions:
    """What a user sets of the preparation; None where nothing is set.

    Args:
        mean, std: a number a channel, after the scale.
        size: height and width that images are stretched to.
        channels: ``rgb``, ``bgr`` or ``gray``.
        scale: what levels of 0 to 255 are multiplied with.
    """

    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    size: Size | None = None
    channels: str | None = None
    scale: float | None = None


def find_inputs(
    program: Program, file: Path | None, options: PreparationOptions | None = None
) -> InputPlan:
    """What each input of a program is fed of an image.

    Args:
        program: an exported program.
        file: its path; a file with how images are prepared is looked for beside it.
        options: what the user sets, which counts more than the file.

    Raises:
        DataError: no input takes an image, another input is not known, nothing states how images
            are prepared, or what does contradicts the program.
    """
    return plan_inputs(program, None if file is None else preparation_beside(file), options)


def plan_inputs(
    program: Program,
    found: Preparation | None,
    options: PreparationOptions | None = None,
    *,
    size: Size | None = None,
) -> InputPlan:
    """What each input of a program is fed, where the preparation beside it has been read.

    Args:
        program: an exported program.
        found: what `preparation_beside` its file gives.
        options: what the user sets, which counts more.
        size: of the images where nothing else sets it.

    Raises:
        DataError: as `find_inputs`, but for a file that cannot be read.
    """
    image, others = _inputs(program)
    given = options or PreparationOptions()
    where = program.origin.source
    if found is None and given.size is None and min(image.height, image.width) < 0:
        given = replace(given, size=size)
    preparation = _from_options(image, given, where) if found is None else _changed(found, given)
    return InputPlan(image.name, others, _fitting(preparation, image, where))


def preparation_beside(file: Path) -> Preparation | None:
    """What the first file beside a program that holds a preparation states; None where none does.

    Args:
        file: the program's file, or its folder.

    Raises:
        DataError: a file is no YAML, or has steps that are not known, all of them named.
    """
    folder = file if file.is_dir() else file.parent
    for name in FILE_NAMES:
        if (folder / name).is_file():
            found = read_preparation(folder / name)
            if found is not None:
                return found
    return None


def _inputs(program: Program) -> tuple[ImageInput, dict[str, str]]:
    """The input that takes the image, and what the others get."""
    inputs = [var for var in map(program.var, program.feeds) if var is not None]
    where = program.origin.source
    images = image_inputs(program)
    if len(images) != 1:
        text = listed(f"{v.name} {list(v.shape or ())}" for v in inputs) or "none"
        raise DataError(
            f"{len(images)} inputs take images, not one: {text}",
            where=where,
            hint="give the arrays of all inputs, as npz:FOLDER",
        )
    others = {}
    unknown = []
    for var in inputs:
        if var.name == images[0].name:
            continue
        kind = _OTHERS.get((var.name, (var.shape or (0,))[-1]))
        if kind is None:
            unknown.append(f"{var.name} {var.dtype} {list(var.shape or ())}")
        else:
            others[var.name] = kind
    if unknown:
        raise DataError(
            f"what is fed to {listed(unknown)} is not known",
            where=where,
            hint="give the arrays of all inputs, as npz:FOLDER",
        )
    return images[0], others


def _from_options(image: ImageInput, given: PreparationOptions, where: str) -> Preparation:
    missing = [name for name in ("mean", "std") if getattr(given, name) is None]
    if missing:
        raise DataError(
            "nothing beside it states how images are prepared "
            f"({', '.join(FILE_NAMES)} are looked for)",
            where=where,
            hint=f"name {' and '.join(missing)}, as mean=(0.485, 0.456, 0.406)",
        )
    if given.size is None and min(image.height, image.width) < 0:
        raise DataError(
            "it takes images of any size, and nothing beside it states which",
            where=where,
            hint="name the size, as size=(640, 640)",
        )
    gray = image.channels == 1
    start = Preparation((), gray=gray, channels_last=image.channels_last, source="the options")
    return _changed(start, given)


def _changed(found: Preparation, given: PreparationOptions) -> Preparation:
    """What was found, with what the user sets in its place."""
    changes: dict[str, object] = {}
    if given.channels is not None:
        word = given.channels.lower()
        if word not in _CHANNELS:
            raise DataError(f"channels are {', '.join(_CHANNELS)}, not {word}", where="channels")
        changes.update(bgr=word == "bgr", gray=word == "gray")
    if given.scale is not None:
        changes["scale"] = float(given.scale)
    gray = bool(changes.get("gray", found.gray))
    for name in ("mean", "std"):
        values = getattr(given, name)
        values = getattr(found, name) if values is None else tuple(map(float, values))
        count = 1 if gray else 3
        values = for_channels(values, count)
        if len(values) != count:
            text = f"{len(values)} numbers for {count} channel{'s' if count > 1 else ''}"
            raise DataError(text, where=name)
        changes[name] = values
    if 0.0 in changes["std"]:  # type: ignore[operator]
        raise DataError("0 cannot be divided by", where="std")
    changed = replace(found, **changes)  # type: ignore[arg-type]
    return changed if given.size is None else changed.at(given.size)


def _fitting(preparation: Preparation, image: ImageInput, where: str) -> Preparation:
    """The preparation, held against what the program declares.

    Raises:
        DataError: it makes images of another size, or with other channels.
    """
    channels, height, width = image.channels, image.height, image.width
    named = preparation.source or "the options"
    if channels > 0 and channels != preparation.channels:
        raise DataError(
            f"{named} makes {preparation.channels} channels, {image.name} takes {channels}",
            where=where,
            hint="name the channels, as channels='gray'",
        )
    if channels > 0 and image.channels_last != preparation.channels_last:
        preparation = replace(preparation, channels_last=image.channels_last)
    if min(height, width) < 0:
        return preparation
    if not preparation.steps:
        step = Step("stretch", (height, width))
        return replace(preparation, steps=(step,))
    size = fixed_size(preparation.steps)
    if size != (height, width):
        made = "of many sizes" if size is None else f"of {size[0]}x{size[1]}"
        raise DataError(
            f"{named} makes images {made}, {image.name} takes {height}x{width} alone",
            where=where,
            hint=f"name the size, as size=({height}, {width}), or take the file of this export",
        )
    return preparation
