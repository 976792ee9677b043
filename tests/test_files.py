from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from graphprobe.errors import GraphprobeError
from graphprobe.files import write_whole


def test_writes_text_and_bytes_with_the_users_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    for content, expected in (("ü", "ü".encode()), (b"\x00\x01", b"\x00\x01")):
        target = tmp_path / "out"
        write_whole(target, content)
        assert target.read_bytes() == expected
        assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(GraphprobeError, match="cannot be written") as caught:
        write_whole(tmp_path / "missing" / "out", "x")
    assert str(tmp_path) in str(caught.value)


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    target.write_text("old")

    def no_space(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("graphprobe.files.os.fsync", no_space)
    with pytest.raises(GraphprobeError, match="No space left"):
        write_whole(target, "new")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_name_that_is_no_utf_8_is_written_as_json_reads_it(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.jpg")
    write_whole(tmp_path / "out", json.dumps([name, "ü"], ensure_ascii=False))
    assert json.loads((tmp_path / "out").read_text("utf-8")) == [name, "ü"]
