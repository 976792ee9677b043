"""Lines of text, upright and turned by 180 degrees: labelled images for a direction classifier.

    python -m tools.ocr_lines FOLDER [--photos FOLDER] [--count N]

writes FOLDER/train/0, FOLDER/train/180 and the same below FOLDER/val, a folder a class. The
held-out images have other fonts, photographs and words, as those of `tools.ocr_scenes`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tools.ocr_scenes import (
    TRAIN_FONTS,
    TRAIN_WORDS,
    VAL_FONTS,
    VAL_WORDS,
    font_folder,
    ink_on,
    photographs,
)

HEIGHT, WIDTH = 48, 192
TRAIN, VAL = 400, 200


def make(folder: Path, photos: Path | None, count: int) -> None:
    """Write both sets."""
    train, val = photographs(photos)
    _write(folder / "train", train, TRAIN_FONTS, TRAIN_WORDS, count, seed=3)
    _write(folder / "val", val, VAL_FONTS, VAL_WORDS, VAL, seed=4)


def _write(
    folder: Path,
    images: Sequence[Image.Image],
    fonts: Sequence[str],
    words: Sequence[str],
    count: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    for name in ("0", "180"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        made = line(images[number % len(images)], fonts, words, rng)
        turned = number % 2 == 1
        made = made.rotate(180) if turned else made
        made.save(folder / ("180" if turned else "0") / f"{number:04d}.png")


def line(
    photograph: Image.Image, fonts: Sequence[str], words: Sequence[str], rng: np.random.Generator
) -> Image.Image:
    """A line of text that fills a part of a photograph."""
    left, top = (
        int(rng.integers(0, length - side + 1))
        for length, side in zip(photograph.size, (WIDTH, HEIGHT), strict=True)
    )
    made = photograph.crop((left, top, left + WIDTH, top + HEIGHT))
    size = int(rng.integers(20, 36))
    font = ImageFont.truetype(str(font_folder() / str(rng.choice(fonts))), size)
    draw = ImageDraw.Draw(made)
    text = str(rng.choice(words))
    for word in rng.choice(words, 4):
        longer = f"{text} {word}"
        if draw.textbbox((0, 0), longer, font=font)[2] > WIDTH - 8:
            break
        text = longer
    text = text.upper() if rng.random() < 0.3 else text
    ink = draw.textbbox((0, 0), text, font=font)
    x = int(rng.integers(0, max(WIDTH - (ink[2] - ink[0]), 1)))
    y = int(rng.integers(0, max(HEIGHT - (ink[3] - ink[1]), 1)))
    draw.text((x - ink[0], y - ink[1]), text, font=font, fill=ink_on(np.asarray(made), rng))
    return made


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=TRAIN, help="of images to train on")
    given = parser.parse_args()
    make(given.folder, given.photos, given.count)


if __name__ == "__main__":
    main()
