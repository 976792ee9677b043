"""Which file of a path is read, and what is said where none can be."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from graphprobe.errors import LoadError
from graphprobe.formats import Loader, _open, load_file
from graphprobe.registry import discover


@pytest.fixture
def data(corpus: ModuleType) -> bytes:
    content: bytes = corpus.programdesc(corpus.detector())
    return content


def test_the_formats() -> None:
    assert list(discover("graphprobe.formats", "LOADER", Loader)) == ["pir", "programdesc"]


@pytest.mark.parametrize("name", ["__model__", "model.pdmodel", "notes.txt", "no suffix", "图"])
def test_the_name_of_a_file_does_not_matter(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(data)
    program = load_file(tmp_path / name)
    assert program.origin.kind == "programdesc"
    assert program.origin.source == str(tmp_path / name)
    assert load_file(tmp_path / name, "as typed").origin.source == "as typed"


def test_a_json_under_the_name_of_a_protobuf(tmp_path: Path, corpus: ModuleType) -> None:
    (tmp_path / "model.pdmodel").write_bytes(corpus.pir_detector())
    assert load_file(tmp_path / "model.pdmodel").origin.kind == "pir"


def test_a_folder_with_one_program(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "odd name").write_bytes(data)
    (tmp_path / "__params__").write_bytes(b"\0\0\0\0\0\0\0\0 weights")
    (tmp_path / "config.json").write_text('{"Global": {"model_name": "det"}}')
    (tmp_path / "inference.yml").write_text("a: 1")
    (tmp_path / "empty").touch()
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "other").write_bytes(data)
    assert len(load_file(tmp_path).ops) == len(load_file(tmp_path / "odd name").ops)


@pytest.mark.parametrize("name", ["__model__", "model.pdmodel", "inference.json"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x01\x02\xff damaged", "neither a ProgramDesc nor a PIR json"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
    ],
)
def test_a_folder_whose_program_is_damaged_says_how(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "infer_cfg.yml").write_text("a: 1")
    with pytest.raises(LoadError, match=reason) as caught:
        load_file(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / name))


@pytest.mark.parametrize("text", ["\n\narch: YOLO\n", "\n图: 1\r\n\ta", "\nx: " + " y" * 4000])
def test_a_text_that_begins_with_an_empty_line_is_no_program(
    tmp_path: Path, data: bytes, text: str
) -> None:
    (tmp_path / "infer_cfg.yml").write_text(text)
    (tmp_path / "__model__").write_bytes(data)
    assert load_file(tmp_path).ops
    with pytest.raises(LoadError, match="no program but a text file"):
        load_file(tmp_path / "infer_cfg.yml")


@pytest.mark.parametrize("before", ["", "\n ", "\ufeff"])
def test_blanks_before_a_json(tmp_path: Path, corpus: ModuleType, before: str) -> None:
    (tmp_path / "m").write_bytes(before.encode() + corpus.pir_detector())
    assert load_file(tmp_path / "m").origin.kind == "pir"


def test_a_folder_with_two_programs(tmp_path: Path, data: bytes, corpus: ModuleType) -> None:
    (tmp_path / "student.pdmodel").write_bytes(data)
    (tmp_path / "teacher.json").write_bytes(corpus.pir_detector())
    with pytest.raises(LoadError) as caught:
        load_file(tmp_path)
    assert "2 programs (student.pdmodel, teacher.json); name one file" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "no such file or folder"),
        (lambda p: p.mkdir(), "the folder holds no program"),
        (lambda p: p.touch(), "the file is empty"),
        (lambda p: p.write_bytes(b"\x89PNG not a program"), "no program but a PNG image"),
        (lambda p: os.mkfifo(p), "neither a file nor a folder"),
        (lambda p: p.symlink_to(p), "no such file or folder|cannot be read"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "it"
    make(path)  # type: ignore[operator]
    with pytest.raises(LoadError) as caught:
        load_file(path)
    assert re.search(message, str(caught.value))
    assert str(caught.value).startswith(str(path))


def test_a_null_character_in_a_path() -> None:
    with pytest.raises(LoadError, match="not a path|no such file"):
        load_file(Path("a\0b"))


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it").write_bytes(data)
    monkeypatch.setattr(_open, "MAX_BYTES", len(data) - 1)
    with pytest.raises(LoadError, match="too many for a program"):
        load_file(tmp_path / "it")
