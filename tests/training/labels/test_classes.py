"""Exported classifiers that are measured by labels, and learn from them."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from graphprobe.errors import GraphprobeError

from .conftest import FAST, predict, prepared

pytestmark = pytest.mark.paddle
Classifier = Callable[..., Path]
NAMES = ("blue", "green", "red")  # folders are sorted


def counted(model: Path, data: Path, names: Any = NAMES) -> tuple[float, dict[str, float]]:
    """Top-1 accuracy of a file in Paddle's inference engine, counted by hand."""
    right: dict[str, list[bool]] = {name: [] for name in NAMES}
    for path in sorted((data / "val").glob("*/*.png")):
        (scores,) = predict(model, {"x": prepared(Image.open(path))})
        right[path.parent.name].append(names[int(scores.argmax())] == path.parent.name)
    every = [hit for hits in right.values() for hit in hits]
    return float(np.mean(every)), {name: float(np.mean(hits)) for name, hits in right.items()}


def trained(output: Path, data: str, **words: Any) -> tuple[Any, list[str]]:
    import graphprobe

    said: list[str] = []
    override = {**FAST, "train.output": str(output), **words.pop("override", {})}
    run = graphprobe.train(
        data=data, device="cpu", override=override, progress=said.append, **words
    )
    return run, said


