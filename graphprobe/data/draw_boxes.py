"""Draw boxes and masks on images, and several images on one sheet."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from graphprobe.data.sample import IGNORE, Image, Sample

Colour = tuple[int, int, int]
Rectangle = tuple[float, float, float, float]

# Smaller images are enlarged, so that labels can be read and do not hide the objects.
_LEAST_SIDE = 360
# Larger ones are reduced: a photograph of 12 megapixels takes seconds to compress.
_MOST_SIDE = 1920
_FONT_SIZE = 13
_INK: Colour = (30, 30, 30)
_PAPER: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Mark:
    """One box to draw: corners in the image's pixels, its class, and a score or None."""

    box: Rectangle
    label: int
    score: float | None = None


def marks_of_detections(detections: NDArray[Any], threshold: float = 0.5) -> list[Mark]:
    """Marks from rows [class, score, x1, y1, x2, y2] that reach the threshold, best last."""
    rows = np.asarray(detections, np.float64).reshape(-1, 6)
    rows = rows[(rows[:, 0] >= 0) & (rows[:, 1] >= threshold)]
    return [
        Mark((row[2], row[3], row[4], row[5]), int(row[0]), float(row[1]))
        for row in rows[np.argsort(rows[:, 1], kind="stable")].tolist()
    ]


def marks_of_truth(boxes: NDArray[Any], classes: NDArray[Any]) -> list[Mark]:
    """Marks without scores from boxes [n, 4] and classes [n]."""
    pairs = zip(np.asarray(boxes).tolist(), np.asarray(classes).tolist(), strict=True)
    return [Mark((box[0], box[1], box[2], box[3]), int(label)) for box, label in pairs]


