"""A second run into the same place gets the next number."""

from __future__ import annotations

from pathlib import Path

from graphprobe.training.run_folder import LATEST, RUN_OF, free_folder, newest_run
from graphprobe.training.weights.run_lock import own_run


def fill(folder: Path) -> Path:
    """A folder that holds a run."""
    (folder / LATEST).parent.mkdir(parents=True)
    (folder / LATEST).write_text("000001\n")
    return folder


def test_numbers_follow_each_other(tmp_path: Path) -> None:
    wanted = tmp_path / "run"
    assert free_folder(wanted) == wanted and not wanted.exists()
    fill(wanted)
    second = free_folder(wanted)
    assert second == tmp_path / "run-2" and (second / RUN_OF).read_text() == "run\n"
    assert free_folder(wanted) == second  # nothing is in it yet
    fill(second)
    assert free_folder(wanted) == tmp_path / "run-3"
    assert newest_run(wanted) == second  # the third is empty


def test_the_newest_has_the_highest_number(tmp_path: Path) -> None:
    wanted = fill(tmp_path / "run")
    for _ in range(10):
        fill(free_folder(wanted))
    assert newest_run(wanted) == tmp_path / "run-11"
    assert newest_run(tmp_path / "other") == tmp_path / "other"


def test_folders_that_people_numbered_are_left_alone(tmp_path: Path) -> None:
    wanted = fill(tmp_path / "run")
    fill(tmp_path / "run-2")
    (tmp_path / "run-3").mkdir()
    (tmp_path / "run-3" / "notes.txt").write_text("mine")
    assert newest_run(wanted) == wanted
    assert free_folder(wanted) == tmp_path / "run-4"


def test_names_with_brackets(tmp_path: Path) -> None:
    wanted = fill(tmp_path / "run[1]*")
    second = fill(free_folder(wanted))
    assert newest_run(wanted) == second


def test_a_second_run_of_a_numbered_one(tmp_path: Path) -> None:
    wanted = fill(tmp_path / "run")
    second = fill(free_folder(wanted))
    assert free_folder(second) == tmp_path / "run-2-2"
    assert newest_run(second) == second


def test_a_numbered_folder_whose_run_is_refused_does_not_stay(tmp_path: Path) -> None:
    wanted = fill(tmp_path / "run")
    second = free_folder(wanted)
    with own_run(second):
        assert second.exists()
    assert not second.exists() and wanted.exists()
    second = free_folder(wanted)
    (second / "notes.txt").write_text("mine")
    with own_run(second):
        pass
    assert (second / "notes.txt").exists()
    (tmp_path / "other").mkdir()
    with own_run(tmp_path / "other"):
        pass
    assert (tmp_path / "other").exists()
