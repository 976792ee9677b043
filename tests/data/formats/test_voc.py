"""VOC folders: what is read, what is odd, and what is refused."""

from __future__ import annotations

import pytest

from graphprobe.data.open import open_data
from graphprobe.errors import DataError


def test_samples_have_far_edges(voc):
    data = open_data(voc.spec)
    assert (len(data), data.class_names, data.warnings) == (2, ("cat", "dog"), ())
    one = data.sample(0)
    assert (one.name, one.size) == ("one", (40, 60))
    assert one.boxes.tolist() == [[0, 0, 20, 10], [10, 4, 60, 40]]
    assert one.classes.tolist() == [1, 0]
    assert one.difficult.tolist() == [False, True]
    three = data.sample(1)
    assert three.boxes.shape == (0, 4)
    assert three.classes.shape == (0,)


def test_every_list_numbers_the_classes_alike(voc):
    assert open_data(f"{voc.spec}?split=val").class_names == ("cat", "dog")


def test_a_label_list_decides(voc, tmp_path):
    (voc.root / "label_list.txt").write_text("dog\ncat\nbird\n")
    data = open_data(voc.spec)
    assert data.class_names == ("dog", "cat", "bird")
    assert data.sample(0).classes.tolist() == [0, 1]
    other = tmp_path / "labels.txt"
    other.write_text("cat\ndogs\n")
    with pytest.raises(DataError, match="class 'dog' is not in the label list; did you mean dogs"):
        open_data(voc.spec, labels=str(other))
    other.write_text("dog\ndog\n")
    with pytest.raises(DataError, match="names dog more than once"):
        open_data(voc.spec, labels=str(other))
    with pytest.raises(DataError, match="the label list does not exist"):
        open_data(voc.spec, labels=str(tmp_path / "no.txt"))


def test_a_folder_of_folders_is_read_together(tmp_path, voc, an_object):
    other = type(voc)(tmp_path / "kit" / "VOC2012")
    other.add("four", an_object("emu", (1, 1, 9, 9)))
    other.list("train", ["four"])
    voc.root.rename(tmp_path / "kit" / "VOC2007")
    data = open_data(f"voc:{tmp_path / 'kit'}")
    assert [data.sample(i).name for i in range(3)] == ["one", "three", "four"]
    assert data.class_names == ("cat", "dog", "emu")


def test_lists_with_paths_and_with_flags(voc):
    lines = ["JPEGImages/two.jpg Annotations/two.xml", "JPEGImages/one.jpg Annotations/one.xml"]
    (voc.root / "mine.txt").write_text("\n".join(lines))
    data = open_data(f"{voc.spec}?split=mine.txt")
    assert [data.sample(i).name for i in range(2)] == ["two", "one"]
    voc.list("dog_train", ["one  1", "three -1"])
    assert len(open_data(f"{voc.spec}?split=dog_train")) == 2
    voc.list("bad", ["one two three"])
    with pytest.raises(DataError, match="'one two three' is not understood"):
        open_data(f"{voc.spec}?split=bad")


def test_another_suffix_is_found(voc, an_object):
    voc.picture("png", suffix=".png")
    voc.annotation("png", [an_object("dog", (1, 1, 5, 5))])
    voc.list("train", ["png"])
    assert open_data(voc.spec).sample(0).image.shape == (40, 60, 3)


def test_oddities_are_told_once_a_kind(voc, an_object):
    size = "<size><width>600</width><height>400</height></size>"
    voc.annotation(
        "one", [an_object("dog", (7, 7, 7, 30)), an_object("cat", (-1, 1, 62, 41))], size
    )
    voc.annotation("three", [an_object("dog", (5, 5, 9, 5)), an_object("dog", (0, 0, 9, 9))])
    data = open_data(voc.spec)
    assert data.warnings == (
        "the size in the annotation is not the image's (1 time, first in one)",
        "a box without area was left out (2 times, first in one)",
        "a box was cut at the image's edge (1 time, first in one)",
    )
    assert data.sample(0).boxes.tolist() == [[0, 0, 60, 40]]
    assert data.sample(1).boxes.tolist() == [[0, 0, 9, 9]]


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((61, 1, 90, 9), "one: box 1 (dog) lies outside its 60 x 40 image"),
        ((-30, -30, -5, -5), "one: box 1 (dog) lies outside its 60 x 40 image"),
        ((1, 1, 99, 9), "reaches 39 pixels out of its 60 x 40 image; correct the box, or cut"),
        ((20, 1, 10, 9), "one: box 1 (dog) has its corners the wrong way round"),
        (("nan", 1, 10, 9), "one.xml: object 1: xmin is 'nan'"),
        (("1e999", 1, 10, 9), "one.xml: object 1: xmin is '1e999'"),
        ((1, "ten", 10, 9), "one.xml: object 1: ymin is 'ten'"),
        ((1, "", 10, 9), "one.xml: object 1: ymin is missing"),
    ],
)
def test_wrong_boxes_are_named(voc, an_object, box, said):
    voc.annotation("one", [an_object("dog", box)])
    with pytest.raises(DataError) as caught:
        open_data(voc.spec)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(voc.root))


