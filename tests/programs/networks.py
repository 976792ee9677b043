"""Small inference programs of every era of Paddle, as files: what a clone has to test reading with.

Each has the structure of a network that people export, at a few channels: MobileNetV1 as Paddle 1.x
wrote it (no version in the file) and quantised by PaddleSlim, YOLOv3 of Paddle 1.8, SSD and
DeepLabv3+ of Paddle 2.2. `write_all` puts them into folders under the names that exporters use.
"""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

from graphprobe.formats import add_ports, write_program
from graphprobe.ir import Attr, Program
from graphprobe.ir.builder import Builder

PIR = Path(__file__).with_name("pir")


def write_all(root: Path) -> dict[str, Path]:
    """Write every program below a folder; returns name -> the file or folder to read."""
    made = {
        "mobilenet_v1_p1.x": (mobilenet(), "__model__"),
        "mobilenet_v1_int8_p2": (quantised_mobilenet(), "model.pdmodel"),
        "yolov3_p1.8": (yolov3(), "__model__"),
        "ssd_mobilenet_v1_p2.2": (ssd(), "__model__"),
        "deeplabv3p_p2.2": (deeplab(), "model.pdmodel"),
    }
    paths = {}
    for name, (program, file) in made.items():
        (root / name).mkdir()
        (root / name / file).write_bytes(write_program(add_ports(program)))
        paths[name] = root / name
    for name in ("detector", "attention"):
        folder = root / f"{name}_p3"
        folder.mkdir()
        shutil.copy(PIR / f"{name}.json", folder / "inference.json")
        paths[folder.name] = folder
    (root / "not_a_program").mkdir()
    (root / "not_a_program" / "__model__").write_bytes(pickle.dumps({"layers": [1, 2, 3]}))
    (root / "not_a_program" / "config.json").write_text(json.dumps({"layers": 3}))
    paths["not_a_program"] = root / "not_a_program"
    return paths


class Network(Builder):
    """A builder with the units that the networks are made of."""

    def norm_conv(
        self, x: str, filters: int, k: int = 3, stride: int = 1, groups: int = 1, act: str = "relu"
    ) -> str:
        """Convolution, batch norm in inference mode, activation."""
        depthwise = groups > 1 and groups == filters
        stem = self.fresh("conv2d")
        type = "depthwise_conv2d" if depthwise else "conv2d"
        x = self.conv(x, filters, k, stride, groups, type=type, name=stem)
        shape = self._shape(x)
        slots = {"X": x}
        for slot in ("Scale", "Bias", "Mean", "Variance"):
            slots[slot] = self.param(f"{stem}_bn_{slot.lower()}", (filters,))
        attrs: dict[str, Attr] = {"is_test": True, "epsilon": 1e-5, "data_layout": "NCHW"}
        x = self.op("batch_norm", slots, {"Y": f"{stem}.bn"}, attrs, shape)
        return self.op(act, {"X": x}, shape=shape) if act else x

    def biased_conv(self, x: str, filters: int, k: int = 1) -> str:
        """A convolution with a bias, as heads have it."""
        stem = self.fresh("conv2d")
        x = self.conv(x, filters, k, name=stem)
        return self.add(x, self.param(f"{stem}.b_0", (filters,)), axis=1)

    def add(self, x: str, y: str, axis: int = -1) -> str:
        """x + y."""
        return self.op(
            "elementwise_add", {"X": x, "Y": y}, attrs={"axis": axis}, shape=self._shape(x)
        )

    def concat(self, xs: list[str], axis: int = 1) -> str:
        """Concatenation along an axis."""
        shapes = [self._shape(x) for x in xs]
        sizes = list(shapes[0])
        sizes[axis] = sum(s[axis] for s in shapes) if all(s[axis] >= 0 for s in shapes) else -1
        return self.op("concat", {"X": xs}, attrs={"axis": axis}, shape=sizes)

    def fully_connected(self, x: str, features: int) -> str:
        """mul and a bias, as Paddle 1.x writes a fully connected layer."""
        width = self._shape(x)[1]
        weight = self.param(f"{self.fresh('fc')}.w_0", (width, features))
        attrs: dict[str, Attr] = {"x_num_col_dims": 1, "y_num_col_dims": 1}
        x = self.op("mul", {"X": x, "Y": weight}, attrs=attrs, shape=(-1, features))
        return self.add(x, self.param(f"{weight}.b", (features,)), axis=1)

    def resized(self, x: str, op: str, height: int, width: int) -> str:
        """A resize to fixed H and W."""
        attrs: dict[str, Attr] = {"out_h": height, "out_w": width, "align_corners": False}
        attrs |= {"scale": 0.0, "align_mode": 1, "interp_method": op.split("_")[0]}
        return self.op(op, {"X": x}, attrs=attrs, shape=(*self._shape(x)[:2], height, width))


def versioned(program: Program, version: str | None, *, op_versions: bool = False) -> Program:
    """The program as a Paddle of that version would have saved it."""
    versions = (("elementwise_add", 1), ("leaky_relu", 1)) if op_versions else ()
    return replace(program, origin=program.origin._replace(version=version, op_versions=versions))


