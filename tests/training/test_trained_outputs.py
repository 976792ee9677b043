"""What is done with a trained student: measured, run on pictures, exported, cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import CheckpointError, DataError

pytestmark = pytest.mark.paddle


@pytest.fixture(scope="module")
def config(teacher_run: Path) -> Any:
    """The config of the two-step run in the fixture."""
    from graphprobe.config import load_config

    return load_config(teacher_run / "config.yaml")


def open_for(config: Any, mode: str, **options: Any) -> Any:
    import paddle

    from graphprobe.training.trained import open_trained

    return open_trained(config, paddle.CPUPlace(), mode, where="t.yaml", **options)


def test_evaluation_from_the_checkpoint_gives_the_runs_figure(
    config: Any, teacher_run: Path
) -> None:
    import paddle

    from graphprobe.training.evaluate import make_evaluator
    from graphprobe.training.feeding.feeding import open_validation

    trained = open_for(config, "eval")
    data = open_validation(config.train, trained.built)
    score = make_evaluator(config.train, trained.built, data, paddle.CPUPlace()).run(trained.scope)
    assert score.value == json.loads((teacher_run / "result.json").read_text())["value"]
    assert [name for name, _ in score.classes] == ["0", "1"]


def test_coco_ap_is_that_of_the_same_detections(config: Any) -> None:
    import paddle

    from graphprobe.config import override_config
    from graphprobe.data.eval_batches import truths
    from graphprobe.data.metrics.coco_ap import CocoAp
    from graphprobe.training.evaluate import make_evaluator, split_rows
    from graphprobe.training.feeding.feeding import open_validation

    settings = override_config(config, ["train.metric=coco"], where="t.yaml").train
    trained = open_for(config, "eval")
    data = open_validation(settings, trained.built)
    evaluator = make_evaluator(settings, trained.built, data, paddle.CPUPlace())
    score = evaluator.run(trained.scope)
    measure = CocoAp(data.class_names)
    for batch, (boxes, counts) in evaluator.outputs(trained.scope):
        for rows, truth in zip(split_rows(boxes, counts), truths(batch), strict=True):
            measure.add(rows, truth.boxes, truth.classes, truth.difficult)
    result = measure.result()
    assert (score.value, score.classes) == (result.ap, result.classes)
    assert dict(score.more)["AP50"] == result.ap50 and evaluator.label == "AP (COCO)"


@pytest.mark.parametrize(
    ("metric", "val", "task", "found"),
    [
        ("auto", "digits", "detection", "11point"),
        ("auto", "coco:/a?split=val", "detection", "coco"),
        ("auto", "coco:/a", "segmentation", "miou"),
        ("integral", "coco:/a", "detection", "integral"),
        ("auto", None, "detection", "11point"),
    ],
)
def test_the_metric_of_the_data(metric: str, val: str | None, task: str, found: str) -> None:
    from graphprobe.config import DataSection, TrainSection
    from graphprobe.errors import ConfigError
    from graphprobe.training.evaluate import choose_metric

    section = TrainSection(metric=metric, data=DataSection(val=val))
    assert choose_metric(section, task) == found
    with pytest.raises(ConfigError, match="miou does not measure detection; take auto, 11point"):
        choose_metric(TrainSection(metric="miou"), "detection")


@pytest.mark.parametrize(
    ("name", "bgr"),
    [("deeplabv3p_mobilenetv2?scale=0.1&size=65", True), ("yolov3_r34?scale=0.05", False)],
)
def test_pictures_in_the_order_that_a_network_was_published_with(name: str, bgr: bool) -> None:
    from graphprobe.config import TrainSection
    from graphprobe.data.collate import stack_images
    from graphprobe.data.sample import detection_sample
    from graphprobe.training.feeding.feeding import make_augmentation
    from graphprobe.training.feeding.pixels import pixel_values
    from graphprobe.zoo import build_zoo, parse_zoo

    built = build_zoo(parse_zoo(f"zoo:{name}"), "infer")
    recipe = make_augmentation(TrainSection(image_size=64), built.meta)
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    found = stack_images([detection_sample("red", red, [], [])], recipe)
    expected = ([0, 0, 1] if bgr else [1, 0, 0]) - np.array(built.meta["image_mean"])
    expected /= built.meta["image_std"]
    np.testing.assert_allclose(found[0, :, 0, 0], expected, rtol=1e-6)
    assert str(pixel_values(TrainSection(), built)).startswith("BGR" if bgr else "RGB")


@pytest.mark.parametrize("legacy", [False, True])
def test_an_exported_network_gives_the_same_output(
    config: Any, same_when_exported: Any, tmp_path: Path, legacy: bool
) -> None:
    trained = open_for(config, "infer")
    feed = {
        "image": np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32),
        "im_size": np.array([[40, 50], [32, 32]], np.int32),
    }
    same_when_exported(trained, feed, tmp_path, legacy)


def test_exported_weights_are_read_back(config: Any, tmp_path: Path) -> None:
    import paddle

    from graphprobe.training.export import export_network

    trained = open_for(config, "infer")
    place = paddle.CPUPlace()
    for legacy in (False, True):
        folder = tmp_path / str(legacy)
        export_network(trained.built, trained.scope, place, folder, legacy=legacy)
        again = open_for(config, "infer", weights=str(folder))
        for name in ("conv1_weights", "yolo_output.0.conv.bias"):
            values = [
                np.array(t.scope.find_var(name).get_tensor())
                for t in (trained, again)
                if t.scope.find_var(name)
            ]
            if values:
                np.testing.assert_array_equal(values[0], values[1])


def test_pictures_from_files(config: Any, tmp_path: Path) -> None:
    import paddle
    from PIL import Image

    from graphprobe.data.image_files import ImageFolder, find_images
    from graphprobe.training.predict import Skipped, find_objects
    from graphprobe.training.predict_files import as_document, draw

    Image.new("RGB", (50, 40), (200, 30, 30)).save(tmp_path / "red.png")
    Image.new("RGB", (32, 64)).save(tmp_path / "tall.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "less.png").write_bytes(b"broken")
    files = find_images([tmp_path])
    data = ImageFolder(files, ("0", "1"), "detection")
    found = list(
        find_objects(
            config.train, open_for(config, "infer"), data, paddle.CPUPlace(), threshold=0.0
        )
    )
    # one that cannot be read is skipped, at its place
    broken = found.pop(0)
    assert isinstance(broken, Skipped) and broken.name == "less.png"
    assert [each.sample.size for each in found] == [(40, 50), (64, 32)]
    assert draw(found[0], data.class_names).ndim == 3
    document = as_document(found[0], data.class_names)
    assert document["image"] == "red.png"
    scores = [box["score"] for box in document["boxes"]]
    assert scores == sorted(scores, reverse=True)


def test_a_checkpoint_tells_the_names_of_its_classes(config: Any, tmp_path: Path) -> None:
    """So pictures are run where the data are not at hand."""
    from dataclasses import replace

    from graphprobe.config import override_config
    from graphprobe.training.predict import names_of_classes

    gone = f"train.data.val=voc:{tmp_path}/gone"
    elsewhere = override_config(config, [gone], where="t.yaml").train
    trained = open_for(config, "infer")
    assert names_of_classes(elsewhere, trained) == ("0", "1")
    untold = replace(trained, class_names=())
    assert names_of_classes(config.train, untold) == ("0", "1")
    with pytest.raises(DataError, match=r"^train\.data\.val: .*gone: does not exist"):
        names_of_classes(elsewhere, untold)
    without = override_config(config, ["train.data.val=null"], where="t.yaml").train
    assert names_of_classes(without, untold) == ("0", "1")


def test_what_cannot_be_opened(config: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        open_for(config, "eval", checkpoint=str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="no such weights"):
        open_for(config, "eval", weights=str(tmp_path / "w.npz"))
    np.savez(tmp_path / "other.npz", conv1_weights=np.zeros((1, 2), np.float32))
    with pytest.raises(CheckpointError, match=r"of another model: \d+ missing: .* 1 "):
        open_for(config, "eval", weights=str(tmp_path / "other.npz"))


def test_predictions_hold_what_their_folder_was_given(teacher_run: Path, tmp_path: Path) -> None:
    from PIL import Image

    import graphprobe

    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (50, 40), (200, 30, 30)).save(images / "red.png")
    (images / "less.png").write_bytes(b"broken")
    made = graphprobe.predict(teacher_run, [images], threshold=0.0, output=tmp_path / "out")
    written = tmp_path / "out" / "found.json"
    document = json.loads(written.read_text())
    assert [entry["image"] for entry in document] == ["red.png"]
    written.unlink()  # a result does not go by what becomes of its files
    assert made.to_dict()["images"] == document
    assert made.skipped == 1 and [image.name for image in made.images] == ["less.png", "red.png"]
    shown = graphprobe.predict(teacher_run, samples=2, output=tmp_path / "samples")
    assert len(shown.to_dict()["images"]) == 2 and (tmp_path / "samples" / "sheet.png").is_file()
