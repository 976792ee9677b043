"""What is said of a user's function whose network cannot be trained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from graphprobe.errors import LoadError

pytestmark = pytest.mark.paddle

HEAD = """
import paddle
from graphprobe import Model
data = paddle.static.data

def image():
    return data("image", [-1, 3, 32, 32], "float32")
"""
SOURCES = {
    "plain": "def build(mode):\n    image()\n    return paddle.static.default_main_program()",
    "task": "def build(mode):\n    x = image()\n    return Model('depth', 0, [x], loss=x.mean())",
    "loss": "def build(mode):\n    x = image()\n    return Model('detection', 3, [x], loss=x)",
    "none": "def build(mode):\n    return Model('detection', 3, ['image'])",
    "inputs": "def build(mode):\n    x = image()\n"
    "    return Model('segmentation', 3, [x], loss=x.mean())",
    "modes": "def build(mode):\n    x = image()\n"
    "    return Model('detection', 3, [x], loss=x.mean(), outputs={'bbox': x})",
}


def build(name: str, mode: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    from graphprobe.training.networks.source import Networks

    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    (folder / f"own_{name}.py").write_text(HEAD + SOURCES[name])
    return Networks().source(f"own_{name}:build").build(mode)


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        ("plain", "train", "returns a Program, which can be read but not trained"),
        ("task", "train", "the task is 'depth', not detection or segmentation; num_classes is 0"),
        ("loss", "train", "the loss has the shape (-1, 3, 32, 32); take its mean"),
        ("none", "train", "input 0 is no variable of its program; loss is no variable"),
        ("inputs", "train", "the inputs are image, not image, label and mask"),
        ("modes", "eval", "mode eval: the outputs are bbox, not bbox and bbox_num"),
    ],
)
def test_every_reason_in_one_line(
    name: str, mode: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LoadError) as caught:
        build(name, mode, tmp_path, monkeypatch)
    assert said in str(caught.value) and "docs/howto-own-model.md" in str(caught.value)


def test_names_do_not_depend_on_what_was_built_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [build("modes", "train", tmp_path, monkeypatch) for _ in range(2)]
    assert made[0].loss == made[1].loss and made[0].meta["size"] == 32
    assert made[0].feeds == (("image", (-1, 3, 32, 32), "float32"),)