def mobilenet_body(b: Network, x: str) -> list[str]:
    """Five depthwise separable units; the features at strides 8, 16 and 32."""
    x = b.norm_conv(x, 8, 3, 2)
    features = []
    for filters, stride in ((8, 1), (16, 2), (16, 2), (24, 2), (24, 2)):
        x = b.norm_conv(x, b._shape(x)[1], 3, stride, groups=b._shape(x)[1])
        x = b.norm_conv(x, filters, 1)
        features.append(x)
    return features[2:]


def mobilenet() -> Program:
    """MobileNetV1 of Paddle 1.x: 11 convolutions, 5 of them depthwise."""
    b = Network()
    x = mobilenet_body(b, b.feed("image", (-1, 3, 64, 64)))[-1]
    attrs: dict[str, Attr] = {"pooling_type": "avg", "global_pooling": True, "ksize": (1, 1)}
    x = b.op("pool2d", {"X": x}, attrs=attrs, shape=(-1, 24, 1, 1))
    x = b.fully_connected(x, 10)
    return versioned(b.build([b.op("softmax", {"X": x}, shape=(-1, 10))]), None)


def quantised_mobilenet() -> Program:
    """The same after quantisation: fake quantisers, depthwise as conv2d with groups, no norms."""
    b = Network()

    def quantised(x: str) -> str:
        scale = b.param(f"{x}.scale", (1,))
        attrs: dict[str, Attr] = {"bit_length": 8, "is_test": True, "moving_rate": 0.9}
        outputs = {"Out": f"{x}.quantised", "OutScale": scale}
        op = "fake_quantize_dequantize_moving_average_abs_max"
        return b.op(op, {"X": x, "InScale": scale}, outputs, attrs, b._shape(x))

    def conv(x: str, filters: int, k: int, stride: int = 1, groups: int = 1) -> str:
        x = b.conv(quantised(x), filters, k, stride, groups)
        x = b.add(x, b.param(f"{x}.b", (filters,)), axis=1)
        return b.op("relu", {"X": x}, shape=b._shape(x))

    x = conv(b.feed("x", (-1, 3, 64, 64)), 8, 3, 2)
    for filters, stride in ((8, 1), (16, 2), (16, 2), (24, 2), (24, 2)):
        width = b._shape(x)[1]
        x = conv(conv(x, width, 3, stride, groups=width), filters, 1)
    attrs: dict[str, Attr] = {"pooling_type": "avg", "adaptive": True, "ksize": (1, 1)}
    x = b.op("pool2d", {"X": x}, attrs=attrs, shape=(-1, 24, 1, 1))
    x = b.op(
        "flatten_contiguous_range",
        {"X": x},
        attrs={"start_axis": 1, "stop_axis": 3},
        shape=(-1, 24),
    )
    weight = b.param("linear_0.w_0", (24, 10))
    x = b.op(
        "matmul_v2",
        {"X": quantised(x), "Y": weight},
        attrs={"trans_x": False, "trans_y": False},
        shape=(-1, 10),
    )
    x = b.add(x, b.param("linear_0.b_0", (10,)))
    program = b.build([b.op("softmax", {"X": x}, attrs={"axis": -1}, shape=(-1, 10))])
    return versioned(program, None, op_versions=True)