@pytest.mark.parametrize("names", [(), ("red", "green", "blue"), ("red", "black", "blue", "green")])
def test_a_file_is_measured_as_paddle_inference_counts(
    classifier: Classifier, classes: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    import graphprobe

    model = classifier(tmp_path / "m", count=len(names) or 3, names=names, seed=3)
    said: list[str] = []
    found = graphprobe.evaluate(model, data=f"folder:{classes}", progress=said.append)
    value, each = counted(model, classes, names or NAMES)
    assert (found.metric, found.value, found.classes) == ("top1", pytest.approx(value), each)
    assert found.label == "top-1 accuracy" and found.agreement is None
    assert found.measured_on == f"folder:{classes}?split=val, 12 images, 32 x 32 pixels"
    assert any(line.startswith("measured by labels: top-1 accuracy of ") for line in said)


def test_labels_teach_beside_a_teacher_and_measure_the_run(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    import graphprobe

    student, teacher = (classifier(tmp_path / n, seed=s) for s, n in enumerate("st"))
    run, said = trained(
        tmp_path / "run",
        f"folder:{classes}",
        student=str(student),
        teacher=str(teacher),
        override={"train.max_iters": 60, "train.snapshot_iter": 60},
    )
    assert any(
        line.startswith("task: cross_entropy of fc_0.tmp_1 with labels of 3") for line in said
    )
    before = counted(student, classes)[0]
    assert f"before training: top-1 accuracy {before:.4f}" in said
    assert f"teacher: top-1 accuracy {counted(teacher, classes)[0]:.4f}" in said
    assert run.metric == "top-1 accuracy"
    config = (tmp_path / "run" / "distill.yaml").read_text()
    assert "loss: cross_entropy" in config
    found = graphprobe.evaluate(tmp_path / "run")
    assert found.value == run.best > before
    graphprobe.export(tmp_path / "run", output=tmp_path / "small")
    assert counted(tmp_path / "small", classes)[0] == pytest.approx(found.value)


def test_labels_alone_teach(classifier: Classifier, classes: Path, tmp_path: Path) -> None:
    model = classifier(tmp_path / "m", end="argmax")
    run, said = trained(
        tmp_path / "run",
        f"folder:{classes}",
        student=str(model),
        override={"train.max_iters": 60, "train.snapshot_iter": 60},
    )
    assert run.best > 0.9
    assert not any("teacher" in line for line in said)


def test_the_loss_is_the_cross_entropy_of_the_true_class(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    import paddle

    from graphprobe.config import TaskSection, TrainConfig
    from graphprobe.training.networks.build import fill, open_network
    from graphprobe.training.networks.task_loss import with_task_loss

    model = classifier(tmp_path / "m", count=4)
    document = {"version": 1, "kind": "train", "student": {"program": str(model)}}
    task = TaskSection(loss="cross_entropy", outputs=("fc_0.tmp_1",), classes=(3, 0, 2), weight=0.5)
    config = TrainConfig.model_validate({**document, "task": task})
    place = paddle.CPUPlace()
    student = fill(open_network(config.student, "student"), place, 0)
    student = with_task_loss(student, config, where="")
    image = np.random.default_rng(0).normal(size=(3, 3, 32, 32)).astype(np.float32)
    (found,) = paddle.static.Executor(place).run(
        student.main,
        feed={"image": image, "label": np.array([[0], [2], [1]])},
        fetch_list=[student.built.loss],
        scope=student.scope,
    )
    (probability,) = predict(model, {"x": image})
    wanted = -np.log(probability[[0, 1, 2], [3, 2, 0]]).mean() / 2
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize(
    ("count", "names", "said_why"),
    [
        (4, (), "the program has 4 classes, the data 3"),
        (3, ("red", "green", "black"), "the program has no class blue"),
        (3, ("x", "y", "z"), "the program's classes are x, y, z, the data's blue, green, red"),
    ],
)
def test_other_classes_leave_agreement(
    classifier: Classifier, classes: Path, tmp_path: Path, count: int, names: Any, said_why: str
) -> None:
    model = classifier(tmp_path / "m", count=count, names=names)
    teacher = classifier(tmp_path / "t", count=count, seed=1)
    run, said = trained(
        tmp_path / "run", f"folder:{classes}", student=str(model), teacher=str(teacher)
    )
    assert f"task: labels are not learned from: {said_why}" in said
    assert f"labels do not measure {model}: {said_why}; agreement with the teacher does" in said
    assert run.metric == "agreement with the teacher (top-1)"


def test_agreement_can_be_asked_for(classifier: Classifier, classes: Path, tmp_path: Path) -> None:
    model, teacher = (classifier(tmp_path / n, seed=s) for s, n in enumerate("st"))
    run, _ = trained(
        tmp_path / "run",
        f"folder:{classes}",
        student=str(model),
        teacher=str(teacher),
        override={"train.metric": "agreement", "train.max_iters": 1},
    )
    assert run.metric == "agreement with the teacher (top-1)"


def test_what_does_not_fit_is_refused(
    classifier: Classifier, classes: Path, small_pictures: Path, tmp_path: Path
) -> None:
    import graphprobe

    model = classifier(tmp_path / "m", count=4)
    with pytest.raises(GraphprobeError, match="labels do not measure an exported program: the pro"):
        graphprobe.evaluate(model, data=f"folder:{classes}")
    with pytest.raises(GraphprobeError, match=r"the data have no labels"):
        graphprobe.evaluate(model, data=f"images:{small_pictures}")
    with pytest.raises(GraphprobeError, match="is an exported program, and what it is measured on"):
        graphprobe.evaluate(model)
    fits = classifier(tmp_path / "fits")
    with pytest.raises(GraphprobeError, match="miou does not measure classification; take auto"):
        graphprobe.evaluate(fits, data=f"folder:{classes}", override={"train.metric": "miou"})
    task = {"loss": "cross_entropy", "outputs": ["fc_0.tmp1"], "classes": [0, 1, 2]}
    config = tmp_path / "train.yaml"
    text = f"version: 1\nkind: train\nstudent: {{program: {fits}}}\ntask: {task}\n"
    config.write_text(text)
    data = {"train.output": str(tmp_path / "run"), **FAST, "train.image_size": 32}
    with pytest.raises(GraphprobeError, match="no variable 'fc_0.tmp1'; did you mean"):
        graphprobe.train(config, data=f"folder:{classes}", override=data)
    config.write_text(text.replace("tmp1", "tmp_1"))
    with pytest.raises(GraphprobeError, match="is images of 0 classes, and the task of the config"):
        graphprobe.train(config, data=f"images:{small_pictures}", override=data)


@pytest.mark.parametrize("given", ["folder", "file", "one"])
def test_a_file_takes_images_without_a_config(
    given: str, classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    import graphprobe

    model = classifier(tmp_path / "model", names=NAMES)
    paths = sorted((classes / "val" / "red").glob("*.png"))
    program = model if given == "folder" else model / "inference.pdmodel"
    images: Any = str(paths[0]) if given == "one" else [classes / "val" / "red"]
    made = graphprobe.predict(program, images, output=tmp_path / "out", device="cpu")
    assert len(made) == (1 if given == "one" else len(paths))
    for found, path in zip(made, paths, strict=False):
        (scores,) = predict(model, {"x": prepared(Image.open(path))})
        assert found.text.startswith(NAMES[int(scores.argmax())])


def test_images_are_gone_once_they_are_drawn(classifier: Classifier, tmp_path: Path) -> None:
    """20,000 images take the memory of a few: docs/reliability.md has the figure."""
    import graphprobe

    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (256, 256), "red").save(folder / "0.jpg")
    for number in range(1, 400):
        (folder / f"{number}.jpg").symlink_to("0.jpg")
    pages: list[int] = []

    def note(_: Any) -> None:
        pages.append(int(Path("/proc/self/statm").read_text().split()[1]))

    model = classifier(tmp_path / "model", names=NAMES)
    graphprobe.predict(model, folder, output=tmp_path / "out", device="cpu", on_image=note)
    assert len(pages) == 400
    # All that came between would be 59 MB of pixels, and as much again of what is drawn.
    assert (pages[-1] - pages[100]) * resource.getpagesize() < 30e6


def test_pairs_write_the_loss_of_labels(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    import graphprobe

    student, teacher = (str(classifier(tmp_path / n, seed=s)) for s, n in enumerate("st"))
    said: list[str] = []
    words = {"data": f"folder:{classes}", "progress": said.append}
    found = graphprobe.find_pairs(student, teacher, **words)
    written = found.write(tmp_path / "distill.yaml")
    assert "task: cross_entropy of fc_0.tmp_1 with labels of 3 classes" in said
    trained(tmp_path / "run", f"folder:{classes}", student=student, teacher=teacher)
    alone = yaml.safe_load((tmp_path / "run" / "distill.yaml").read_text())
    assert yaml.safe_load(written.read_text())["task"] == alone["task"]
    assert alone["task"]["loss"] == "cross_entropy"
    images = graphprobe.find_pairs(student, teacher, data=f"images:{classes}")
    assert images.to_config().task is None


def test_the_weight_of_the_task_is_overridden_without_a_config(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    student, teacher = (str(classifier(tmp_path / n, seed=s)) for s, n in enumerate("st"))
    names = {"student": student, "teacher": teacher}
    data = f"folder:{classes}"
    trained(tmp_path / "run", data, **names, override={"task.weight": 2.5})
    assert "weight: 2.5" in (tmp_path / "run" / "distill.yaml").read_text()
    with pytest.raises(GraphprobeError, match=r"task\.wieght"):
        trained(tmp_path / "other", data, **names, override={"task.wieght": 2.5})
    with pytest.raises(GraphprobeError, match=r"task\.loss"):
        trained(tmp_path / "other", f"images:{classes}", **names, override={"task.weight": 2.5})


def test_the_config_made_from_a_pruning_is_overridden(
    classifier: Classifier, classes: Path, tmp_path: Path
) -> None:
    import graphprobe

    pruning = tmp_path / "prune.yaml"
    found = graphprobe.find_prunable(str(classifier(tmp_path / "m")), ratio=0.5)
    found.write(pruning)
    override = {"task.weight": 3.5, "pairs[0].weight": 0.25}
    trained(tmp_path / "run", f"folder:{classes}", config=pruning, override=override)
    config = yaml.safe_load((tmp_path / "run" / "distill.yaml").read_text())
    assert (config["task"]["weight"], config["pairs"][0]["weight"]) == (3.5, 0.25)
    with pytest.raises(GraphprobeError, match=r"task\.wieght"):
        trained(tmp_path / "o", f"folder:{classes}", config=pruning, override={"task.wieght": 1})
    assert not (tmp_path / "o").exists()
