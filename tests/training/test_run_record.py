"""What a checkpoint says of its run, and what is taken from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphprobe.config import TrainConfig
from graphprobe.config._base import ProgramRef
from graphprobe.config.train_section import DataSection, TrainSection
from graphprobe.errors import ConfigError, DataError
from graphprobe.training.run_record import (
    as_trained,
    compare_class_names,
    find_record,
    read_run,
    teacher_warnings,
)


def config(**train: Any) -> TrainConfig:
    section = TrainSection(**train)
    return TrainConfig(version=1, kind="train", student=ProgramRef(program="zoo:x"), train=section)


def write_state(folder: Path, **state: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "state.json").write_text(json.dumps(state))
    return folder


BLOOD = DataSection(train="voc:bccd?split=train", val="voc:bccd?split=val")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run on blood cells with two checkpoints, the first the better one."""
    trained = config(data=BLOOD, image_size=320, output="gone").model_dump(mode="json")
    for name, metric in (("000010", 0.7), ("000020", 0.6)):
        path = tmp_path / "run" / "checkpoints" / name
        write_state(path, config=trained, metric_value=metric)
    (tmp_path / "run" / "checkpoints" / "best").write_text("000010\n")
    return tmp_path / "run"


def test_the_best_checkpoint_of_a_run_says_what_it_was_trained_on(run: Path) -> None:
    given = config(output=str(run))
    found = find_record(given, "auto")
    assert found is not None and found.path.name == "000010"
    settings, lines = as_trained(given, found, [], where="c.yaml")
    assert settings.train.data == BLOOD and settings.train.image_size == 320
    assert settings.train.output == str(run)
    assert lines[0] == (
        f"warning: train.data.train is {given.train.data.train} in c.yaml, and "
        "voc:bccd?split=train in the run that trained these weights: the run's is taken, unless "
        "an override names it"
    )
    assert [line.split()[1] for line in lines] == [
        *("train.data.train", "train.data.val", "train.image_size")
    ]


def test_what_is_told_stays(run: Path) -> None:
    given = config(output="elsewhere", image_size=64)
    found = find_record(given, str(run))
    told = ["train.image_size=64", "train.data={val: digits}"]
    settings, lines = as_trained(given, found, told, where="c.yaml")
    assert settings == given and lines == []


def test_weights_that_say_nothing_change_nothing(tmp_path: Path, run: Path) -> None:
    given = config(output=str(run))
    assert find_record(given, "auto", str(tmp_path / "w.npz")) is None
    assert find_record(given, str(tmp_path)) is None
    assert as_trained(given, None, [], where="c.yaml") == (given, [])
    assert find_record(given, "auto", str(run / "checkpoints" / "000020")) is not None


def test_a_damaged_state_is_left_to_those_who_read_the_weights(run: Path) -> None:
    (run / "checkpoints" / "000010" / "state.json").write_text("{")
    assert find_record(config(output=str(run)), "auto") is None


def test_a_runs_folder_is_a_config(run: Path, tmp_path: Path) -> None:
    document = read_run(run)
    assert document["train"]["output"] == str(run) and document["kind"] == "train"
    one = read_run(run / "checkpoints" / "000010")
    assert one == document
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.yaml").write_text("version: 1\nkind: train\n")
    assert read_run(tmp_path / "begun")["train"]["output"] == str(tmp_path / "begun")
    with pytest.raises(ConfigError, match="holds no run"):
        read_run(tmp_path)


def test_a_moved_run_finds_its_prune_file(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "config.yaml").write_text("kind: distill\nprune: old/prune.yaml\n")
    assert read_run(folder)["prune"] == "old/prune.yaml"
    (folder / "prune.yaml").write_text("")
    assert read_run(folder)["prune"] == str(folder / "prune.yaml")


@pytest.mark.parametrize(
    ("trained", "data"),
    [(("cat", "dog"), ("cat", "dog")), ((), ("cat",)), (("Cat",), ("cat",))],
)
def test_equal_or_unknown_classes(trained: tuple[str, ...], data: tuple[str, ...]) -> None:
    assert compare_class_names(trained, data, spec="d", source="w") == []


def test_other_classes() -> None:
    with pytest.raises(DataError, match="dog, cat; w was trained on cat, dog: the same in another"):
        compare_class_names(("cat", "dog"), ("dog", "cat"), spec="d", source="w")
    with pytest.raises(DataError, match="0, 1, 2; w was trained on Platelets, RBC, WBC"):
        compare_class_names(("Platelets", "RBC", "WBC"), ("0", "1", "2"), spec="d", source="w")
    lines = compare_class_names(("cat", "aeroplane"), ("cat", "airplane"), spec="d", source="w")
    assert lines == ["warning: d has the classes cat, airplane; w was trained on cat, aeroplane"]
    assert len(compare_class_names(("thing",), ("person",), spec="d", source="w")) == 1


def test_a_teacher_of_other_classes_is_named() -> None:
    class Known:
        class_names = ("cat", "dog")

    class Swapped:
        class_names = ("dog", "cat")

    teacher: Any = Known()
    data: Any = Swapped()
    assert teacher_warnings(None, data) == teacher_warnings(teacher, teacher) == []
    assert (
        "trained on the classes cat, dog; the data have dog, cat"
        in (teacher_warnings(teacher, data)[0])
    )
