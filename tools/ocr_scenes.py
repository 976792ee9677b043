"""Text on photographs, and how well a text detector finds it: figures for docs/benchmarks.md.

    python -m tools.ocr_scenes make FOLDER [--photos FOLDER] [--count N]
    python -m tools.ocr_scenes score FOLDER/val MODEL [MODEL ...]

`make` writes FOLDER/train (images without labels) and FOLDER/val (images and truth.json, a list of
boxes for each). The photographs are scikit-learn's, and those of the folder that is named; fonts
are those that Matplotlib ships. The held-out images have other fonts, other photographs and other
words. `score` runs exported DB detectors (Liao et al., arXiv 1911.08947) in Paddle's inference
engine and reports precision, recall and their harmonic mean at IoU 0.5.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 320
TRAIN, VAL = 200, 60
# Families of Matplotlib's fonts.
TRAIN_FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf")
VAL_FONTS = ("STIXGeneral.ttf", "STIXGeneralBol.ttf", "STIXGeneralItalic.ttf")
TRAIN_WORDS = [
    "station",
    "exit",
    "north",
    "open",
    "daily",
    "fresh",
    "bread",
    "coffee",
    "hotel",
    "parking",
    "market",
    "street",
    "bakery",
    "closed",
    "sunday",
    "bridge",
    "garden",
    "museum",
    "ticket",
    "platform",
    "library",
    "centre",
    "welcome",
]
VAL_WORDS = [
    "airport",
    "gate",
    "pharmacy",
    "school",
    "bus",
    "stop",
    "harbour",
    "castle",
    "river",
    "view",
    "town",
    "hall",
    "post",
    "office",
    "theatre",
    "cinema",
    "lift",
    "stairs",
    "danger",
    "keep",
    "left",
    "private",
    "sale",
]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Of the probability map, of a box's mean score, and how far a shrunken text is grown again.
PIXEL, SCORE, UNCLIP = 0.3, 0.6, 1.5
Box = tuple[float, float, float, float]


def make(folder: Path, photos: Path | None, count: int) -> None:
    """Write both sets, with so many images to train on."""
    train, val = photographs(photos)
    _write(folder / "train", train, TRAIN_FONTS, TRAIN_WORDS, count, seed=1)
    truth = _write(folder / "val", val, VAL_FONTS, VAL_WORDS, VAL, seed=2)
    (folder / "val" / "truth.json").write_text(json.dumps(truth, indent=1))


def photographs(folder: Path | None) -> tuple[list[Image.Image], list[Image.Image]]:
    """To train on, and others to measure on."""
    from sklearn.datasets import load_sample_images

    china, flower = (Image.fromarray(image) for image in load_sample_images().images)
    found = sorted(folder.rglob("*.jpg")) if folder is not None else []
    opened = [Image.open(path).convert("RGB") for path in found[:40]]
    return [china, *opened[::2]], [flower, *opened[1::2]]


def _write(
    folder: Path,
    photographs: Sequence[Image.Image],
    fonts: Sequence[str],
    words: Sequence[str],
    count: int,
    seed: int,
) -> dict[str, list[Box]]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    truth = {}
    for number in range(count):
        picture, boxes = scene(photographs[number % len(photographs)], fonts, words, rng)
        picture.save(folder / f"{number:04d}.png")
        truth[f"{number:04d}.png"] = boxes
    return truth


def scene(
    photograph: Image.Image, fonts: Sequence[str], words: Sequence[str], rng: np.random.Generator
) -> tuple[Image.Image, list[Box]]:
    """A part of a photograph with one to four lines of text, and the boxes around their ink."""
    side = int(rng.integers(SIDE // 2, min(photograph.size) + 1))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photograph.size)
    picture = photograph.crop((left, top, left + side, top + side)).resize((SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    boxes: list[Box] = []
    for _ in range(int(rng.integers(1, 5))):
        font = ImageFont.truetype(
            str(font_folder() / str(rng.choice(fonts))), int(rng.integers(14, 34))
        )
        text = " ".join(rng.choice(words, int(rng.integers(1, 4))))
        text = text.upper() if rng.random() < 0.3 else text
        ink = draw.textbbox((0, 0), text, font=font)
        width, height = ink[2] - ink[0], ink[3] - ink[1]
        if width > SIDE - 8 or height > SIDE - 8:
            continue
        x, y = (int(rng.integers(4, SIDE - length - 3)) for length in (width, height))
        box = (float(x), float(y), float(x + width), float(y + height))
        if any(_touch(box, other) for other in boxes):
            continue
        around = np.asarray(picture.crop((x, y, x + int(width), y + int(height))))
        draw.text((x - ink[0], y - ink[1]), text, font=font, fill=ink_on(around, rng))
        boxes.append(box)
    return picture, boxes


def font_folder() -> Path:
    """Where Matplotlib's fonts are."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def ink_on(around: NDArray[Any], rng: np.random.Generator) -> tuple[int, ...]:
    """A colour that can be read on some pixels: dark on light ones, light on dark ones."""
    level = int(rng.integers(0, 60) if around.mean() > 127 else rng.integers(200, 256))
    return tuple(int(np.clip(level + part, 0, 255)) for part in rng.integers(-25, 26, 3))


