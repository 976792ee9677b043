"""What the functions for runs take and refuse before Paddle is asked for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import graphprobe
from graphprobe.api.settings import override_words
from graphprobe.errors import UsageError
from graphprobe.formats import write_program
from graphprobe.ir.builder import Builder


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    b = Builder()
    image = b.feed("image", (-1, 3, 32, 32))
    b.op("relu", {"X": b.conv(image, 8, k=3)})
    path = tmp_path / "model.pdmodel"
    path.write_bytes(write_program(b.build()))
    return path


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("train.max_iters=2", ["train.max_iters=2"]),
        (("a=1", "b=2"), ["a=1", "b=2"]),
        ({"a": True, "b": Path("x")}, ["a=true", 'b="x"']),
        ((), []),
    ],
)
def test_overrides(given: Any, words: list[str]) -> None:
    assert override_words(given) == words


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "override: is int, not a mapping or a list of words"),
        ([5], "override: holds int, not a word"),
        ({"a": {1}}, "override a: set is no value of a config"),
    ],
)
def test_what_is_no_override(given: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        graphprobe.check("prune.yaml", override=given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": "a"}, "samples: must be a whole number of at least 0, not 'a'"),
        ({"samples": -1}, "samples: must be a whole number of at least 0, not -1"),
        ({"images": 5}, "images: must be paths"),
        ({"images": ["a", 5]}, "images: must be paths"),
        ({"samples": 2}, "what it is measured on is not named"),
        ({"images": "a", "weights": "b"}, "has its parameters beside it; leave weights"),
        ({"images": "a", "resume": "b"}, "has its parameters beside it; leave weights"),
    ],
)
def test_what_cannot_be_looked_at(exported: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        graphprobe.predict(exported, **options)
