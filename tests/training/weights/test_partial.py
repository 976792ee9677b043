from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights.partial import match_partial_weights
from graphprobe.training.weights.read import Weights, read_weights

pytestmark = pytest.mark.paddle

HERE = Path(__file__).parent


def zeros(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name.replace("__", "."): np.zeros(shape) for name, shape in shapes.items()}


def test_what_has_its_name_and_shape_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="graphprobe")
    wanted = {"a": (2,), "b": (4,), "head": (1,)}
    found = match_partial_weights(Weights(zeros(a=(2,), b=(3,), fc=(1,))), wanted, where="w.npz")
    assert list(found) == ["a"]
    assert caplog.messages == ["w.npz: 1 of 3 parameters taken"]
    with pytest.raises(CheckpointError, match="none of its parameters .* it holds x"):
        match_partial_weights(Weights(zeros(x=(1,))), wanted, where="w.npz")
    with pytest.raises(CheckpointError, match=r"names as they are, 1 are .*: a is \(3,\), not"):
        match_partial_weights(Weights(zeros(a=(3,))), wanted, where="w.npz")


def test_a_backbone_of_paddledetection(reference, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="graphprobe")
    from graphprobe.training.runtime.programs import state_shapes
    from graphprobe.zoo import build_zoo, parse_zoo

    state = reference(HERE / "ppdet_backbone.py", {})
    wanted = state_shapes(build_zoo(parse_zoo("zoo:gfl_r18vd")).main)
    found = match_partial_weights(Weights(state), wanted, where="R18.pdparams")
    assert set(found) == {name for name in wanted if name.startswith("backbone.")}
    for name, array in found.items():
        np.testing.assert_array_equal(array, state[name.removeprefix("backbone.")])
    assert caplog.messages == [
        f"R18.pdparams: {len(state)} of {len(wanted)} parameters taken, "
        "with backbone. before each name"
    ]
    narrow = state_shapes(build_zoo(parse_zoo("zoo:gfl_r18vd?scale=0.5")).main)
    with pytest.raises(CheckpointError, match="before each name, .* are of another shape: ") as e:
        match_partial_weights(Weights(state), narrow, where="R18.pdparams")
    assert "backbone.conv1.conv1_1.conv.weight is (32, 3, 3, 3), not (16, 3, 3, 3)" in str(e.value)


def test_no_prefix_is_guessed() -> None:
    wanted = {"left.fc.weight": (2,), "right.fc.weight": (2,), "body.conv.weight": (3,)}
    with pytest.raises(CheckpointError, match="none of its parameters"):
        match_partial_weights(
            Weights(zeros(fc__weight=(2,))), wanted, where="w.npz"
        )  # of two as good
    other = zeros(conv__weight=(3,), a=(1,), b=(1,))
    with pytest.raises(CheckpointError, match="none of its parameters"):
        match_partial_weights(
            Weights(other), wanted, where="w.npz"
        )  # one name of three met by chance


def test_names_of_parameters_beside_those_of_a_layer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="graphprobe")
    saved = {
        **zeros(conv1___conv__weight=(8, 3, 3, 3), conv1___batch_norm__bias=(8,), out__bias=(5,)),
        "StructuredToParameterName@@": {
            "conv1._conv.weight": "conv1_weights",
            "conv1._batch_norm.bias": "conv1_bn_offset",
            "out.bias": "fc7_offset",
        },
    }
    path = tmp_path / "MobileNetV1.pdparams"
    path.write_bytes(pickle.dumps(saved))
    wanted = {"conv1_weights": (8, 3, 3, 3), "conv1_bn_offset": (8,), "yolo_output.0": (1,)}
    found = match_partial_weights(read_weights(path, wanted), wanted, where="w")
    assert sorted(found) == ["conv1_bn_offset", "conv1_weights"]
    assert caplog.messages == [
        "w: 2 of 3 parameters taken, by the parameters' own names, which it holds too"
    ]
