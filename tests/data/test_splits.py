"""One line for a folder stands for the line of training and the line of evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.open import open_data
from graphprobe.data.splits import train_and_val
from graphprobe.errors import DataError


def test_digits_have_both():
    assert train_and_val("digits") == ("digits?split=train", "digits?split=val")
    train, val = train_and_val("digits_seg?count=9")
    assert (train, val) == ("digits_seg?count=9&split=train", "digits_seg?count=9&split=val")
    assert len(open_data(val)) == 9


def test_voc_takes_the_lists_that_are_there(voc):
    assert train_and_val(voc.spec) == (f"{voc.spec}?split=train", f"{voc.spec}?split=val")
    voc.list("trainval", ["one", "two"])
    assert train_and_val(f"{voc.spec}?clip=true")[0] == f"{voc.spec}?clip=true&split=train"
    voc.list("test", ["three"])
    found = train_and_val(voc.spec)
    assert found == (f"{voc.spec}?split=trainval", f"{voc.spec}?split=test")
    assert [len(open_data(line)) for line in found] == [2, 1]


def test_a_split_that_is_named_is_taken(voc):
    assert train_and_val(f"{voc.spec}?split=val") == (f"{voc.spec}?split=val", None)


def test_without_a_second_list_nothing_is_evaluated(voc):
    (voc.root / "ImageSets/Main/val.txt").unlink()
    assert train_and_val(voc.spec) == (f"{voc.spec}?split=train", None)
    (voc.root / "ImageSets/Main/train.txt").rename(voc.root / "ImageSets/Main/mine.txt")
    with pytest.raises(DataError, match=r"there are mine; name one, as \?split=NAME"):
        train_and_val(voc.spec)


def test_the_layout_of_paddledetection(voc, tmp_path):
    """Lists with paths lie beside VOCdevkit; a year may lack a list (test has no 2012)."""
    root = tmp_path / "dataset"
    year = root / "VOCdevkit" / "VOC2007"
    year.parent.mkdir(parents=True)
    voc.root.rename(year)
    base = "VOCdevkit/VOC2007"
    for split, names in (("trainval", ("one", "two")), ("test", ("three",))):
        lines = [f"{base}/JPEGImages/{n}.jpg {base}/Annotations/{n}.xml\n" for n in names]
        (root / f"{split}.txt").write_text("".join(lines))
    (root / "label_list.txt").write_text("dog\ncat\n")
    found = train_and_val(f"voc:{root}")
    assert found == (f"voc:{root}?split=trainval.txt", f"voc:{root}?split=test.txt")
    train, test = map(open_data, found)
    assert (len(train), len(test)) == (2, 1) and train.class_names == ("dog", "cat")
    assert train.sample(0).image.shape == (40, 60, 3)


def test_a_list_of_one_of_two_years(voc, tmp_path):
    devkit = tmp_path / "VOCdevkit"
    devkit.mkdir()
    voc.root.rename(devkit / "VOC2007")
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (devkit / "VOC2012" / part).mkdir(parents=True)
    assert len(open_data(f"voc:{devkit}?split=val")) == 1


def test_coco_and_cityscapes(tmp_path):
    (tmp_path / "annotations").mkdir()
    for split in ("train2017", "val2017"):
        (tmp_path / split).mkdir()
        content = {"images": [], "annotations": [], "categories": []}
        (tmp_path / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    line = f"coco:{tmp_path}"
    assert train_and_val(line) == (f"{line}?split=train2017", f"{line}?split=val2017")
    for split in ("train", "val", "test"):
        folder = tmp_path / "leftImg8bit" / split / "aachen"
        folder.mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / "a_leftImg8bit.png")
    line = f"cityscapes:{tmp_path}"
    assert train_and_val(line) == (f"{line}?split=train", f"{line}?split=val")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("vco:/a", "did you mean voc"),
        ("voc", "voc: needs a path; write voc:PATH"),
        ("images:", "images: needs a path; write images:PATH"),
        ("voc:/no/such", "does not exist"),
        ("coco:/no/such", "there are none"),
    ],
)
def test_bad_lines(spec: str, said: str):
    with pytest.raises(DataError) as caught:
        train_and_val(spec)
    assert said in str(caught.value) and "::" not in str(caught.value)


def test_a_real_folder(shared_data: Path):
    line = f"voc:{shared_data / 'bccd'}"
    assert train_and_val(line) == (f"{line}?split=trainval", f"{line}?split=test")


@pytest.mark.parametrize(("train", "val"), [("training", "validation"), ("train", "valid")])
def test_other_names_of_splits(voc, train, val):
    lists = voc.root / "ImageSets/Main"
    (lists / "train.txt").rename(lists / f"{train}.txt")
    (lists / "val.txt").rename(lists / f"{val}.txt")
    assert train_and_val(voc.spec) == (f"{voc.spec}?split={train}", f"{voc.spec}?split={val}")