def colour_of(label: int) -> Colour:
    """The colour of a class: neighbours in number are far apart in hue."""
    hue = (label * 0.618034 + 0.02) % 1.0
    light = (0.95, 0.75, 0.85)[label // 12 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85 if label % 2 else 0.7, light)
    return int(red * 255), int(green * 255), int(blue * 255)


def draw_marks(image: Image, marks: Iterable[Mark], class_names: Sequence[str]) -> Image:
    """A copy of an image with boxes and their labels; small images come out enlarged.

    Args:
        image: uint8 [H, W, 3].
        marks: in pixels of `image`.
        class_names: by index.
    """
    canvas, scale = _fit_view(image)
    draw = ImageDraw.Draw(canvas)
    font = _font_for(canvas)
    line = max(2, round(min(canvas.size) / 220))
    every = [(mark, _scaled(mark.box, scale, canvas.size)) for mark in marks]
    for mark, box in every:
        draw.rectangle(box, outline=colour_of(mark.label), width=line)
    taken: list[Rectangle] = []
    for mark, box in reversed(every):
        _write_label(draw, font, _text(mark, class_names), box, colour_of(mark.label), taken)
    return np.asarray(canvas)


def _fit_view(image: Image) -> tuple[Pillow.Image, float]:
    """An image as large as people look at it, and by how much it was scaled."""
    height, width = image.shape[:2]
    larger = float(max(1, -(-_LEAST_SIDE // min(height, width))))
    scale = min(larger, _MOST_SIDE / max(height, width))
    canvas = Pillow.fromarray(np.ascontiguousarray(image))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return canvas.resize(size, Pillow.Resampling.BICUBIC, reducing_gap=2.0), scale


def _scaled(box: Rectangle, scale: float, size: tuple[int, int]) -> Rectangle:
    """Corners inside the enlarged image, in the order that Pillow wants."""
    x = sorted(min(max(side * scale, 0), size[0] - 1) for side in (box[0], box[2] - 1 / scale))
    y = sorted(min(max(side * scale, 0), size[1] - 1) for side in (box[1], box[3] - 1 / scale))
    return x[0], y[0], x[1], y[1]


def _text(mark: Mark, class_names: Sequence[str]) -> str:
    known = 0 <= mark.label < len(class_names)
    name = class_names[mark.label] if known else f"class {mark.label}"
    return name if mark.score is None else f"{name} {mark.score:.2f}"


def _font(size: int = _FONT_SIZE) -> Any:
    return ImageFont.load_default(size=size)


def _font_for(canvas: Pillow.Image) -> Any:
    """A size that stays readable when the image is shown a column wide."""
    return _font(max(_FONT_SIZE, min(canvas.size) // 27))


def _write_label(
    draw: ImageDraw.ImageDraw,
    font: Any,
    text: str,
    box: Rectangle,
    colour: Colour,
    taken: list[Rectangle],
) -> None:
    """Write where no other label stands: above the box, below it, or inside at its top."""
    wide, high = draw.textlength(text, font) + 6, font.size + 5
    area = draw.im.size
    left = min(max(box[0], 0), max(area[0] - wide, 0))
    tops = [top for top in (box[1] - high, box[3], box[1], box[3] - high) if top >= 0]
    spots = [(left, top, left + wide, top + high) for top in tops if top + high <= area[1]]
    spots = spots or [(left, 0.0, left + wide, float(high))]
    spot = next((s for s in spots if not any(_touch(s, t) for t in taken)), spots[0])
    taken.append(spot)
    draw.rectangle(spot, fill=colour)
    draw.text((spot[0] + 3, spot[1] + 1), text, fill=_readable_on(colour), font=font)


def _touch(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _readable_on(colour: Colour) -> Colour:
    red, green, blue = colour
    return _INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else _PAPER


def draw_mask(image: Image, mask: NDArray[Any], class_names: Sequence[str]) -> Image:
    """A copy of an image with each class but the first washed in its colour, and a legend.

    Args:
        image: uint8 [H, W, 3].
        mask: class numbers [H, W]; 0 (the background) is left as it is, and so is 255 where they
            are of a byte.
        class_names: by index.
    """
    canvas, _ = _fit_view(image)
    counts = histogram(mask)
    unseen = (0, IGNORE) if mask.dtype == np.uint8 else (0,)
    width = np.uint8 if len(counts) <= 256 else np.int32  # of what Pillow takes
    shown = Pillow.fromarray(np.ascontiguousarray(mask, width))
    classes = np.asarray(shown.resize(canvas.size, Pillow.Resampling.NEAREST))
    colours = np.array([colour_of(label) for label in range(len(counts))], np.uint16)
    pixels = np.asarray(canvas).astype(np.uint16)
    washed = ((pixels * 115 + colours[classes] * 141) >> 8).astype(np.uint8)  # 0.45 and 0.55
    plain = np.isin(classes, unseen)
    canvas = Pillow.fromarray(np.where(plain[..., None], np.asarray(canvas), washed))
    labels = [label for label, count in enumerate(counts) if count and label not in unseen]
    draw, font = ImageDraw.Draw(canvas), _font_for(canvas)
    taken: list[Rectangle] = []
    for row, label in enumerate(labels):
        top = float(row * (font.size + 5))
        text = _text(Mark((0, 0, 0, 0), label), class_names)
        _write_label(draw, font, text, (0.0, top, 1.0, top), colour_of(label), taken)
    return np.asarray(canvas)


def draw_truth(sample: Sample, class_names: Sequence[str]) -> Image:
    """A copy of a sample's image with the boxes or the mask that are known of it.

    Args:
        sample: with an image.
        class_names: by index.
    """
    if sample.mask is not None:
        return draw_mask(sample.image, sample.mask, class_names)
    return draw_marks(sample.image, marks_of_truth(sample.boxes, sample.classes), class_names)


def contact_sheet(
    rows: Sequence[Sequence[Image]],
    titles: Sequence[str],
    names: Sequence[str] = (),
    width: int = 360,
) -> Image:
    """Images in rows and columns on white, with titles above and names below.

    Args:
        rows: the images of each row, as ground truth and detections of one sample.
        titles: one a column.
        names: one a row, or none.
        width: of a column, in pixels.
    """
    gap, band = 10, _FONT_SIZE + 9
    fitted = [[_fit(image, width) for image in row] for row in rows]
    heights = [max((p.height for p in row), default=0) + (band if names else gap) for row in fitted]
    size = (len(titles) * (width + gap) + gap, band + sum(heights) + gap)
    sheet = Pillow.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    for column, title in enumerate(titles):
        draw.text((gap + column * (width + gap), 4), title, fill=_INK, font=font)
    top = band
    for number, row in enumerate(fitted):
        for column, image in enumerate(row):
            sheet.paste(image, (gap + column * (width + gap), top))
        if names:
            place = (gap, top + heights[number] - band + 2)
            draw.text(place, names[number], fill=(110, 110, 110), font=font)
        top += heights[number]
    return np.asarray(sheet)


def fit_width(image: Image, width: int = 360) -> Image:
    """An image at this width, as `contact_sheet` shows it."""
    return np.asarray(_fit(image, width))


def histogram(mask: Image) -> list[int]:
    """How often each number from 0 on stands in whole numbers [H, W]; of bytes without a copy."""
    if mask.dtype != np.uint8:
        counts: list[int] = np.bincount(mask.reshape(-1)).tolist()
        return counts
    return Pillow.fromarray(np.ascontiguousarray(mask)).histogram()


def palette_png(mask: Image) -> bytes:
    """The bytes of a PNG file of class numbers, each shown in the colour of its class.

    Args:
        mask: uint8 [H, W]; 0 is black and 255 (unknown) white. Numbers beyond a byte are
            written as gray of 16 bits, for a palette has 256 colours.
    """
    if mask.dtype != np.uint8:
        wide = io.BytesIO()
        Pillow.fromarray(np.ascontiguousarray(mask, np.uint16)).save(wide, "PNG")
        return wide.getvalue()
    colours = [(0, 0, 0), *(colour_of(label) for label in range(1, IGNORE)), _PAPER]
    canvas = Pillow.fromarray(np.ascontiguousarray(mask))
    canvas.putpalette([level for colour in colours for level in colour])
    content = io.BytesIO()
    canvas.save(content, "PNG")
    return content.getvalue()


def _fit(image: Image, width: int) -> Pillow.Image:
    canvas = Pillow.fromarray(np.ascontiguousarray(image))
    height = max(1, round(canvas.height * width / canvas.width))
    return canvas.resize((width, height), Pillow.Resampling.LANCZOS)


def to_png(image: Image) -> bytes:
    """The bytes of a PNG file."""
    content = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(image)).save(content, "PNG")
    return content.getvalue()