def yolov3() -> Program:
    """Darknet-like residual stages, three heads joined by upsampling, decoding and NMS."""
    b = Network()
    image = b.feed("image", (-1, 3, 64, 64))
    size = b.feed("im_size", (-1, 2), "int32")
    x = b.norm_conv(image, 8, act="leaky_relu")
    features = []
    for filters in (8, 12, 16, 24, 32):
        x = b.norm_conv(x, filters, 3, 2, act="leaky_relu")
        y = b.norm_conv(x, filters // 2, 1, act="leaky_relu")
        x = b.add(b.norm_conv(y, filters, 3, act="leaky_relu"), x)
        features.append(x)
    anchors = ((116, 90, 156, 198, 373, 326), (30, 61, 62, 45, 59, 119), (10, 13, 16, 30, 33, 23))
    boxes, scores, route = [], [], ""
    for level, stage in enumerate((4, 3, 2)):
        x = features[stage]
        if route:
            height, width = b._shape(x)[2:]
            route = b.resized(
                b.norm_conv(route, 8, 1, act="leaky_relu"), "nearest_interp", height, width
            )
            x = b.concat([route, x])
        route = b.norm_conv(x, 12, 1, act="leaky_relu")
        head = b.biased_conv(b.norm_conv(route, 16, act="leaky_relu"), 18)
        attrs: dict[str, Attr] = {"anchors": anchors[level], "class_num": 1}
        attrs |= {"downsample_ratio": 32 >> level, "conf_thresh": 0.01}
        stem = b.fresh("yolo_box")
        outputs = {"Boxes": f"{stem}.tmp_0", "Scores": f"{stem}.tmp_1"}
        b.op("yolo_box", {"X": head, "ImgSize": size}, outputs, attrs, (-1, -1, 4))
        boxes.append(outputs["Boxes"])
        moved = b.op(
            "transpose", {"X": outputs["Scores"]}, attrs={"axis": (0, 2, 1)}, shape=(-1, 1, -1)
        )
        scores.append(moved)
    slots = {"BBoxes": b.concat(boxes), "Scores": b.concat(scores, 2)}
    attrs = {"background_label": -1, "nms_threshold": 0.45, "score_threshold": 0.01}
    out = b.op("multiclass_nms", slots, attrs=attrs, shape=(-1, 6))
    return versioned(b.build([out]), "1.8.4")


def ssd() -> Program:
    """MobileNet with a box and a class head at two strides, priors and NMS."""
    b = Network()
    image = b.feed("image", (-1, 3, 64, 64))
    boxes, scores, priors, variances = [], [], [], []
    for number, x in enumerate(mobilenet_body(b, image)[1:]):
        for kept, values in ((boxes, 4), (scores, 3)):
            head = b.biased_conv(x, 2 * values, 3)
            shape = b._shape(head)
            turned = (shape[0], shape[2], shape[3], shape[1])
            head = b.op("transpose2", {"X": head}, attrs={"axis": (0, 2, 3, 1)}, shape=turned)
            attrs: dict[str, Attr] = {"shape": (0, -1, values)}
            kept.append(b.op("reshape2", {"X": head}, attrs=attrs, shape=(-1, -1, values)))
        stem = b.fresh("prior_box")
        outputs = {"Boxes": f"{stem}.tmp_0", "Variances": f"{stem}.tmp_1"}
        attrs = {"min_sizes": (20.0 * (number + 1),), "aspect_ratios": (2.0,), "flip": False}
        attrs |= {"variances": (0.1, 0.1, 0.2, 0.2), "clip": False, "offset": 0.5}
        b.op("prior_box", {"Input": x, "Image": image}, outputs, attrs, (-1, -1, 2, 4))
        for kept, name in ((priors, outputs["Boxes"]), (variances, outputs["Variances"])):
            kept.append(b.op("reshape2", {"X": name}, attrs={"shape": (-1, 4)}, shape=(-1, 4)))
    slots = {"PriorBox": b.concat(priors, 0), "PriorBoxVar": b.concat(variances, 0)}
    slots["TargetBox"] = b.concat(boxes)
    coded: dict[str, Attr] = {"code_type": "decode_center_size", "axis": 0, "box_normalized": True}
    decoded = b.op("box_coder", slots, {"OutputBox": "box_coder_0.tmp_0"}, coded, (-1, -1, 4))
    score = b.op("softmax", {"X": b.concat(scores)}, attrs={"axis": -1}, shape=(-1, -1, 3))
    score = b.op("transpose2", {"X": score}, attrs={"axis": (0, 2, 1)}, shape=(-1, 3, -1))
    nms: dict[str, Attr] = {"background_label": 0, "nms_threshold": 0.45, "keep_top_k": 200}
    names = {"Out": "nms.tmp_0", "Index": "nms.tmp_1", "NmsRoisNum": "nms.tmp_2"}
    out = b.op("multiclass_nms3", {"BBoxes": decoded, "Scores": score}, names, nms, (-1, 6))
    return versioned(b.build([out]), "2.2.2", op_versions=True)


def deeplab() -> Program:
    """An encoder with dilated branches, a decoder that joins stride 4, classes of each pixel."""
    b = Network()
    x = b.norm_conv(b.feed("x", (-1, 3, 64, 64)), 8, 3, 2)
    low = x = b.norm_conv(x, 8, 3, 2)
    for filters in (12, 16):
        y = b.norm_conv(b.norm_conv(x, filters, 1, 2), filters, 3, act="")
        shortcut = b.norm_conv(x, filters, 1, 2, act="")
        x = b.op("relu", {"X": b.add(y, shortcut)}, shape=b._shape(y))
    attrs: dict[str, Attr] = {"pooling_type": "avg", "adaptive": True, "ksize": (1, 1)}
    pooled = b.op("pool2d", {"X": x}, attrs=attrs, shape=(-1, 16, 1, 1))
    height, width = b._shape(x)[2:]
    branches = [b.resized(b.norm_conv(pooled, 8, 1), "bilinear_interp_v2", height, width)]
    branches.append(b.norm_conv(x, 8, 1))
    branches += [b.norm_conv(b.norm_conv(x, 16, 3, groups=16), 8, 1) for _ in range(2)]
    x = b.norm_conv(b.concat(branches), 8, 1)
    x = b.resized(x, "bilinear_interp_v2", *b._shape(low)[2:])
    x = b.concat([x, b.norm_conv(low, 4, 1)])
    x = b.biased_conv(b.norm_conv(x, 8), 5)
    x = b.resized(x, "bilinear_interp_v2", 64, 64)
    x = b.op(
        "arg_max", {"X": x}, attrs={"axis": 1, "keepdims": False, "dtype": 3}, shape=(-1, 64, 64)
    )
    return versioned(b.build([x]), "2.2.2", op_versions=True)
