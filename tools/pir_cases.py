"""Export small networks with Paddle 3, for the tests of reading and converting PIR json.

    python tools/pir_cases.py        # with an interpreter that has paddlepaddle 3.1.1

Writes tests/programs/pir/NAME.json, NAME.pdiparams and NAME.npz: the program, its parameters, and
the input and outputs as Paddle 3 computes them. Weights and inputs are random and small.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "programs" / "pir"


class Detector(nn.Layer):
    """Convolutions, norms, a squeeze-and-excitation gate, an upsampled concat."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2D(3, 4, 3, 2, 1, bias_attr=False), nn.BatchNorm2D(4))
        self.deep = nn.Conv2D(4, 4, 3, 1, 1, groups=4)
        self.gate = nn.Conv2D(4, 4, 1)
        self.down = nn.Conv2D(4, 8, 3, 2, 1)
        self.head = nn.Conv2D(12, 6, 1)
        self.up = nn.Conv2DTranspose(6, 2, 2, 2)

    def forward(self, x: Any) -> Any:
        x = F.hardswish(self.stem(x))
        x = F.relu(self.deep(x))
        x = x * F.hardsigmoid(self.gate(F.adaptive_avg_pool2d(x, 1)))
        low = F.leaky_relu(self.down(x), 0.1)
        low = F.interpolate(low, scale_factor=2, mode="nearest")
        x = self.head(paddle.concat([x, low], 1))
        return F.sigmoid(self.up(x)), F.max_pool2d(x, 2, 2)


class Attention(nn.Layer):
    """One block of a transformer whose shapes are computed from its input."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        b, c, h, w = x.shape
        x = x.flatten(2).transpose([0, 2, 1])
        shape = paddle.shape(x)
        q, k, v = self.qkv(self.norm(x)).reshape([shape[0], shape[1], 3, 8]).unbind(2)
        weight = F.softmax(q @ k.transpose([0, 2, 1]) * 8**-0.5)
        x = F.gelu(weight @ v) + x
        return F.softmax(self.out(F.dropout(x.mean(1), 0.5, training=self.training)))


class Control(nn.Layer):
    """A loop and a branch over values of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        i = paddle.zeros([1], "int64")
        while i < 3:
            x = paddle.tanh(self.fc(x)) + x
            i = i + 1
        if x.mean() > 0:  # noqa: SIM108 - a branch is what is wanted
            y = x * 2 + i.astype("float32")
        else:
            y = x - 1
        return y, i


class Shapes(nn.Layer):
    """Operators on shapes, indices and constants."""

    def forward(self, x: Any) -> Any:
        n = paddle.shape(x)[0]
        grid = paddle.arange(0, 6, dtype="float32").reshape([1, 6])
        rows = paddle.expand(grid, [n, 6])
        parts = paddle.split(x, [2, 4], axis=1)
        y = paddle.concat([parts[1], F.pad(parts[0], [0, 2], value=0.5)[:, 1:3]], 1)
        top, where = paddle.topk(x, 3, axis=1)
        one = F.one_hot(paddle.argmax(x, axis=1), 6)
        z = paddle.where(x > 0, x, paddle.full_like(x, 0.25)).clip(-1, 1)
        picked = paddle.take_along_axis(x, where, 1)
        picked = picked + paddle.gather(x, paddle.to_tensor([1, 0, 3]), axis=1)
        s = paddle.stack([y, z], 1).sum([1]) + rows + one
        highest = paddle.squeeze(x.max(1, keepdim=True), 1)
        return s, top.cumsum(1), picked, highest, x.unsqueeze(1).tile([1, 2, 1])


class Recurrent(nn.Layer):
    """A bidirectional LSTM, a written slice, a triangle and a sort."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 3, direction="bidirect")

    def forward(self, x: Any) -> Any:
        y, _ = self.lstm(x)
        z = y * 1.0
        z[:, 1:3, 2:4] = y[:, 0:2, 0:2]
        return z, paddle.triu(x[0], 1), paddle.sort(x, axis=-1)


CASES = {
    "recurrent": (Recurrent, [None, 5, 4], (2, 5, 4)),
    "detector": (Detector, [None, 3, 16, 16], (2, 3, 16, 16)),
    "attention": (Attention, [None, 8, None, None], (2, 8, 3, 4)),
    "control": (Control, [None, 4], (3, 4)),
    "shapes": (Shapes, [None, 6], (3, 6)),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (network, sizes, shape) in CASES.items():
        paddle.seed(1)
        layer = network()
        layer.eval()
        spec = paddle.static.InputSpec(sizes, "float32", "x")
        static = paddle.jit.to_static(layer, input_spec=[spec], full_graph=True)
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / name
            paddle.jit.save(static, str(target))
            document = json.loads(target.with_suffix(".json").read_text())
            params = target.with_suffix(".pdiparams")
            if params.is_file():
                (FOLDER / f"{name}.pdiparams").write_bytes(params.read_bytes())
        text = json.dumps(document, separators=(",", ":"), sort_keys=True)
        (FOLDER / f"{name}.json").write_text(text + "\n")
        x = np.random.default_rng(7).normal(size=shape).astype(np.float32)
        outputs = layer(paddle.to_tensor(x))
        outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
        arrays = {f"out{i}": out.numpy() for i, out in enumerate(outputs)}
        np.savez_compressed(FOLDER / f"{name}.npz", x=x, **arrays)
        print(name, len(text), [a.shape for a in arrays.values()])


if __name__ == "__main__":
    main()
