from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights import checkpoint
from graphprobe.training.weights.checkpoint import (
    drop_old,
    read_checkpoint,
    read_newest,
    write_checkpoint,
)

WEIGHTS = {"conv.w_0": np.arange(6, dtype=np.float32).reshape(2, 3), "a/b": np.float32([1.5])}
OPTIMIZER = {"conv.w_0_velocity_0": np.zeros((2, 3), np.float32)}


def write(root: Path, iteration: int) -> Path:
    return write_checkpoint(root, iteration, WEIGHTS, OPTIMIZER, {"seed": 7})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = read_checkpoint(write(tmp_path, 12))
    assert found.iteration == 12
    assert found.state["seed"] == 7
    assert found.weights.keys() == WEIGHTS.keys()
    for name, array in WEIGHTS.items():
        np.testing.assert_array_equal(found.weights[name], array)
    assert (tmp_path / "latest").read_text() == "000012\n"
    assert not list(tmp_path.glob(".*"))


def test_writing_an_iteration_again_replaces_it(tmp_path: Path) -> None:
    write(tmp_path, 3)
    write_checkpoint(tmp_path, 3, {"x": np.zeros(1)}, {}, {})
    assert list(read_checkpoint(tmp_path / "000003").weights) == ["x"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["weights.npz", "optimizer.npz", "state.json", "manifest.json"])
def test_a_truncated_file_is_refused_and_the_one_before_is_taken(tmp_path: Path, name: str) -> None:
    write(tmp_path, 1)
    last = write(tmp_path, 2)
    data = (last / name).read_bytes()
    (last / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(last)
    said: list[str] = []
    found = read_newest(tmp_path, said.append)
    assert found is not None
    assert found.iteration == 1
    assert "000002" in said[0]
    assert "before it" in said[0]


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, 1) / "weights.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"weights\.npz does not match its checksum"):
        read_checkpoint(path.parent)


def test_none_whole_is_an_error_and_none_at_all_is_none(tmp_path: Path) -> None:
    assert read_newest(tmp_path / "nowhere", print) is None
    (write(tmp_path, 1) / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match="no checkpoint is whole"):
        read_newest(tmp_path, lambda _: None)


def test_old_ones_go_and_the_best_and_foreign_files_stay(tmp_path: Path) -> None:
    for iteration in (1, 2, 3, 4):
        write(tmp_path, iteration)
    (tmp_path / "notes.txt").write_text("mine")
    drop_old(tmp_path, 2, {"000001"})
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left == ["000001", "000003", "000004", "latest", "notes.txt"]


def test_a_full_disk_leaves_the_checkpoints_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_arrays", fail)
    with pytest.raises(CheckpointError, match="No space left on device"):
        write(tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["000001", "latest"]
    assert read_checkpoint(tmp_path / "000001").iteration == 1


def test_a_state_of_another_format_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, 1)
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**state, "format": 99}))
    sums = {
        n: checkpoint.file_sha256(folder / n)
        for n in ("weights.npz", "optimizer.npz", "state.json")
    }
    (folder / "manifest.json").write_text(json.dumps({"sha256": sums}))
    with pytest.raises(CheckpointError, match="format 1"):
        read_checkpoint(folder)


def test_folders_have_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for _ in range(2):  # made, and replaced
            folder = write(tmp_path, 1)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o750
    assert (folder / "weights.npz").stat().st_mode & 0o777 == 0o640