def test_boxes_can_be_cut_on_request(voc, an_object):
    voc.annotation("one", [an_object("dog", (1, 1, 99, 9))])
    data = open_data(voc.spec, clip=True)
    assert data.sample(0).boxes.tolist() == [[0, 0, 60, 9]]
    assert data.warnings == ("a box was cut at the image's edge (1 time, first in one)",)


def test_all_problems_are_counted_and_the_first_told(voc):
    names = [f"p{i}" for i in range(7)]
    for name in names[:5]:
        voc.annotation(name, [])
    voc.list("train", ["one", *names])
    with pytest.raises(DataError) as caught:
        open_data(voc.spec)
    assert str(caught.value) == (
        f"{voc.root}: p0: p0.jpg is missing; p1: p1.jpg is missing; p2: p2.jpg is missing; "
        "and 4 more problems; add the image or take its name out of the list"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not XML"),
        ("<annotation><object>", "is not XML"),
        ("plain words", "is not XML"),
        ("<annotation><object></object></annotation>", "object 1 has no name"),
        ("<annotation><object><name>dog</name></object></annotation>", "xmin is missing"),
        (
            '<!DOCTYPE a [<!ENTITY x "boom"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>',
            "document type or entities",
        ),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>',
            "document type or entities",
        ),
        ("<a>" * 40 + "</a>" * 40, "nest too deep"),
        ('<?xml version="1.0" encoding="no-such"?><annotation/>', "is not XML"),
        ("<annotation>" + " " * (9 << 20) + "</annotation>", "larger than 8 MiB"),
    ],
)
def test_bad_annotations_are_refused(voc, content, said):
    (voc.root / "Annotations" / "one.xml").write_text(content)
    with pytest.raises(DataError, match="one.xml") as caught:
        open_data(voc.spec)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_broken_files_are_refused(voc):
    (voc.root / "Annotations" / "one.xml").unlink()
    (voc.root / "JPEGImages" / "three.jpg").write_bytes(b"not an image")
    with pytest.raises(DataError) as caught:
        open_data(voc.spec)
    assert "one: one.xml is missing; three: three.jpg is not an image" in str(caught.value)


def test_a_truncated_picture_is_named_when_it_is_read(voc):
    path = voc.root / "JPEGImages" / "one.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    data = open_data(voc.spec)
    with pytest.raises(DataError, match=r"one\.jpg: is damaged"):
        data.sample(0)


@pytest.mark.parametrize(
    ("path", "said"),
    [("nowhere", "does not exist"), ("set/JPEGImages", "is not a VOC folder")],
)
def test_wrong_folders(voc, tmp_path, path, said):
    with pytest.raises(DataError, match=said):
        open_data(f"voc:{tmp_path / path}")


def test_wrong_lists(voc):
    voc.list("empty", [])
    with pytest.raises(DataError, match="the list empty is empty"):
        open_data(f"{voc.spec}?split=empty")
    with pytest.raises(DataError, match="no list called 'trian'; did you mean train"):
        open_data(f"{voc.spec}?split=trian")
    voc.list("none", ["three"])
    for name in ("one", "two"):
        voc.annotation(name, [])
    with pytest.raises(DataError, match="no annotation has an object"):
        open_data(f"{voc.spec}?split=none")


def test_blood_cells(shared_data):
    path = shared_data / "bccd"
    sets = {split: open_data(f"voc:{path}?split={split}") for split in ("train", "val", "test")}
    assert {split: len(data) for split, data in sets.items()} == {
        "train": 205,
        "val": 87,
        "test": 72,
    }
    assert {data.class_names for data in sets.values()} == {("Platelets", "RBC", "WBC")}
    assert "BloodImage_00343" in sets["train"].warnings[0]
    sample = sets["test"].sample(0)
    assert sample.name == "BloodImage_00007"
    assert sample.boxes[0].tolist() == [192, 91, 387, 285]
    assert sample.classes[0] == 2
