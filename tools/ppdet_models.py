"""Hold bundled models of PaddleDetection 2.6 against its own, with the same random weights.

    python tools/ppdet_models.py FOLDER [NAME ...]

FOLDER is a clone of PaddleDetection (release/2.6), whose requirements must be installed. Told are,
for each model, how many names and shapes agree, the sha256 of their list (tests/zoo holds it), how
far scores, boxes and losses are apart, and the losses of a narrow model, which a test holds too.
Ends with status 1 where something differs.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

import graphprobe.data.target_kinds as kinds
from graphprobe.zoo import Built, build_zoo, parse_zoo

CLOSE = 1e-4
OBJECTS = 6
NARROW = {"picodet": "scale=0.125&num_classes=3", "ppyoloe": "scale=0.25&num_classes=3"}
# What PaddleDetection calls the terms of PP-YOLOE's loss, and their weights in it.
YOLOE_TERMS = {
    "loss": ("loss", 1.0),
    "loss_vfl": ("loss_cls", 1.0),
    "loss_bbox": ("loss_iou", 2.5),
    "loss_dfl": ("loss_dfl", 0.5),
}


def pico(size: str) -> tuple[str, dict[str, Any]]:
    """The config of a PicoDet, and what makes it narrow with three classes."""
    channels = {"xs": 96, "s": 96, "m": 128, "l": 160}[size] // 8
    width = {"xs": 0.35, "s": 0.75, "m": 1.5, "l": 2.0}[size]
    depth = 2 if size in ("xs", "s") else 4
    feat = {
        "name": "PicoFeat",
        "feat_in": channels,
        "feat_out": channels,
        "num_convs": depth,
        "num_fpn_stride": 4,
        "norm_type": "bn",
        "share_cls_reg": True,
        "use_se": True,
    }
    # Its default is one list, which every neck that is made lengthens.
    scales = [1 / 8, 1 / 16, 1 / 32]
    return f"picodet/picodet_{size}_416_coco_lcnet.yml", {
        "num_classes": 3,
        "LCNet": {"scale": width / 8},
        "LCPAN": {"out_channels": channels, "spatial_scales": scales},
        "PicoHeadV2": {"feat_in_chan": channels, "conv_feat": feat},
    }


def yoloe(size: str, plus: bool) -> tuple[str, dict[str, Any]]:
    """The config of a PP-YOLOE, and what makes it narrow with three classes."""
    kind = "ppyoloe_plus_crn_{}_80e_coco" if plus else "ppyoloe_crn_{}_300e_coco"
    width = {"s": 0.5, "m": 0.75, "l": 1.0, "x": 1.25}[size] / 4
    return f"ppyoloe/{kind.format(size)}.yml", {"num_classes": 3, "width_mult": width}


MODELS = {
    **{f"picodet_{size}": pico(size) for size in ("xs", "s", "m", "l")},
    **{f"ppyoloe_{size}": yoloe(size, plus=False) for size in ("s", "m", "l", "x")},
    **{f"ppyoloe_{size}?plus=true": yoloe(size, plus=True) for size in ("s", "m", "l", "x")},
}


def random_values(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """A value for each parameter, drawn in the order of the names."""
    rng = np.random.default_rng(0)
    found = {}
    for name, shape in sorted(shapes.items()):
        if name.endswith(("_variance", ".alpha")) or (len(shape) == 1 and name.endswith(".weight")):
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            value = rng.normal(0, 0.1, shape)
        else:
            value = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        found[name] = value.astype("float32")
    return found


def random_images(size: int, classes: int) -> dict[str, Any]:
    """Two images and their objects: center, width and height over the side; two objects overlap."""
    rng = np.random.default_rng(1)
    image = rng.normal(size=(2, 3, size, size)).astype("float32")
    center, sides = rng.uniform(0.3, 0.7, (2, OBJECTS, 2)), rng.uniform(0.1, 0.6, (2, OBJECTS, 2))
    boxes = np.concatenate([center, sides], 2).astype("float32")
    labels = rng.integers(0, classes, (2, OBJECTS)).astype("int32")
    boxes[1, 4:], labels[1, 4:] = 0, 0
    return {"image": image, "gt_bbox": boxes, "gt_class": labels}


def corners(boxes: Any, size: int) -> Any:
    """Center and size over the side -> left, top, right, bottom in pixels."""
    low, high = boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2
    return (np.concatenate([low, high], -1) * size).astype("float32")


def theirs(config: str, changes: dict[str, Any], ignored: set[str], size: int) -> dict[str, Any]:
    """PaddleDetection's names, outputs and losses."""
    import paddle
    from ppdet.core.workspace import create, load_config, merge_config

    paddle.disable_static()
    loaded = load_config(str(Path(sys.argv[1]) / "configs" / config))
    merge_config(changes)
    model = create(loaded.architecture)
    state = model.state_dict()
    shapes = {n: tuple(v.shape) for n, v in state.items() if n not in ignored}
    values = random_values(shapes)
    for name, variable in state.items():
        if name in values:
            variable.set_value(values[name])
    is_yoloe = hasattr(model, "yolo_head")
    head = model.yolo_head if is_yoloe else model.head
    head.eval_size = None
    batch = random_images(size, head.num_classes)
    image = paddle.to_tensor(batch["image"])
    boxes = corners(batch["gt_bbox"], size)
    model.eval()
    with paddle.no_grad():
        outputs = head(model.neck(model.backbone({"image": image})))
    scores, found = decoded(*outputs) if is_yoloe else outputs
    # Norms keep their moving statistics, so that one batch tells all.
    head.training = True
    model.training = True
    losses = {}
    for assign, epoch in (("atss", 0), ("aligned", 10_000)):
        model.inputs = {
            "image": image,
            "gt_class": paddle.to_tensor(batch["gt_class"][..., None]),
            "gt_bbox": paddle.to_tensor(boxes),
            "pad_gt_mask": paddle.to_tensor((boxes[..., 2:3] > boxes[..., :1]).astype("float32")),
            "im_id": paddle.zeros([2]),
            "epoch_id": epoch,
        }
        found_losses = model.get_loss()
        names = YOLOE_TERMS if is_yoloe else {name: (name, 1.0) for name in found_losses}
        losses[assign] = {
            name: factor * float(found_losses[theirs]) for name, (theirs, factor) in names.items()
        }
    return {
        "shapes": shapes,
        "left": set(state) & ignored,
        "scores": scores.numpy(),
        "boxes": np.clip(found.numpy(), 0, size),
        "losses": losses,
    }


