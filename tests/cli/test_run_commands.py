"""A run's folder stands wherever a config or weights are, and is measured on its own data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

pytestmark = pytest.mark.paddle

PROGRAM = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
VAL = "digits?split=val&count=3&size=32&classes=2"
OTHER = VAL.replace("count=3", "count=2")
CONFIG = {
    "version": 1,
    "kind": "train",
    "student": {"program": PROGRAM},
    "train": {
        "data": {"train": "digits?count=4&size=32&classes=2", "val": VAL},
        "augment": {"expand": False, "crop": False},
        "image_size": 32,
        "batch_size": 2,
        "max_iters": 2,
        "workers": 0,
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config, and the run that it was trained into."""
    folder = tmp_path_factory.mktemp("runs")
    document = {**CONFIG, "train": {**CONFIG["train"], "output": str(folder / "run")}}  # type: ignore[dict-item]
    (folder / "c.yaml").write_text(yaml.safe_dump(document))
    assert command("train", str(folder / "c.yaml"), "--format", "json") == 0
    return folder


def command(name: str, *words: str) -> int:
    return run(build_app(name), [name, *words, "--device", "cpu"])


def test_eval_measures_on_the_data_of_the_run(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = home / "changed.yaml"
    text = (home / "c.yaml").read_text().replace("count=3", "count=5")
    changed.write_text(text.replace("image_size: 32", "image_size: 64"))
    found = {}
    for words in ((str(home / "run"),), (str(changed),), (str(changed), "--data", OTHER)):
        assert command("eval", *words, "--format", "json") == 0
        said = capsys.readouterr()
        found[words] = json.loads(said.out), said.err
    of_run, of_config, told = found.values()
    assert of_run[0] == of_config[0]
    assert of_run[0]["data"] == VAL and of_run[0]["split"] == "val"
    assert of_run[0]["samples"] == 3 and of_run[0]["image_size"] == 32
    assert "train.data.val is" not in of_run[1] and "train.image_size is 64" in of_config[1]
    assert told[0]["data"] == OTHER and "train.data.val is" not in told[1]


def test_the_tables_name_the_data(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("eval", str(home / "run" / "checkpoints" / "000002")) == 0
    shown = capsys.readouterr().out
    assert f"data     {VAL}, 3 images, 32 x 32 pixels" in shown
    assert f"weights  {home}" in shown
    assert command("check", str(home / "run")) == 0
    assert f"measured on  {VAL}, 3 images" in capsys.readouterr().out
    result = json.loads((home / "run" / "result.json").read_text())
    assert result["data"] == {
        "train": "digits?count=4&size=32&classes=2",
        "train_samples": 4,
        "val": VAL,
        "val_samples": 3,
        "image_size": 32,
    }


def test_infer_and_export_take_a_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("export", str(home / "run"), "--output", str(home / "exported")) == 0
    assert (home / "exported" / "model.pdmodel").is_file()
    settings = yaml.safe_load((home / "exported" / "infer_cfg.yml").read_text())
    assert settings["arch"] == "YOLO" and settings["label_list"] == ["0", "1"]
    stretch, normalize, _ = settings["Preprocess"]
    assert stretch["target_size"] == [32, 32] and not stretch["keep_ratio"]
    assert normalize["mean"] == [0.485, 0.456, 0.406] and normalize["is_scale"]
    for_paddlex = yaml.safe_load((home / "exported" / "inference.yml").read_text())
    assert for_paddlex.pop("Global") == {"model_name": "yolov3_mobilenet_v1"}
    assert for_paddlex == settings
    assert b".py" not in (home / "exported" / "model.pdmodel").read_bytes()
    words = ("--samples", "1", "--output", str(home / "found"))
    assert command("infer", str(home / "run"), *words) == 0
    assert (home / "found" / "sheet.png").is_file()
    assert "digits-val-0" in capsys.readouterr().out


def test_other_classes_are_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = home / "other" / "images"
    pictures.mkdir(parents=True)
    from PIL import Image

    Image.new("RGB", (32, 32)).save(pictures / "a.png")
    (home / "other" / "labels").mkdir()
    (home / "other" / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (home / "other" / "classes.txt").write_text("cat\ndog\n")
    assert command("eval", str(home / "run"), "--data", f"yolo:{home / 'other'}?split=all") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "has the classes cat, dog" in said and "was trained on 0, 1" in said


def test_a_folder_without_a_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "empty").mkdir()
    assert command("eval", str(home / "empty")) == 2
    assert "holds no run; name a config, or the folder" in capsys.readouterr().err


def test_a_run_is_a_program(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = (home / "run" / "program.pdmodel").read_bytes()
    assert b".py" not in content  # no call stacks of this machine
    path = home / "distill.yaml"
    words = ["pairs", "--student", PROGRAM, "--teacher", str(home / "run"), "-o", str(path)]
    assert run(build_app("pairs"), words) == 0
    config = yaml.safe_load(path.read_text())
    assert config["teacher"]["program"] == PROGRAM
    assert config["teacher"]["weights"] == str(home / "run")
    assert config["student"]["weights"] is None and len(config["pairs"]) == 3
    assert run(build_app("draw"), ["draw", str(home / "run"), "-o", str(home / "d.svg")]) == 0
    assert run(build_app("prune-regex"), ["prune-regex", str(home / "run")]) == 0
    assert "30 prunable" in capsys.readouterr().out


def test_runs_are_listed_and_compared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_app("runs"), ["runs", str(home), "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["runs"]
    assert found["state"] == "done" and found["kind"] == "alone" and found["value"] == 0.0
    assert found["flops"] > 0 and found["parameters"] == 64784
    words = [str(home / "run"), str(home / "run"), "-o", str(home / "curves.svg")]
    assert run(build_app("compare"), ["compare", *words]) == 0
    shown = capsys.readouterr().out
    assert "multiply-adds" in shown and max(map(len, shown.splitlines())) <= 80
    assert "mAP (11 point)" in (home / "curves.svg").read_text()
    assert run(build_app("runs"), ["runs", str(home / "empty")]) == 1


def test_pairs_and_prune_regex_know_the_data(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = "digits?count=40&size=32&classes=2"
    words = ["--data", data, "-o", str(home / "known.yaml")]
    names = [
        "--student",
        "zoo:yolov3_mobilenet_v1?scale=0.05",
        "--teacher",
        "zoo:yolov3_r34?scale=0.05",
    ]
    assert run(build_app("pairs"), ["pairs", *names, *words]) == 0
    said = capsys.readouterr().err
    assert "for the data have 2 classes" in said and "= 300 epochs of 40" in said
    config = yaml.safe_load((home / "known.yaml").read_text())
    assert config["student"]["program"] == "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
    assert config["train"]["data"]["val"] == f"{data}&split=val"
    assert config["train"]["max_iters"] == 1500 and config["train"]["eval_iter"] <= 75
    assert config["train"]["reference_batch"] == config["train"]["batch_size"] == 8

    assert run(build_app("prune-regex"), ["prune-regex", names[1], *words, "--image", "64"]) == 0
    config = yaml.safe_load((home / "known.yaml").read_text())
    assert config["train"]["image_size"] == 64 and config["train"]["max_iters"] == 1500
    assert run(build_app("prune-regex"), ["prune-regex", names[1], "--image", "64"]) == 0
    assert "counted for images of 64 x 64 pixels" in capsys.readouterr().out
    words = ["--data", "digits?count=6&size=32&classes=2"]
    assert command("check", str(home / "c.yaml"), *words) == 0
    assert "trained on   digits?count=6" in capsys.readouterr().out


def test_a_run_is_pruned_at_the_size_of_its_images(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = build_app("prune-regex")
    assert run(app, ["prune-regex", str(home / "run")]) == 0
    assert "counted for images of 32 x 32 pixels" in capsys.readouterr().out
    assert run(app, ["prune-regex", str(home / "run"), "--image", "64"]) == 0
    assert "counted for images of 64 x 64 pixels" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["float64", "float16", ">f4"])
def test_weights_in_other_types_of_number(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """numpy keeps float64 unless told otherwise; Paddle's programs are float32."""
    import numpy as np

    from graphprobe.training.weights.checkpoint import read_newest

    newest = read_newest(home / "run" / "checkpoints", print)
    assert newest is not None
    file = tmp_path / "w.npz"
    np.savez(file, **{name: array.astype(kind) for name, array in newest.weights.items()})
    found = []
    for words in ((), ("--weights", str(file))):
        assert command("eval", str(home / "run"), *words, "--format", "json") == 0
        found.append(json.loads(capsys.readouterr().out)["metric"])
    assert found[0] == pytest.approx(found[1], abs=0.0 if kind != "float16" else 0.02)
