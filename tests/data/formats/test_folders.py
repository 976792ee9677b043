"""Data as people have them: images alone, a folder a class, YOLO text, masks, arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.augmentation import no_augmentation
from graphprobe.data.batches import TrainBatches
from graphprobe.data.eval_batches import EvalBatches, split_truth
from graphprobe.data.formats._folders import is_held_out
from graphprobe.data.open import open_data
from graphprobe.data.splits import train_and_val
from graphprobe.errors import DataError


def image(path: Path, size: tuple[int, int] = (60, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 20, 30)).save(path)
    return path


def mask(path: Path, values: list[int], size: tuple[int, int] = (60, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.resize(np.array(values, np.uint8), (size[1], size[0]))
    Image.fromarray(pixels).save(path)
    return path


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def names(spec: str) -> list[str]:
    data = open_data(spec)
    return [data.sample(index).name for index in range(len(data))]


# images


def test_images_of_a_folder_and_of_a_list(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/x.png", "a/with space.png"):
        image(tmp_path / name)
    assert names(f"images:{tmp_path}") == ["a/with space.png", "a/x.png", "b.jpg"]
    listed = text(tmp_path / "list.txt", "b.jpg", "a/with space.png", f"{tmp_path}/a/x.png 3")
    data = open_data(f"images:{listed}")
    assert len(data) == 3 and data.task == "images" and data.class_names == ()
    assert sorted(TrainBatches(data, no_augmentation(32), 2).batch(0)) == ["image"]
    assert train_and_val(f"images:{tmp_path}") == (f"images:{tmp_path}", None)
    parts = [names(f"images:{tmp_path}?split={part}&held_out=0.4") for part in ("train", "val")]
    assert sorted([*parts[0], *parts[1]]) == names(f"images:{tmp_path}") and all(parts)
    text(listed, "b.jpg", "none.jpg")
    with pytest.raises(DataError, match=r"1 of 2 images are missing: none\.jpg"):
        open_data(f"images:{listed}")
    with pytest.raises(DataError, match="does not exist"):
        open_data(f"images:{tmp_path}/nowhere")


def test_broken_images_are_left_out_and_counted(tmp_path: Path) -> None:
    for name in ("a.png", "d.png"):
        image(tmp_path / name)
    text(tmp_path / "b.png", "no image")
    Image.effect_noise((60, 40), 50).save(tmp_path / "c.png")
    whole = (tmp_path / "c.png").read_bytes()
    (tmp_path / "c.png").write_bytes(whole[: len(whole) // 2])  # its head is that of an image
    data = open_data(f"images:{tmp_path}")
    assert data.warnings == ("1 of 4 files are no images and left out: b.png",)
    assert [data.sample(i).name for i in range(len(data))] == ["a.png", "d.png", "d.png"]
    for name in ("a.png", "c.png", "d.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"none of its 4 files can be read as an image: a\.png"):
        open_data(f"images:{tmp_path}")


# folder


def test_a_folder_a_class(tmp_path: Path) -> None:
    made = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(30)]
    for name in made:
        image(tmp_path / name)
    train, val = train_and_val(f"folder:{tmp_path}")
    assert val is not None
    first, second = names(train), names(val)
    assert sorted(first + second) == sorted(made) and not set(first) & set(second)
    assert 3 <= len(second) <= 24
    # A new image moves none of the others to the other part.
    image(tmp_path / "dog" / "new.png")
    assert set(names(val)) - {"dog/new.png"} == set(second)
    assert len(open_data(f"folder:{tmp_path}?split=all")) == 61
    data = open_data(train)
    assert (data.task, data.class_names) == ("classification", ("cat", "dog"))
    assert data.sample(0).label == 0 and data.sample(len(data) - 1).label == 1
    batch = TrainBatches(data, no_augmentation(32), 4).batch(0)
    assert batch["label"].shape == (4, 1) and batch["label"].dtype == np.int64
    _, truth = split_truth(EvalBatches(data, 32).batch(0))
    assert truth["truth_label"].tolist() == [0] * 8


def test_folders_of_splits(tmp_path: Path) -> None:
    for name in ("train/cat/a.png", "train/dog/b.png", "valid/dog/c.png"):
        image(tmp_path / name)
    train, val = train_and_val(f"folder:{tmp_path}")
    assert val == f"folder:{tmp_path}?split=valid"
    assert names(train) == ["cat/a.png", "dog/b.png"]
    held = open_data(val)
    assert held.class_names == ("cat", "dog") and held.sample(0).label == 1
    with pytest.raises(DataError, match=r"no split called 'test'"):
        open_data(f"folder:{tmp_path}?split=test")


def test_classes_that_do_not_fit(tmp_path: Path) -> None:
    image(tmp_path / "cat" / "a.png")
    with pytest.raises(DataError, match="fewer than two folders"):
        open_data(f"folder:{tmp_path}?split=all")
    image(tmp_path / "stray.png")
    image(tmp_path / "dogg" / "b.png")
    text(tmp_path / "labels.txt", "dog", "cat")
    with pytest.raises(DataError) as caught:
        open_data(f"folder:{tmp_path}?split=all")
    assert "dogg is not in the label list; stray.png lies in no folder of" in str(caught.value)
    with pytest.raises(DataError, match=r"held_out must be from 0 to 1, not 1\.5"):
        (tmp_path / "stray.png").unlink()
        (tmp_path / "labels.txt").unlink()
        open_data(f"folder:{tmp_path}?held_out=1.5")


def test_the_hash_holds_out_its_share() -> None:
    held = sum(is_held_out(f"{number}.jpg", 0.2) for number in range(10_000))
    assert 1_850 < held < 2_150
    assert not is_held_out("a", 0.0)


# seg


def test_lists_of_images_and_labels(tmp_path: Path) -> None:
    for name in "ab":
        image(tmp_path / "images" / f"{name}.jpg")
        mask(tmp_path / "labels" / f"{name}.png", [0, 1, 255])
    text(tmp_path / "train.txt", "images/a.jpg labels/a.png")
    text(tmp_path / "val.txt", "images/b.jpg labels/b.png")
    text(tmp_path / "labels.txt", "background", "road")
    assert train_and_val(f"seg:{tmp_path}")[1] == f"seg:{tmp_path}?split=val"
    data = open_data(f"seg:{tmp_path}")
    assert (data.task, data.class_names) == ("segmentation", ("background", "road"))
    assert names(f"seg:{tmp_path}?split=val") == ["images/b.jpg"]
    assert np.unique(data.sample(0).mask).tolist() == [0, 1, 255]
    text(tmp_path / "train.txt", "images/a.jpg")
    with pytest.raises(DataError, match="is not an image and its labels"):
        open_data(f"seg:{tmp_path}")


def test_labels_by_name_and_without_a_list(tmp_path: Path) -> None:
    for number in range(12):
        image(tmp_path / "images" / "deep" / f"{number}.jpg")
        mask(tmp_path / "masks" / "deep" / f"{number}.png", [0, 3, 255])
    data = open_data(f"seg:{tmp_path}?split=all")
    assert data.class_names == ("0", "1", "2", "3") and len(data) == 12
    assert "there is no list of classes" in data.warnings[0]
    assert len(open_data(f"seg:{tmp_path}?split=all&classes=2")) == 12
    with pytest.raises(DataError, match=r"holds the class 3, of 2 classes; classes count from 0"):
        open_data(f"seg:{tmp_path}?split=all&classes=2").sample(0)
    image(tmp_path / "images" / "alone.jpg")
    mask(tmp_path / "masks" / "deep" / "0.png", [0], (9, 9))
    with pytest.raises(DataError, match=r"alone\.jpg has no label image"):
        open_data(f"seg:{tmp_path}?split=all")
    (tmp_path / "images" / "alone.jpg").unlink()
    with pytest.raises(DataError, match=r"deep/0\.png is not of its image's size"):
        open_data(f"seg:{tmp_path}?split=all")


# yolo


def yolo(root: Path, layout: str = "images/{split}") -> None:
    for split, name in (("train", "a"), ("train", "b"), ("val", "c")):
        place = root / layout.format(split=split)
        image(place / f"{name}.jpg")
        labels = root / layout.format(split=split).replace("images", "labels")
        if name != "b":
            text(labels / f"{name}.txt", "0 0.5 0.5 0.5 0.5", "1 0 0 0.5 0 0.5 1 0 1")


@pytest.mark.parametrize("layout", ["images/{split}", "{split}/images"])
def test_layouts_of_yolo(tmp_path: Path, layout: str) -> None:
    yolo(tmp_path, layout)
    text(tmp_path / "classes.txt", "cat", "dog")
    train, val = train_and_val(f"yolo:{tmp_path}")
    data = open_data(train)
    assert (data.task, data.class_names) == ("detection", ("cat", "dog"))
    sample, empty = data.sample(0), data.sample(1)
    assert sample.boxes.tolist() == [[15, 10, 45, 30], [0, 0, 30, 40]]
    assert sample.classes.tolist() == [0, 1] and len(empty.boxes) == 0
    assert val is not None and len(open_data(val)) == 1


@pytest.mark.parametrize("names_of", ["[cat, dog]", "{0: cat, 1: dog}"])
def test_data_yaml(tmp_path: Path, names_of: str) -> None:
    yolo(tmp_path)
    yaml = text(tmp_path / "data.yaml", "train: ../images/train", "val: images/val")
    text(yaml, "train: ../images/train", "val: images/val", f"names: {names_of}")
    for spec in (f"yolo:{tmp_path}", f"yolo:{yaml}"):
        train, val = train_and_val(spec)
        assert open_data(train).class_names == ("cat", "dog")
        assert names(val or "") == ["images/val/c.jpg"]
    text(yaml, "train: [", "names: 3")
    with pytest.raises(DataError, match=r"data\.yaml: cannot be read as YAML"):
        open_data(f"yolo:{tmp_path}")
    text(yaml, "train: images/train", "names: {cat: 0}")
    with pytest.raises(DataError, match="names must be a list, or numbers with their names"):
        open_data(f"yolo:{tmp_path}")


def test_one_folder_of_yolo_is_parted_by_a_hash(tmp_path: Path) -> None:
    for number in range(20):
        image(tmp_path / "images" / f"{number}.jpg")
        text(tmp_path / "labels" / f"{number}.txt", "2 0.5 0.5 1 1")
    train, val = (open_data(spec or "") for spec in train_and_val(f"yolo:{tmp_path}"))
    assert len(train) + len(val) == 20 and train.class_names == ("0", "1", "2")
    assert "there are no names of classes" in train.warnings[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cat 0 0 1 1", "line 1 'cat 0 0 1 1' is not numbers"),
        ("7 0.5 0.5 1 1", "line 1 has the class 7, of 2 classes"),
        ("0.5 0.5 0.5 1 1", "has the class 0.5, which is no whole number"),
        ("nan 0.5 0.5 1 1", "has the class nan, which is no whole number"),
        ("0 0.5 0.5 1", "has 3 finite numbers behind its class"),
        ("0 0.5 0.5 nan 1", "has 4 finite numbers behind its class"),
        ("0 30 20 10 10", "is not in shares of the image's sides"),
        ("0 0.9 0.5 0.9 0.5", "line 1 reaches 21 pixels out of its 60 x 40"),
    ],
)
def test_wrong_lines_of_yolo(tmp_path: Path, line: str, said: str) -> None:
    yolo(tmp_path)
    text(tmp_path / "classes.txt", "cat", "dog")
    text(tmp_path / "labels" / "train" / "a.txt", line)
    with pytest.raises(DataError) as caught:
        open_data(f"yolo:{tmp_path}")
    assert said in str(caught.value)


# npz


def test_arrays_by_the_names_of_inputs(tmp_path: Path) -> None:
    for number in range(10):
        np.savez(tmp_path / f"{number}.npz", ids=np.full(7, number), mask=np.ones((2, 3), np.int8))
    data = open_data(f"npz:{tmp_path}?split=all")
    assert (len(data), data.task) == (10, "arrays")
    batches = TrainBatches(data, no_augmentation(32), 4, numbered=True)
    batch = batches.batch(0)
    assert batch["ids"].shape == (4, 7) and batch["mask"].shape == (4, 2, 3)
    assert batch["ids"][:, 0].tolist() == batch["sample_index"].tolist()
    assert EvalBatches(data, 32, 4).batch(2)["ids"][:, 0].tolist() == [8, 9]
    np.savez(tmp_path / "3.npz", ids=np.zeros(5))
    with pytest.raises(DataError, match=r"\.npz: has \{'ids': .*\[5\]'\}, and "):
        EvalBatches(data, 32, 10).batch(0)
    with pytest.raises(DataError, match=r"holds no \.npz files"):
        open_data(f"npz:{tmp_path.parent}")


def test_a_list_of_images_with_their_classes(tmp_path: Path) -> None:
    for name in ("b.png", "a/x y.png", "c.png"):
        image(tmp_path / name)
    listed = text(tmp_path / "train_list.txt", "b.png 2", "a/x y.png 0", "c.png 2")
    data = open_data(f"folder:{listed}?split=all")
    assert data.class_names == ("0", "1", "2") and data.task == "classification"
    found = [(data.sample(i).name, data.sample(i).label) for i in range(3)]
    assert found == [("b.png", 2), ("a/x y.png", 0), ("c.png", 2)]
    text(listed, "b.png dog", "c.png cat")
    data = open_data(f"folder:{listed}?split=all")
    assert (data.class_names, data.sample(0).label) == (("cat", "dog"), 1)
    text(tmp_path / "labels.txt", "dog", "cat")
    assert open_data(f"folder:{listed}?split=all").sample(0).label == 0
    text(listed, "b.png dig", "gone.png cat", "c.png")
    with pytest.raises(DataError) as error:
        open_data(f"folder:{listed}")
    for words in ("dig is not in the label list", "gone.png is missing", "c.png has no class"):
        assert words in str(error.value)
    (tmp_path / "labels.txt").unlink()
    text(listed, "b.png 0")
    with pytest.raises(DataError, match="names fewer than two classes"):
        open_data(f"folder:{listed}")
