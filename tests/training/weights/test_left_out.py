"""What files of PaddleDetection hold beside a bundled model's parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import CheckpointError

pytestmark = pytest.mark.paddle

PROGRAM = "zoo:picodet_xs?scale=0.05&num_classes=2"


def test_known_arrays_are_left_out_and_others_refused(tmp_path: Path) -> None:
    import paddle

    from graphprobe.config import TrainConfig
    from graphprobe.training.networks.build import fill, open_network
    from graphprobe.training.runtime.programs import state_shapes
    from graphprobe.zoo import build_zoo, parse_zoo

    built = build_zoo(parse_zoo(PROGRAM))
    rng = np.random.default_rng(0)
    saved: dict[str, Any] = {
        name: rng.random(shape, dtype="float32") for name, shape in state_shapes(built.main).items()
    }
    saved |= {
        "head.distribution_project.project": np.arange(8, dtype="float32"),
        "head.head_cls_list.0.weight": saved["head.head_cls0.weight"],
        "head.p3_feat.scale_reg": np.ones(1, "float32"),
    }
    path, place = tmp_path / "published.npz", paddle.CPUPlace()

    def filled() -> Any:
        np.savez(path, **saved)
        ref = {"program": PROGRAM, "weights": str(path)}
        document = {"version": 1, "kind": "train", "student": ref}
        config = TrainConfig.model_validate(document)
        return fill(open_network(config.student, "student"), place, 0)

    network = filled()
    for name in network.shapes():
        np.testing.assert_array_equal(
            np.array(network.scope.find_var(name).get_tensor()), saved[name], err_msg=name
        )
    saved["head.nobody_knows"] = np.ones(1, "float32")
    with pytest.raises(CheckpointError, match="unexpected: head.nobody_knows"):
        filled()
