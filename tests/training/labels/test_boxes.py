"""Exported detectors that are measured by boxes: pycocotools and counting by hand agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .conftest import SETTINGS, export, predict, prepared

pytestmark = pytest.mark.paddle
FIT = SETTINGS.replace("keep_ratio: false", "keep_ratio: true").replace(
    "- {type: Permute}", "- {type: Permute}\n- {type: PadStride, stride: 32}"
)


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with one or two bright squares of two classes, of 32 x 64 and 64 x 32 pixels."""
    folder = tmp_path_factory.mktemp("coco")
    (folder / "annotations").mkdir()
    (folder / "val").mkdir()
    rng = np.random.default_rng(1)
    images: list[Any] = []
    objects: list[Any] = []
    for number in range(8):
        height, width = ((32, 64), (64, 32))[number % 2]
        pixels = rng.integers(0, 90, (height, width, 3)).astype(np.uint8)
        for _ in range(1 + number % 2):
            # 12 x 12 pixels once the image is resized: with the ratio kept, or stretched.
            wide, high = (24, 24) if number % 4 < 2 else (width * 3 // 8, height * 3 // 8)
            x, y = int(rng.integers(0, width - wide)), int(rng.integers(0, height - high))
            label = int(rng.integers(0, 2))
            pixels[y : y + high, x : x + wide, label] = 250
            box = [x, y, wide, high]
            common = {
                "image_id": number,
                "category_id": label + 1,
                "iscrowd": 0,
                "area": wide * high,
            }
            objects.append({"id": len(objects) + 1, "bbox": box, **common})
        Image.fromarray(pixels).save(folder / "val" / f"{number}.png")
        size = {"height": height, "width": width}
        images.append({"id": number, "file_name": f"{number}.png", **size})
    document = {
        "images": images,
        "annotations": objects,
        "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "green"}],
    }
    (folder / "annotations" / "instances_val.json").write_text(json.dumps(document))
    return folder


def detector(told: bool, count: bool = True, background: int = -1) -> Callable[[Any], list[Any]]:
    """A box of 12 pixels around each of 7 x 7 places, scored by how red and green it is."""

    def outputs(x: Any) -> list[Any]:
        import paddle

        mean = paddle.nn.initializer.Assign(
            np.eye(3)[:, :, None, None].repeat(8, 2).repeat(8, 3) / 16
        )
        near = paddle.static.nn.conv2d(x, 3, 8, 4, param_attr=mean, bias_attr=False)
        classes = near[:, :2] if background < 0 else paddle.concat([near[:, 2:], near[:, :2]], 1)
        scores = paddle.nn.functional.sigmoid(paddle.reshape(classes, [0, classes.shape[1], 49]))
        at = np.stack(np.meshgrid(np.arange(7), np.arange(7)), -1).reshape(1, 49, 2) * 4.0
        boxes = paddle.assign(np.concatenate([at - 2, at + 10], 2).astype(np.float32))
        boxes = boxes + paddle.unsqueeze(paddle.mean(x, axis=[1, 2, 3]), [1, 2]) * 0
        if told:
            factor = paddle.static.data("scale_factor", [-1, 2], "float32")
            both = paddle.concat([factor[:, 1:], factor[:, :1]] * 2, 1)
            boxes = boxes / paddle.unsqueeze(both, 1)
        return _suppressed(boxes, scores, background, count)

    return outputs


def _suppressed(boxes: Any, scores: Any, background: int, count: bool) -> list[Any]:
    from paddle.base.layer_helper import LayerHelper

    helper = LayerHelper("nms")
    rows = helper.create_variable_for_type_inference("float32")
    index, number = (helper.create_variable_for_type_inference("int32") for _ in range(2))
    helper.append_op(
        type="multiclass_nms3",
        inputs={"BBoxes": boxes, "Scores": scores},
        outputs={"Out": rows, "Index": index, "NmsRoisNum": number},
        attrs={
            "background_label": background,
            "score_threshold": 0.4,
            "nms_top_k": 49,
            "nms_threshold": 0.4,
            "nms_eta": 1.0,
            "keep_top_k": 10,
            "normalized": False,
        },
    )
    return [rows, number] if count else [rows]


def expected(model: Path, coco: Path, fit: bool, told: bool, first: int = 0) -> dict[str, float]:
    """COCO AP by pycocotools alone of what Paddle's inference engine finds in the images."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    file = coco / "annotations" / "instances_val.json"
    rows = []
    for image in json.loads(file.read_text())["images"]:
        picture = Image.open(coco / "val" / image["file_name"])
        factor = np.array([32 / image["height"], 32 / image["width"]])
        if fit:
            factor[:] = 0.5
        size = np.rint(factor * [image["height"], image["width"]]).astype(int)
        # Halving without smoothing takes the mean of two pixels, as OpenCV's linear does.
        small = _linear(np.asarray(picture), *size)
        whole = np.zeros((1, 3, 32, 32), np.float32)
        whole[:, :, : size[0], : size[1]] = prepared(small)
        feed = {"x": whole, "scale_factor": factor[None].astype(np.float32)}
        found, *_ = predict(model, feed)
        for label, score, *corners in found.reshape(-1, 6).tolist():
            x1, y1, x2, y2 = (c / (1 if told else factor[1 - i % 2]) for i, c in enumerate(corners))
            rows.append(
                {
                    "image_id": image["id"],
                    "category_id": int(label) + 1 - first,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": score,
                }
            )
    truth = COCO(str(file))
    measure = COCOeval(truth, truth.loadRes(rows), "bbox")
    measure.evaluate()
    measure.accumulate()
    measure.summarize()
    return {"ap": measure.stats[0], "ap50": measure.stats[1], "rows": len(rows)}


def _linear(pixels: Any, height: int, width: int) -> Any:
    """An image at its own size or half of it, along each axis."""
    found = pixels.astype(np.float64)
    if height * 2 == found.shape[0]:
        found = (found[::2] + found[1::2]) / 2
    if width * 2 == found.shape[1]:
        found = (found[:, ::2] + found[:, 1::2]) / 2
    assert found.shape[:2] == (height, width)
    return np.floor(found + 0.5)


@pytest.mark.parametrize("fit", [False, True], ids=["stretched", "ratio kept"])
@pytest.mark.parametrize("told", [False, True], ids=["untold", "scale_factor"])
def test_boxes_are_measured_as_pycocotools_alone_does(
    coco: Path, tmp_path: Path, fit: bool, told: bool
) -> None:
    import graphprobe

    model = export(tmp_path / "m", detector(told), settings=FIT if fit else SETTINGS)
    found = graphprobe.evaluate(model, data=f"coco:{coco}?split=val")
    wanted = expected(model, coco, fit, told)
    assert found.metric == "coco" and wanted["rows"] > 6
    assert found.value == pytest.approx(wanted["ap"], abs=0.01) and found.value > 0.05
    assert dict(found.score.more)["AP50"] == pytest.approx(wanted["ap50"], abs=0.01)


def test_a_background_is_no_class_and_names_decide(coco: Path, tmp_path: Path) -> None:
    import graphprobe

    plain = export(tmp_path / "plain", detector(True))
    value = graphprobe.evaluate(plain, data=f"coco:{coco}?split=val").value
    for name, listed in (("no names", ""), ("names", "label_list: [background, red, green]\n")):
        model = export(tmp_path / name, detector(True, background=0), settings=SETTINGS + listed)
        found = graphprobe.evaluate(model, data=f"coco:{coco}?split=val")
        assert found.value == pytest.approx(value)
    other = export(
        tmp_path / "turned", detector(True), settings=SETTINGS + "label_list: [green, red]\n"
    )
    turned = graphprobe.evaluate(other, data=f"coco:{coco}?split=val")
    assert turned.value < value


def test_uncounted_rows_and_the_metric_of_voc(coco: Path, tmp_path: Path) -> None:
    import graphprobe

    counted, plain = (
        graphprobe.evaluate(
            export(tmp_path / str(count), detector(True, count=count)),
            data=f"coco:{coco}?split=val",
            override={"train.metric": "integral", "train.batch_size": 4},
        )
        for count in (True, False)
    )
    assert counted.value == pytest.approx(plain.value) and counted.label == "mAP (integral)"
