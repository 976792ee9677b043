"""Image files below folders: which are found, and what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.image_files import ImageFolder, find_images
from graphprobe.errors import DataError


def make(path: Path, size: tuple[int, int] = (6, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def names(*inputs: Path, **more: Path) -> list[str]:
    return [file.name for file in find_images(inputs, **more)]


def test_names_are_paths_below_what_all_share(tmp_path: Path, monkeypatch) -> None:
    a, b, c = (make(tmp_path / name) for name in ("a/x.jpg", "a/x.png", "b/x.jpg"))
    assert names(tmp_path) == ["a/x.jpg", "a/x.png", "b/x.jpg"]
    assert names(tmp_path / "a", c) == ["a/x.jpg", "a/x.png", "b/x.jpg"]
    assert names(a, b, c, a) == ["a/x.jpg", "a/x.png", "b/x.jpg"]
    assert names(a) == ["x.jpg"]
    monkeypatch.chdir(tmp_path / "a")
    assert names(Path("x.jpg"), Path("../b")) == ["a/x.jpg", "b/x.jpg"]
    data = ImageFolder(find_images([tmp_path]))
    assert (len(data), data.task, data.sample(2).name) == (3, "images", "b/x.jpg")


def test_what_is_left_out(tmp_path: Path) -> None:
    make(tmp_path / "one.png")
    make(tmp_path / ".hidden" / "two.png")
    make(tmp_path / "out" / "three.png")
    (tmp_path / "notes.txt").write_text("no image")
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "none")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert names(tmp_path, leave_out=tmp_path / "out") == ["one.png"]


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        find_images([tmp_path / "blue.png"])
    with pytest.raises(DataError, match="holds no images"):
        find_images([tmp_path])


def test_a_fifo_that_is_named_is_one_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    data = ImageFolder(find_images([tmp_path / "fifo.png"]))
    with pytest.raises(DataError, match="not a regular file"):
        data.sample(0)


def test_images_are_turned_as_viewers_show_them(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    image = ImageFolder(find_images([tmp_path])).sample(0).image
    assert image.shape == (6, 4, 3) and image[0, 3].tolist() == [255] * 3
