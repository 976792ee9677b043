"""What is found goes into files of its own; nothing else is touched."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.draw_boxes import Mark, colour_of, palette_png
from graphprobe.data.image_files import find_images
from graphprobe.data.sample import detection_sample
from graphprobe.errors import GraphprobeError

pytestmark = pytest.mark.paddle
NAMES = ("cat", "dog")


def found(name: str, *, mask: bool = False):
    from graphprobe.training.predict import Found

    sample = detection_sample(name, np.full((40, 60, 3), 90, np.uint8), [[1, 2, 30, 20]], [0])
    if mask:
        return Found(sample, (), np.repeat(np.arange(2, dtype=np.uint8), 1200).reshape(40, 60))
    return Found(sample, (Mark((1, 2, 30, 20), 0, 0.6), Mark((5, 5, 9, 9), 1, 0.9)))


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_an_image_has_files_of_its_own(tmp_path: Path) -> None:
    from graphprobe.training.predict_files import PredictionFolder, describe

    with PredictionFolder(tmp_path / "out", NAMES, sheet=True) as folder:
        documents = [folder.write(found(name)) for name in ("a/x.jpg", "a/x.png", "b/x.jpg")]
    assert files(tmp_path / "out") == {
        *("a/x.jpg.png", "a/x.png.png", "b/x.jpg.png", "found.json", "sheet.png"),
    }
    assert json.loads((tmp_path / "out" / "found.json").read_text()) == documents
    assert documents[0]["boxes"][0] == {"class": "dog", "score": 0.9, "box": [5, 5, 9, 9]}
    assert (documents[0]["height"], documents[0]["width"]) == (40, 60)
    assert describe(documents[0]) == "2 objects: dog 0.90, cat 0.60"


def test_an_image_whose_name_is_no_utf_8_is_listed(tmp_path: Path) -> None:
    from graphprobe.training.predict_files import PredictionFolder

    name = os.fsdecode(b"\xff.jpg")
    with PredictionFolder(tmp_path, NAMES, sheet=True) as folder:
        folder.write(found(name))
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))[0]["image"] == name
    assert files(tmp_path) == {f"{name}.png", "found.json", "sheet.png"}


def test_masks_have_a_palette(tmp_path: Path) -> None:
    from graphprobe.training.predict_files import PredictionFolder, describe

    with PredictionFolder(tmp_path, NAMES) as folder:
        document = folder.write(found("x.jpg", mask=True))
    assert document["mask"] == "x.jpg.mask.png" and document["classes"] == {"cat": 0.5, "dog": 0.5}
    assert describe(document) == "cat 50%, dog 50%"
    mask = Image.open(tmp_path / "x.jpg.mask.png")
    assert mask.mode == "P" and np.unique(np.asarray(mask)).tolist() == [0, 1]
    assert mask.convert("RGB").getpixel((0, 39)) == colour_of(1)
    whole = Image.open(io.BytesIO(palette_png(np.arange(256, dtype=np.uint8)[None])))
    assert np.asarray(whole)[0].tolist() == list(range(256))


def test_originals_are_never_replaced(tmp_path: Path) -> None:
    from graphprobe.training.predict_files import PredictionFolder

    originals = [tmp_path / "x.jpg", tmp_path / "x.jpg.png", tmp_path / "found.json"]
    for path in originals:
        path.write_bytes(b"mine")
    inputs = [file.path for file in find_images([tmp_path])]
    for force in (False, True):
        writer = PredictionFolder(tmp_path, NAMES, inputs=inputs, force=force)
        with pytest.raises(GraphprobeError, match=r"x\.jpg\.png: is one of the inputs"):
            writer.refuse_existing(["x.jpg"])
    with pytest.raises(GraphprobeError, match=r"found\.json: is there already"):
        PredictionFolder(tmp_path, NAMES).__enter__()
    assert all(path.read_bytes() == b"mine" for path in originals)


def test_an_earlier_run_is_replaced_only_when_asked(tmp_path: Path) -> None:
    from graphprobe.training.predict_files import PredictionFolder, new_folder

    with PredictionFolder(tmp_path / "infer", NAMES) as folder:
        folder.write(found("x.jpg"))
        with pytest.raises(GraphprobeError, match="would be written twice"):
            folder.write(found("x.jpg"))
    with pytest.raises(
        GraphprobeError, match=r"x\.jpg\.png: is there already; name another folder"
    ):
        PredictionFolder(tmp_path / "infer", NAMES).refuse_existing(["x.jpg"])
    with PredictionFolder(tmp_path / "infer", NAMES, force=True) as folder:
        folder.write(found("x.jpg"))
    assert new_folder(tmp_path / "infer") == tmp_path / "infer-2"
    assert new_folder(tmp_path / "other") == tmp_path / "other"


def test_a_run_that_fails_writes_no_list(tmp_path: Path) -> None:
    from graphprobe.training.predict_files import PredictionFolder

    with pytest.raises(KeyboardInterrupt), PredictionFolder(tmp_path, NAMES) as folder:
        folder.write(found("x.jpg"))
        raise KeyboardInterrupt
    assert files(tmp_path) == {"x.jpg.png"}