def decoded(scores: Any, distances: Any, cells: Any, strides: Any) -> tuple[Any, Any]:
    """What PP-YOLOE's head gives -> scores, and boxes in pixels."""
    from ppdet.modeling.bbox_utils import batch_distance2bbox

    return scores, batch_distance2bbox(cells, distances) * strides


def feed_of(built: Built, size: int) -> dict[str, Any]:
    """What a model's train program takes."""
    batch = random_images(size, built.meta["num_classes"])
    if built.meta["assign"] == "aligned":
        return batch
    made = []
    for boxes, labels in zip(corners(batch["gt_bbox"], size), batch["gt_class"], strict=True):
        objects = kinds.Objects(boxes, labels, np.ones(len(boxes), "float32"))
        made.append(kinds.target_kinds()["point"].make(built.meta, size, objects))
    return {"image": batch["image"], **{n: np.stack([m[n] for m in made]) for n in made[0]}}


def run(built: Built, feed: dict[str, Any], names: list[str]) -> list[Any]:
    """What a model gives with random weights, norms with their moving statistics."""
    import paddle

    place = paddle.CPUPlace()
    kept = {v.name: v for v in built.main.list_vars() if v.persistable}
    for op in built.main.global_block().ops:
        if op.type == "batch_norm":
            op._set_attr("use_global_stats", True)
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor = paddle.static.Executor(place)
        executor.run(built.startup)
        values = random_values({n: tuple(v.shape) for n, v in kept.items()})
        for name, value in values.items():
            paddle.static.global_scope().find_var(name).get_tensor().set(value, place)
        return list(executor.run(built.main, feed=feed, fetch_list=names))


def ours(name: str, size: int) -> dict[str, Any]:
    """The names, outputs and losses of a bundled model, ``NAME`` or ``NAME?option=value``."""
    built = build_zoo(parse_zoo(with_option(name, "mode=eval")))
    (decoded,) = (op for op in built.main.global_block().ops if op.type == "multiclass_nms3")
    feed = {"image": random_images(size, 2)["image"], "im_size": np.full((2, 2), size, "int32")}
    boxes, scores = run(built, feed, [decoded.input("BBoxes")[0], decoded.input("Scores")[0]])
    losses = {}
    for assign in ("atss", "aligned"):
        trained = build_zoo(parse_zoo(with_option(name, f"assign={assign}")))
        terms = run(trained, feed_of(trained, size), list(trained.outputs.values()))
        losses[assign] = dict(zip(trained.outputs, map(float, terms), strict=True))
    kept = {v.name: tuple(v.shape) for v in built.main.list_vars() if v.persistable}
    return {"shapes": kept, "scores": scores, "boxes": boxes, "losses": losses}


def with_option(name: str, option: str) -> str:
    """``zoo:NAME`` with one more option."""
    return f"zoo:{name}{'&' if '?' in name else '?'}{option}"


def digest(shapes: dict[str, tuple[int, ...]]) -> str:
    """One sum over the sorted names and shapes."""
    lines = "".join(f"{name} {list(shape)}\n" for name, shape in sorted(shapes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def compare(name: str, *, narrow: bool) -> bool:
    """Tell how one model agrees, and whether it does."""
    config, changes = MODELS[name]
    left = set(build_zoo(parse_zoo(f"zoo:{name}")).meta["left_out"])
    size, full = (
        (192, with_option(name, NARROW[name.partition("_")[0]])[4:]) if narrow else (288, name)
    )
    other, mine = ours(full, size), theirs(config, changes if narrow else {}, left, size)
    same = mine["shapes"] == other["shapes"] and mine["left"] == left
    print(f"{full}: {len(other['shapes'])} names, {len(left)} left out, same: {same}")
    print(f"  sha256 {digest(other['shapes'])}")
    gaps = {part: float(abs(mine[part] - other[part]).max()) for part in ("scores", "boxes")}
    for assign, losses in mine["losses"].items():
        print(f"  {assign}: {losses}")
        for term, value in losses.items():
            gaps[f"{assign} {term}"] = abs(other["losses"][assign][term] / value - 1)
    print("  apart:", {part: f"{gap:.1g}" for part, gap in gaps.items()})
    return same and max(gaps.values()) < CLOSE


def main() -> int:
    """Run."""
    sys.path.insert(0, sys.argv[1])
    names = sys.argv[2:] or list(MODELS)
    agree = [compare(name, narrow=narrow) for name in names for narrow in (False, True)]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    raise SystemExit(main())
