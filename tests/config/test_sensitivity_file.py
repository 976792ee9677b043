"""The record of graphprobe sensitivity: written, read again, and refused where it is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphprobe.config.sensitivity import Sensitivity, SensitivityPoint, read_sensitivity
from graphprobe.errors import GraphprobeError


def document() -> dict[str, Any]:
    points = [
        {"ratio": 0.3, "kept": 45, "value": 0.6, "loss": 0.25, "flops": 0.1},
        {"ratio": 0.7, "kept": 19, "value": 0.9, "loss": -0.125, "flops": 0.2},
    ]
    return {
        "version": 1,
        "kind": "sensitivity",
        "measured": {
            "program": "zoo:x",
            "fingerprint": "sha256:0123456789abcdef",
            "weights": "runs/x",
            "weights_sha256": "ab" * 32,
            "data": "voc:VOC?split=val",
            "samples": 20,
            "image": 320,
            "policy": "coupled",
            "criterion": "l1_norm",
            "metric": "11point",
        },
        "baseline": 0.8,
        "groups": [
            {"group": 0, "convs": ["a", "b"], "channels": 64, "points": points},
            {"group": 4, "convs": ["c"], "channels": 32, "points": []},
        ],
    }


def read(tmp_path: Path, content: str | bytes) -> Sensitivity:
    path = tmp_path / "s.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_sensitivity(path)


def test_it_reads_what_it_writes(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps(document()))
    assert found.groups[0].curve == [(0.3, 0.25), (0.7, -0.125)] and found.ratios == [0.3, 0.7]
    assert read(tmp_path, found.text()) == found
    assert json.loads(found.text()) == document()


def test_points_stand_in_the_order_of_their_ratios(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps(document()))
    for ratio in (0.5, 0.1):
        point = SensitivityPoint(ratio=ratio, kept=3, value=0.8, loss=0.0, flops=0.5)
        found = found.with_point("a", point)
    assert [ratio for ratio, _ in found.groups[0].curve] == [0.1, 0.3, 0.5, 0.7]
    assert found.groups[1].points == () and read(tmp_path, found.text()) == found


def test_what_only_names_things_may_differ(tmp_path: Path) -> None:
    mine = read(tmp_path, json.dumps(document())).measured
    moved = mine.model_copy(update={"program": "zoo:y", "weights": "elsewhere"})
    assert mine.differences(moved) == []
    other = mine.model_copy(update={"data": "digits", "image": 64})
    assert mine.differences(other) == [
        "data is voc:VOC?split=val, not digits",
        "image is 320, not 64",
    ]


def test_a_file_that_was_cut_short_is_one_line(tmp_path: Path) -> None:
    text = json.dumps(document())
    for end in range(0, len(text) - 1, 7):
        with pytest.raises(GraphprobeError) as caught:
            read(tmp_path, text[:end])
        assert "s.json: not json" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("kind",), "prune", "kind: not a sensitivity record"),
        (("baseline",), 0.0, "baseline: must be greater than 0"),
        (("baseline",), float("nan"), "baseline: must be a finite number"),
        (("measured", "policy"), "all", "measured.policy: must be 'seeds' or 'coupled'"),
        (("measured", "fingerprint"), "1", "measured.fingerprint: must be sha256:"),
        (("groups", 0, "points", 1, "ratio"), 1.5, "groups[0].points[1].ratio: must be less"),
        (("groups", 0, "points", 1, "ratio"), 0.3, "groups[0].points: the ratios must ascend"),
        (("groups", 0, "points", 0, "loss"), "a", "groups[0].points[0].loss: must be a number"),
        (("groups", 1, "convs"), ["a"], "groups[1].convs[0]: a is listed twice"),
        (("groups", 1, "convs"), [], "groups[1].convs: must not be empty"),
        (("extra",), 1, "extra: unknown key"),
    ],
)
def test_wrong_values_are_named_with_their_path(
    path: tuple[Any, ...], value: Any, said: str, tmp_path: Path
) -> None:
    plain = document()
    at: Any = plain
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(GraphprobeError) as caught:
        read(tmp_path, json.dumps(plain))
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b"[]", b"null", b"NaN"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(GraphprobeError, match=r"s\.json"):
        read(tmp_path, content)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(GraphprobeError, match="cannot be read"):
        read_sensitivity(tmp_path / "none.json")
