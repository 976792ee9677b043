"""The options for how images are prepared for an exported program."""

from __future__ import annotations

import json
import re
from typing import Any

import typer

from graphprobe.errors import UsageError

MEAN = typer.Option(
    None,
    "--mean",
    metavar="R,G,B",
    help="Of an exported program: what is taken off each channel, after the scale, in the "
    "network's order (default: as the file beside it states).",
)
STD = typer.Option(None, "--std", metavar="R,G,B", help="What each channel is divided by.")
SIZE = typer.Option(
    None, "--size", metavar="N|HxW", help="What images are stretched to, in pixels."
)
CHANNELS = typer.Option(None, "--channels", metavar="rgb|bgr|gray", help="Order of the channels.")
SCALE = typer.Option(
    None, "--scale", metavar="X|1/X", help="What levels of 0 to 255 are multiplied with: 1/255."
)


def preparation_words(
    mean: str | None, std: str | None, size: str | None, channels: str | None, scale: str | None
) -> list[str]:
    """The options as overrides of a config.

    Raises:
        UsageError: one of them is no number, or no such word.
    """
    given = preparation_values(mean, std, size, channels, scale)
    words = [f"train.preparation.{name}={json.dumps(value)}" for name, value in given.items()]
    sides = given.get("size")
    return words + ([f"train.image_size={sides[0]}"] if sides and sides[0] == sides[1] else [])


def preparation_values(
    mean: str | None, std: str | None, size: str | None, channels: str | None, scale: str | None
) -> dict[str, Any]:
    """The options as ``train.preparation`` has them.

    Raises:
        UsageError: one of them is no number, or no such word.
    """
    given: dict[str, Any] = {}
    for name, text in (("mean", mean), ("std", std)):
        if text is not None:
            given[name] = read_numbers(
                text, f"--{name}", must="be numbers with commas", hint="as 0.485,0.456,0.406"
            )
    if scale is not None:
        given["scale"] = _fraction(scale)
    if channels is not None:
        if channels not in ("rgb", "bgr", "gray"):
            raise UsageError("must be rgb, bgr or gray", where=f"--channels {channels}")
        given["channels"] = channels
    if size is not None:
        given["size"] = list(_size(size))
    return given


def read_numbers(text: str, option: str, *, must: str, hint: str) -> list[float]:
    """The numbers of an option, with commas between them.

    Args:
        text: what was given.
        option: to which option, as ``--mean``.
        must: what it must be, as ``be numbers with commas``.
        hint: an example.

    Raises:
        UsageError: one of them is no number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"must {must}", where=f"{option} {text}", hint=hint) from None


def _fraction(text: str) -> float:
    found = re.fullmatch(r"([\d.eE+-]+)(?:/([\d.eE+-]+))?", text)
    try:
        if found is None:
            raise ValueError
        return float(found[1]) / float(found[2] or 1)
    except (ValueError, ZeroDivisionError):
        hint = "as 1/255, or 1 for levels of 0 to 255"
        raise UsageError("must be a number", where=f"--scale {text}", hint=hint) from None


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text)
    if found is None:
        raise UsageError(
            "must be pixels", where=f"--size {text}", hint="as 640, or 48x320: height x width"
        )
    return int(found[1]), int(found[2] or found[1])
