"""Arrays out of pickles of Paddle, with nothing of them run."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights import pdparams
from graphprobe.training.weights.pdparams import read_pdparams
from graphprobe.training.weights.read import read_weights

RNG = np.random.default_rng(0)
ARRAYS = {
    "conv.weights": RNG.random((4, 3, 3, 3), np.float32),
    "fortran": np.asfortranarray(RNG.random((5, 7))),
    "count": np.array([3], np.int64),
    "half": np.array([1.5, 2.5], np.float16),
    "flag": np.array([True, False]),
    "big": RNG.random(3).astype(">f4"),
    "scalar": np.array(2.0, np.float32),
}


def written(tmp_path: Path, value: Any, protocol: int = 4) -> Path:
    path = tmp_path / "w.pdparams"
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_arrays_of_every_protocol(tmp_path: Path, protocol: int) -> None:
    found, names = read_pdparams(written(tmp_path, ARRAYS, protocol))
    assert names == {}
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype and found[name].shape == array.shape


def test_what_paddle_writes_beside_them(tmp_path: Path) -> None:
    pairs = OrderedDict((name, (name, array)) for name, array in ARRAYS.items())
    pairs["StructuredToParameterName@@"] = {"conv.weights": "conv2d_0.w_0"}
    weights = read_weights(written(tmp_path, pairs), {})
    assert weights.names == {"conv.weights": "conv2d_0.w_0"}
    found = weights.arrays
    np.testing.assert_array_equal(found["conv.weights"], ARRAYS["conv.weights"])
    assert set(found) == set(ARRAYS)


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_nothing_is_run(tmp_path: Path) -> None:
    path = written(tmp_path, {"w": ARRAYS["big"], "evil": Evil(tmp_path / "ran")})
    with pytest.raises(CheckpointError, match="it wants to run "):
        read_pdparams(path)
    assert not (tmp_path / "ran").exists()
    assert pickle.loads(path.read_bytes()) and (tmp_path / "ran").exists()  # noqa: S301


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"w": np.array([{}], object)}, "numbers of the kind O8"),
        ({"w": 3}, "w is no array"),
        ({"w": ARRAYS["big"], "StructuredToParameterName@@": [1]}, "no table of names"),
        ([1], "it holds a list"),
        ({1: ARRAYS["big"]}, "a int in the place of a name"),
        ({"w": {1, 2}}, "the opcode EMPTY_SET"),
        ({"w": complex(1, 2)}, "it wants to run builtins complex"),
        ({"w": Path("x")}, "it wants to run pathlib"),
    ],
)
def test_what_is_no_parameter(tmp_path: Path, value: Any, said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_pdparams(written(tmp_path, value))
    assert said in str(caught.value)


def test_damaged_files_are_one_error(tmp_path: Path) -> None:
    path = written(tmp_path, {"w": ARRAYS["fortran"], "b": ARRAYS["big"]})
    whole = path.read_bytes()
    for size in range(0, len(whole) - 1, 3):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="cannot be read as parameters"):
            read_pdparams(path)
    for _ in range(500):
        data = bytearray(whole)
        for at in RNG.integers(0, len(whole), 4):
            data[at] = RNG.integers(256)
        path.write_bytes(data)
        try:
            read_pdparams(path)
        except CheckpointError:
            continue


def repeated(count: int) -> bytes:
    """A pickle of `count` arrays of 100,000 bytes, all made of one piece of the file."""
    content = b"B" + (100_000).to_bytes(4, "little") + b"\1" * 100_000 + b"q\x01"
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R"
    state = b"(K\x01J" + (100_000).to_bytes(4, "little") + b"\x85cnumpy\ndtype\n(U\x02u1tR\x89"
    items = b""
    for number in range(count):
        name = b"X\x04\0\0\0" + b"%04d" % number
        items += name + array + state + (content if number == 0 else b"h\x01") + b"tb"
    return b"\x80\x02}(" + items + b"u."


def test_many_arrays_of_the_same_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pdparams"
    path.write_bytes(repeated(3))
    arrays, _ = read_pdparams(path)
    assert [array.size for array in arrays.values()] == [100_000] * 3
    path.write_bytes(repeated(500))
    assert path.stat().st_size < 150_000
    with pytest.raises(CheckpointError, match="it makes many arrays of the same bytes"):
        read_pdparams(path)


def test_opcodes_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdparams, "MOST_OPCODES", 1000)
    (tmp_path / "w.pdparams").write_bytes(b"(" + b"N" * 2000 + b"t.")
    with pytest.raises(CheckpointError, match="more than 1,000 opcodes"):
        read_pdparams(tmp_path / "w.pdparams")


@pytest.mark.paddle
def test_a_file_of_paddle(tmp_path: Path) -> None:
    import paddle

    paddle.disable_static()
    try:
        layer = paddle.nn.Linear(3, 2)
        paddle.save(layer.state_dict(), str(tmp_path / "m.pdparams"))
        wanted = {name: value.numpy() for name, value in layer.state_dict().items()}
        called = {name: value.name for name, value in layer.state_dict().items()}
    finally:
        paddle.enable_static()
    found, names = read_pdparams(tmp_path / "m.pdparams")
    assert names == called
    assert set(found) == {"weight", "bias"}
    np.testing.assert_array_equal(found["weight"], wanted["weight"])
