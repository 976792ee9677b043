"""Cityscapes folders with either kind of mask."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.open import open_data
from graphprobe.errors import DataError


@pytest.fixture
def city(tmp_path):
    def add(name, mask, kind, split="train", town="ulm"):
        pictures = tmp_path / "leftImg8bit" / split / town
        masks = tmp_path / "gtFine" / split / town
        for folder in (pictures, masks):
            folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(pictures / f"{name}_leftImg8bit.png")
        if kind:
            Image.fromarray(np.array(mask, np.uint8)).save(masks / f"{name}_gtFine_{kind}.png")

    add.spec = f"cityscapes:{tmp_path}"
    add.root = tmp_path
    return add


def test_both_kinds_of_masks(city):
    city("b", np.full((4, 6), 7), "labelIds")
    ids = np.full((4, 6), 255)
    ids[0, 0] = 18
    city("a", ids, "labelTrainIds")
    mixed = np.zeros((4, 6))
    mixed[1, 1] = 33
    city("c", mixed, "labelIds", town="bonn")
    data = open_data(city.spec)
    assert [data.sample(i).name for i in range(3)] == ["c", "a", "b"]
    assert len(data.class_names) == 19
    assert data.sample(0).mask[1, 1] == 18
    assert (data.sample(0).mask == 255).sum() == 23
    assert (data.sample(1).mask == ids).all()
    assert (data.sample(2).mask == 0).all()


def test_what_is_refused(city):
    city("a", np.zeros((4, 6)), "")
    city("b", np.zeros((4, 5)), "labelIds")
    with pytest.raises(DataError) as caught:
        open_data(city.spec)
    text = str(caught.value)
    assert "a_gtFine_labelIds.png is missing" in text
    assert "b_gtFine_labelIds.png is not of its image's size" in text
    with pytest.raises(DataError, match="did you mean train"):
        open_data(f"{city.spec}?split=trian")
    (city.root / "leftImg8bit" / "test").mkdir()
    with pytest.raises(DataError, match="holds no images"):
        open_data(f"{city.spec}?split=test")


def test_impossible_masks_are_named_when_read(city):
    city("a", np.full((4, 6), 40), "labelTrainIds")
    city("b", np.zeros((4, 6, 3)), "labelIds")
    data = open_data(city.spec)
    with pytest.raises(DataError, match=r"a_gtFine_labelTrainIds\.png: holds the class 40"):
        data.sample(0)
    with pytest.raises(DataError, match="has mode RGB"):
        data.sample(1)
