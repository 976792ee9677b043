"""``graphprobe train --student ...``: no config is written by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from graphprobe.config import DistillConfig, PruneConfig, load_config

STUDENT = "zoo:yolov3_mobilenet_v1?scale=0.05"
TEACHER = "zoo:yolov3_r34?scale=0.05"
TINY = (
    *("--data", "digits?count=4&size=32&classes=2", "--device", "cpu", "--format", "json"),
    *("-o", "train.image_size=32", "-o", "train.batch_size=2", "-o", "train.max_iters=2"),
    *("-o", "train.workers=0", "-o", "train.augment.crop=false"),
)


def _without(words: tuple[str, ...], word: str) -> list[str]:
    at = words.index(word)
    return [*words[: at - 1], *words[at + 1 :]]


def train(*words: str) -> int:
    return run(build_app("train"), ["train", *words])


@pytest.mark.paddle
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to train; name a config, or --student PROGRAM --data voc:PATH"),
        (("c.yaml", "--student", STUDENT), "cannot stand beside it"),
        (("c.yaml", "--teacher", TEACHER, "--prune", "0.5"), "--prune 0.5 cannot stand"),
        (("--student", STUDENT), "the data are not named; as --data voc:PATH"),
        (("--student", "m.pdmodel", "--data", "digits"), "m.pdmodel: no such file or folder"),
        (("--student", STUDENT, "--data", "voc"), "voc: needs a path; write voc:PATH"),
        (("--student", STUDENT, "--data", "digits?cuont=2"), "did you mean count?"),
        (
            ("--student", STUDENT, "--data", "digits", "--prune", "1.5"),
            "--prune: must be above 0 and",
        ),
        (
            ("--student", STUDENT, "--data", "digits", "--teacher-weights", "w"),
            "there is no teacher; name it with --teacher",
        ),
    ],
)
def test_what_does_not_go_together(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(*words) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and said in error


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


@pytest.mark.paddle
def test_cut_distil_and_train(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--student", STUDENT, "--teacher", TEACHER, "--prune", "0.5", *TINY)
    assert train(*words) == 0
    done = capsys.readouterr()
    result = json.loads(done.out)
    made = folder / "yolov3_mobilenet_v1_from_yolov3_r34_pruned_0.5"
    assert Path(result["output"]) == Path("runs") / made.name and result["iterations"] == 2
    assert f"{STUDENT}: takes zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05" in done.err
    assert "train.learning_rate.warmup_steps: 1000 -> 1" in done.err.replace("  ", "")
    assert "warning: teacher.weights is not set" in done.err
    assert "l2.2" in done.err and "failed" not in done.err

    config, cut = load_config(made / "distill.yaml"), load_config(made / "prune.yaml")
    assert isinstance(config, DistillConfig) and isinstance(cut, PruneConfig)
    assert [pair.student for pair in config.pairs] == [
        *("conv2d_20.tmp_1", "conv2d_28.tmp_1", "conv2d_36.tmp_1")
    ]
    assert config.train.max_iters == 2 and config.train.reference_batch == 2
    assert config.prune == f"runs/{made.name}/prune.yaml" and cut.prune.policy == "coupled"

    assert train(*words, "-r", "auto", "-o", "train.max_iters=3") == 0
    done = capsys.readouterr()
    assert json.loads(done.out)["iterations"] == 3 and "at iteration 2" in done.err
    # What was written describes the run: the other commands take it as it is.
    assert run(build_app("eval"), ["eval", str(made / "distill.yaml"), "--format", "json"]) == 0


@pytest.mark.paddle
def test_a_second_run_gets_the_next_number(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--student", STUDENT, *TINY)
    assert train(*words) == train(*words) == 0
    done = capsys.readouterr()
    home = folder / "yolov3_mobilenet_v1-2"
    assert f"runs/{home.name}" in done.out and f"goes into runs/{home.name}" in done.err
    assert load_config(home / "train.yaml").train.output == f"runs/{home.name}"
    # What goes on, and what is measured, is the last run into that place.
    assert train(*words, "-r", "auto", "-o", "train.max_iters=3") == 0
    assert f"resuming runs/{home.name}" in capsys.readouterr().err
    config = folder / "yolov3_mobilenet_v1" / "train.yaml"
    assert run(build_app("eval"), ["eval", str(config), "--device", "cpu"]) == 0
    assert f"weights  runs/{home.name}/checkpoints/000003" in capsys.readouterr().out


@pytest.mark.paddle
def test_lengths_are_named_in_epochs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--student", STUDENT, *_without(TINY, "train.max_iters=2"), "--epochs", "1.5")
    assert train(*words) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["iterations"] == 3  # 4 images, 2 at a time
    assert "schedule: 3 iterations of 2 samples = 1.5 epochs of 4; warm-up to 1" in said.err
    assert "iter 3/3  eta 00:00:00  epoch 1.50" in said.err
    made = folder / "yolov3_mobilenet_v1" / "train.yaml"
    assert train(str(made), *TINY[2:6], "-o", "train.max_iters=6") == 0
    assert "  train.learning_rate.milestones: [2, 3] -> [4, 6]" in capsys.readouterr().err


@pytest.mark.paddle
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--epochs", "0"), "--epochs 0: must be above 0"),
        (("--epochs", "3", "--minutes", "3"), "a run has one length; give epochs or minutes"),
        (("--minutes", "3", "-r", "auto"), "cannot be given to a run that goes on"),
        (("--schedule", "shrot"), "must be auto or published"),
        (("--schedule", "published", "--epochs", "3"), "a run has one length"),
    ],
)
def test_lengths_that_make_no_sense(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--student", STUDENT, "--data", "digits", *words) == 2
    assert said in capsys.readouterr().err
    if "--schedule" not in words:
        return
    assert train("c.yaml", "--schedule", "auto") == 2
    assert "a config has its own schedule; --epochs N" in capsys.readouterr().err


@pytest.mark.paddle
def test_the_student_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--student", STUDENT, *TINY, "-o", "train.output=runs/mine") == 0
    assert load_config(folder / "mine" / "train.yaml").kind == "train"
    assert json.loads(capsys.readouterr().out)["program"].endswith("num_classes=2&scale=0.05")


@pytest.mark.paddle
def test_a_cut_student_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--student", STUDENT, "--prune", "0.3", *TINY) == 0
    config = load_config(folder / "yolov3_mobilenet_v1_pruned_0.3" / "prune.yaml")
    assert isinstance(config, PruneConfig) and config.prune.groups
    said = capsys.readouterr().err
    assert "prune: at 32 x 32 pixels, ratio" in said  # the size of the run
    assert "channels are ranked by random first values" in said


@pytest.mark.paddle
def test_a_pair_that_the_cut_breaks_is_left_out() -> None:
    from graphprobe import find_pairs, find_prunable
    from graphprobe.api.pruned_pairs import _after_pruning
    from graphprobe.training.networks.source import Networks

    whole = find_pairs(STUDENT, TEACHER)
    pruning = find_prunable(whole.student, policy="coupled").to_config()
    gone = replace(whole.pairs[0], student="conv2d_1.tmp_0")
    more = replace(whole, report=replace(whole.report, pairs=(*whole.pairs, gone)))
    lines: list[str] = []
    found = _after_pruning(more, pruning, Networks(), lines.append)
    assert found.pairs == whole.pairs
    assert lines == [
        f"warning: conv2d_1.tmp_0 <- {gone.teacher} does not fit after pruning; left out"
    ]


@pytest.mark.paddle
def test_a_recipe_for_each_kind_of_network() -> None:
    from graphprobe.config import DataSection
    from graphprobe.emit import published_schedule
    from graphprobe.programs import load_program

    data = DataSection()
    yolo = published_schedule("detection", data, load_program(STUDENT))
    dense = published_schedule("detection", data, load_program("zoo:gfl_r18vd?scale=0.05"))
    mask = published_schedule(
        "segmentation", data, load_program("zoo:deeplabv3p_mobilenetv2?scale=0.1")
    )
    assert [train.reference_batch for train in (yolo, dense, mask)] == [64, 16, 16]
    assert (yolo.max_iters, dense.max_iters, mask.max_iters) == (70000, 87948, 18600)
    assert mask.image_size == 769 and mask.learning_rate.poly_power == 0.9


@pytest.mark.paddle
def test_nothing_matches(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--student", STUDENT, "--teacher", "zoo:deeplabv3p_mobilenetv2", *TINY) == 1
    assert "nothing matched" in capsys.readouterr().err and not folder.exists()
