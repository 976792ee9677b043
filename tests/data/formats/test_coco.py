"""COCO files: what is read and what is refused."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.augmentation import no_augmentation
from graphprobe.data.batches import TrainBatches
from graphprobe.data.eval_batches import EvalBatches, split_truth, truths
from graphprobe.data.open import open_data
from graphprobe.errors import DataError


def box(image, category, corners, **more):
    return {"image_id": image, "category_id": category, "bbox": corners, **more}


class CocoFolder:
    def __init__(self, root):
        self.root = root
        self.content = {
            "images": [
                {"id": 9, "file_name": "b.png", "width": 60, "height": 40},
                {"id": 3, "file_name": "a.png", "width": 30, "height": 20},
            ],
            "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "bicycle"}],
            "annotations": [
                box(9, 18, [1.5, 2, 10, 20]),
                box(9, 2, [0, 0, 60, 40], iscrowd=1),
                box(3, 18, [0, 0, 0, 5]),
            ],
        }
        (root / "annotations").mkdir(parents=True)
        for split in ("train", "val"):
            (root / split).mkdir()
            for item in self.content["images"]:
                pixels = np.zeros((item["height"], item["width"], 3), np.uint8)
                Image.fromarray(pixels).save(root / split / item["file_name"])

    def open(self, split="val", **options):
        path = self.root / "annotations" / f"instances_{split}.json"
        path.write_text(json.dumps(self.content))
        return open_data(f"coco:{self.root}", split=split, **options)


@pytest.fixture
def coco(tmp_path):
    return CocoFolder(tmp_path / "coco")


def test_annotations_of_100_000_images_take_less_than_a_gigabyte(coco):
    count = 4_000
    outline = [float(i) for i in range(40)]
    coco.content["images"] = [
        {"id": i, "file_name": f"{i:012d}.jpg", "width": 60, "height": 40, "url": "x" * 100}
        for i in range(count)
    ]
    coco.content["annotations"] = [
        box(i, 18, [1.5, 2, 10, 20], segmentation=[outline]) for i in range(count) for _ in range(7)
    ]
    (coco.root / "val" / "000000000000.jpg").touch()
    for i in range(1, count):
        (coco.root / "val" / f"{i:012d}.jpg").symlink_to("000000000000.jpg")
    path = coco.root / "annotations" / "instances_val.json"
    path.write_text(json.dumps(coco.content))
    coco.content = {}
    tracemalloc.start()
    data = open_data(f"coco:{coco.root}", split="val")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(data) == count
    assert peak * 100_000 / count < 1e9


def test_samples(coco):
    data = coco.open()
    assert (len(data), data.class_names) == (2, ("bicycle", "dog"))
    assert data.warnings == ("a box without area was left out (1 time, first in a)",)
    a, b = data.sample(0), data.sample(1)
    assert (a.name, a.size, len(a.boxes)) == ("a", (20, 30), 0)
    assert b.boxes.tolist() == [[1.5, 2, 11.5, 22], [0, 0, 60, 40]]
    assert b.classes.tolist() == [1, 0]
    assert b.difficult.tolist() == [False, True]


def test_a_width_that_rounding_takes_is_no_area(coco):
    coco.content["annotations"].append(box(9, 18, [30.0, 2, 1e-20, 5]))
    data = coco.open()
    assert data.warnings == ("a box without area was left out (2 times, first in a)",)


def test_crowds_are_never_learned_from(coco):
    coco.content["annotations"].append(box(9, 18, [5, 5, 9, 9], ignore=1))
    data = coco.open("train")
    assert data.sample(1).crowd.tolist() == [False, True, True]
    feed = TrainBatches(data, no_augmentation(64), 2).batch(0)
    assert (feed["gt_bbox"].any(-1).sum(1) == [[0, 1], [1, 0]]).all(1).any()


def test_images_without_objects(coco):
    assert [len(coco.open().sample(index).boxes) for index in (0, 1)] == [0, 2]
    data = coco.open(empty=False)
    assert [data.sample(index).name for index in range(len(data))] == ["b"]
    coco.content["annotations"] = []
    with pytest.raises(DataError, match="no image has an object"):
        coco.open(empty=False)


def test_areas_are_those_of_the_outlines(coco):
    coco.content["annotations"][0]["area"] = 77.5
    assert coco.open().sample(1).areas.tolist() == [77.5, 2400.0]
    _, truth = split_truth(EvalBatches(coco.open(), 64).batch(0))
    assert truths(truth)[1].areas.tolist() == [77.5, 2400.0]
    for wrong in ("77", None, -1, 1e999):
        coco.content["annotations"][0]["area"] = wrong
        assert coco.open().sample(1).areas.tolist() == [200.0, 2400.0]


def test_names_with_folders(coco):
    (coco.root / "val" / "deep").mkdir()
    (coco.root / "val" / "a.png").rename(coco.root / "val" / "deep" / "c.png")
    coco.content["images"][1]["file_name"] = "deep/c.png"
    coco.content["images"][0]["file_name"] = "/home/somebody/b.png"
    assert [coco.open().sample(index).name for index in (0, 1)] == ["c", "b"]


def test_images_that_are_turned_by_exif(coco):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
    stored.save(coco.root / "val" / "b.png", exif=exif)
    assert coco.open().sample(1).size == (40, 60)
    coco.content["images"][0] |= {"width": 40, "height": 60}
    coco.content["annotations"] = []
    assert coco.open().sample(1).size == (60, 40)


def test_the_json_file_itself_can_be_named(coco):
    coco.open("val")
    path = coco.root / "annotations" / "instances_val.json"
    assert len(open_data(f"coco:{path}")) == 2
    assert len(open_data(f"coco:{path}", images=str(coco.root / "train"))) == 2


@pytest.mark.parametrize(
    ("part", "item", "said"),
    [
        ("annotations", box(7, 18, [0, 0, 1, 1]), "annotations[3]: there is no image with id 7"),
        ("annotations", box(9, 5, [0, 0, 1, 1]), "annotations[3]: there is no category with id 5"),
        ("annotations", box(9, 18, [0, 0, 1]), "annotations[3]: bbox is not four finite numbers"),
        ("annotations", box(9, 18, [0, 0, 1, 1e999]), "annotations[3]: bbox is not four"),
        ("annotations", box(9, 18, [70, 0, 5, 5]), "annotations[3] lies outside its 60 x 40"),
        ("annotations", box(9, 18, [0, 0, 99, 5]), "annotations[3] reaches 39 pixels out"),
        ("annotations", 4, "annotations[3] is not an object"),
        ("annotations", box([], {}, None), "annotations[3]: there is no image with id []"),
        ("images", {"id": 1}, "images[2] lacks a file_name"),
        ("images", {"id": 9, "file_name": "b.png"}, "images[2] lacks an id of its own"),
        ("images", {"id": 1, "file_name": "a.png", "width": 0}, "images[2] lacks width and height"),
        (
            "images",
            {"id": 1, "file_name": "../../c.png", "width": 1, "height": 1},
            "c.png is missing from",
        ),
        ("categories", {"id": "2", "name": "x"}, "categories[2] lacks an id or a name"),
        ("categories", {"id": 2, "name": "x"}, "categories[2]: id 2 stands there twice"),
    ],
)
def test_wrong_entries_are_named(coco, part, item, said):
    coco.content[part].append(item)
    with pytest.raises(DataError) as caught:
        coco.open()
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": 3}', "[" * 100000, "\xff"])
def test_files_that_are_no_annotations(coco, text):
    coco.open()
    (coco.root / "annotations" / "instances_val.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"instances_val\.json"):
        open_data(f"coco:{coco.root}?split=val")


def test_wrong_paths(coco):
    coco.open()
    with pytest.raises(DataError, match="did you mean val"):
        open_data(f"coco:{coco.root}?split=vall")
    with pytest.raises(DataError, match="no such folder of images"):
        open_data(f"coco:{coco.root}?split=val", images="/no/where")


def test_a_picture_of_another_size_is_named(coco):
    coco.content["images"][0]["width"] = 61
    with pytest.raises(DataError, match=r"b\.png: is 60 x 40 pixels, its annotation has 61 x 40"):
        coco.open().sample(1)
