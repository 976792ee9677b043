from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.formats import write_program
from graphprobe.ir import Block, Op, Origin, Program, Var
from graphprobe.training.weights.checkpoint import write_checkpoint
from graphprobe.training.weights.lod_tensor import read_combined, read_tensor_file
from graphprobe.training.weights.read import check_weights, read_weights

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


def stream(array: np.ndarray, *, packed: bool = False, levels: tuple[bytes, ...] = ()) -> bytes:
    """The bytes that Paddle writes for one float32 tensor."""
    sizes = bytes(array.shape)  # every size is below 128: one byte
    dims = (
        b"\x12" + bytes([len(sizes)]) + sizes
        if packed
        else b"".join(b"\x10" + bytes([s]) for s in sizes)
    )
    desc = b"\x08\x05" + dims
    lod = b"".join(struct.pack("<Q", len(level)) + level for level in levels)
    head = struct.pack("<IQ", 0, len(levels)) + lod + struct.pack("<Ii", 0, len(desc)) + desc
    return head + array.tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_one_tensor(tmp_path: Path, packed: bool) -> None:
    (tmp_path / "w").write_bytes(stream(ARRAY, packed=packed, levels=(b"\0" * 16,)))
    np.testing.assert_array_equal(read_tensor_file(tmp_path / "w"), ARRAY)


def test_many_tensors_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "all"
    path.write_bytes(stream(ARRAY) + stream(ARRAY.T.copy()))
    found = read_combined(path, ["a", "b"])
    np.testing.assert_array_equal(found["b"], ARRAY.T)
    with pytest.raises(CheckpointError, match="more than the 1 tensors"):
        read_combined(path, ["a"])
    with pytest.raises(CheckpointError, match="ends in the middle"):
        read_combined(path, ["a", "b", "c"])


def test_every_truncation_is_one_error(tmp_path: Path) -> None:
    data = stream(ARRAY)
    for size in range(len(data)):
        (tmp_path / "w").write_bytes(data[:size])
        with pytest.raises(CheckpointError, match="damaged or not a Paddle weights file"):
            read_tensor_file(tmp_path / "w")


def test_random_bytes_are_one_error(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(stream(ARRAY))
        for at in random.integers(0, 40, 3):
            data[at] = random.integers(256)
        (tmp_path / "w").write_bytes(data)
        try:
            read_tensor_file(tmp_path / "w")
        except CheckpointError:
            continue


def test_forms_of_weights(tmp_path: Path) -> None:
    arrays = {"w": ARRAY}
    np.savez(tmp_path / "w.npz", **arrays)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "w").write_bytes(stream(ARRAY))
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "net.pdparams").write_bytes(pickle.dumps(arrays))
    run = tmp_path / "run"
    one = write_checkpoint(run / "checkpoints", 1, arrays, {}, {})
    for path in (tmp_path / "w.npz", folder, tmp_path / "saved", run, one):
        np.testing.assert_array_equal(read_weights(path, {"w": (3, 4)}).arrays["w"], ARRAY)


def test_a_run_gives_its_best_checkpoint(tmp_path: Path) -> None:
    root = tmp_path / "checkpoints"
    for iteration in (1, 2):
        write_checkpoint(root, iteration, {"w": np.full(1, iteration)}, {}, {})
    assert read_weights(tmp_path, {}).arrays["w"] == 2
    (root / "best").write_text("000001\n")
    assert read_weights(tmp_path, {}).arrays["w"] == 1


def test_pickles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"w": ARRAY}))
    with pytest.raises(CheckpointError, match="pickle"):
        read_weights(tmp_path / "m.pkl", {})
    np.savez(tmp_path / "o.npz", w=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match=r"cannot be read as an \.npz"):
        read_weights(tmp_path / "o.npz", {})


def test_bad_paths(tmp_path: Path) -> None:
    (tmp_path / "teacher.npz").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"did you mean teacher\.npz"):
        read_weights(tmp_path / "techer.npz", {})
    with pytest.raises(CheckpointError, match="damaged"):
        read_weights(tmp_path / "teacher.npz", {})
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="holds no weights"):
        read_weights(tmp_path / "empty", {"w": (1,)})
    (tmp_path / "x.pdiparams").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"needs its program x\.pdmodel"):
        read_weights(tmp_path / "x.pdiparams", {})


def test_everything_that_does_not_fit_is_listed_at_once() -> None:
    found = {"a": np.zeros(2), "b": np.zeros(3), "d": np.zeros(1)}
    with pytest.raises(CheckpointError) as caught:
        check_weights(found, {"a": (2,), "b": (4,), "c": (1,)}, where="w.npz")
    text = str(caught.value)
    assert "1 missing: c" in text
    assert "1 unexpected: d" in text
    assert "b is (3,), not (4,)" in text
    check_weights({"a": np.zeros(2)}, {"a": (2,)}, where="w.npz")


def test_a_parameter_that_inner_blocks_declare_too_is_read_once(tmp_path: Path) -> None:
    weight = Var("w", (3, 4), "float32", persistable=True)
    ops = (Op(0, "relu", {"X": ("w",)}, {"Out": ("y",)}),)
    blocks = (Block(0, -1, {"w": weight}, ops), Block(1, 0, {"w": weight}, ()))
    program = Program(blocks, (), (), Origin("model", "programdesc", None))
    (tmp_path / "__model__").write_bytes(write_program(program))
    (tmp_path / "__params__").write_bytes(stream(ARRAY))
    np.testing.assert_array_equal(read_weights(tmp_path, {}).arrays["w"], ARRAY)


def test_a_tensor_of_complex_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(stream(ARRAY).replace(b"\x08\x05", b"\x08\x17"))
    with pytest.raises(CheckpointError, match="unknown type 23"):
        read_tensor_file(tmp_path / "w")


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.0, 3e38], np.float32)
    half = (values.view(np.uint32) >> 16).astype("<u2")
    desc = b"\x08\x16\x10\x04"  # type 22, one size: 4
    (tmp_path / "w").write_bytes(struct.pack("<IQIi", 0, 0, 0, len(desc)) + desc + half.tobytes())
    found = read_tensor_file(tmp_path / "w")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values, rtol=1e-2)
    assert found[:3].tolist() == [1.0, -2.5, 0.0]