def _touch(one: Box, other: Box, gap: float = 8) -> bool:
    return (
        one[0] < other[2] + gap
        and other[0] < one[2] + gap
        and one[1] < other[3] + gap
        and other[1] < one[3] + gap
    )


def boxes_of(probability: NDArray[Any]) -> list[Box]:
    """The boxes of a map of probabilities [H, W]: connected parts, grown as they were shrunken."""
    from scipy import ndimage

    labels, _ = ndimage.label(probability > PIXEL, structure=np.ones((3, 3)))
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        inside = labels[rows, columns] == number
        height, width = inside.shape
        if min(height, width) < 3 or probability[rows, columns][inside].mean() < SCORE:
            continue
        grow = height * width * UNCLIP / (2 * (height + width))
        found.append(
            (columns.start - grow, rows.start - grow, columns.stop + grow, rows.stop + grow)
        )
    return found


def matches(found: Sequence[Box], truth: Sequence[Box]) -> int:
    """How many boxes of each side belong together at IoU 0.5, each once."""
    pairs = sorted(
        ((_iou(one, other), i, j) for i, one in enumerate(found) for j, other in enumerate(truth)),
        reverse=True,
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    for iou, i, j in pairs:
        if iou >= 0.5 and i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return len(taken[0])


def _iou(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return width * height / (sum(areas) - width * height)


def hmean(hits: int, found: int, truth: int) -> tuple[float, float, float]:
    """Precision, recall and their harmonic mean."""
    precision, recall = hits / max(found, 1), hits / max(truth, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def score(folder: Path, models: Sequence[Path]) -> None:
    """Print a line a model."""
    truth: dict[str, list[Box]] = json.loads((folder / "truth.json").read_text())
    print(f"{'model':30} precision  recall   hmean   ms an image")
    for model in models:
        hits = found = 0
        begin = time.perf_counter()
        for name, probability in _maps(model, folder, list(truth)):
            boxes = boxes_of(probability)
            found += len(boxes)
            hits += matches(boxes, truth[name])
        seconds = time.perf_counter() - begin
        figures = hmean(hits, found, sum(map(len, truth.values())))
        text = "  ".join(f"{figure:7.4f}" for figure in figures)
        print(f"{model.name[-30:]:30} {text}  {seconds / len(truth) * 1000:7.1f}")


def _maps(model: Path, folder: Path, names: Sequence[str]) -> Iterator[tuple[str, NDArray[Any]]]:
    """What a detector makes of each image, in the inference engine as a user calls it."""
    from paddle import inference

    files = (next(model.glob(f"*{suffix}")) for suffix in (".pdmodel", ".pdiparams"))
    settings = inference.Config(*map(str, files))
    settings.disable_glog_info()
    settings.set_cpu_math_library_num_threads(1)
    predictor = inference.create_predictor(settings)
    given = predictor.get_input_handle(predictor.get_input_names()[0])
    for name in names:
        pixels = np.asarray(Image.open(folder / name).convert("RGB"))[:, :, ::-1] / 255
        values = ((pixels - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)
        given.copy_from_cpu(np.ascontiguousarray(values))
        predictor.run()
        out = predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()
        yield name, out.reshape(out.shape[-2:])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--photos", type=Path)
    making.add_argument("--count", type=int, default=TRAIN, help="of images to train on")
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("models", type=Path, nargs="+")
    given = parser.parse_args()
    if given.command == "make":
        make(given.folder, given.photos, given.count)
    else:
        score(given.folder, given.models)


if __name__ == "__main__":
    main()
