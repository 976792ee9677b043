"""Built programs are kept on disk; whatever happens to that folder, the answer is right."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from graphprobe.errors import LoadError, MissingDependency
from graphprobe.zoo import ZooSpec, _cache, zoo_bytes

TEXT = "zoo:yolov3_r34?size=96"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The texts that had to be built, with a stand-in for the building itself."""
    done: list[str] = []

    def serialize(spec: ZooSpec) -> bytes:
        done.append(str(spec))
        return f"program {spec}".encode()

    monkeypatch.setattr(_cache, "serialize", serialize)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return done


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "graphprobe" / "zoo").iterdir())


def test_a_program_is_built_once(builds: list[str]) -> None:
    first = zoo_bytes(TEXT)
    assert zoo_bytes(TEXT) == first == f"program {TEXT}".encode()
    assert builds == [TEXT]


def test_other_options_are_another_program(builds: list[str], tmp_path: Path) -> None:
    assert zoo_bytes(TEXT) != zoo_bytes(f"{TEXT}&mode=infer")
    assert len(builds) == len(_files(tmp_path)) == 2


def test_changed_code_is_another_program(
    builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo_bytes(TEXT)
    monkeypatch.setattr(_cache, "_source_hash", lambda folder: "another")
    zoo_bytes(TEXT)
    assert builds == [TEXT, TEXT]


@pytest.mark.parametrize("damage", [b"", b"x", b"graphprobe zoo program 1\n", None])
def test_a_damaged_file_is_built_again(
    builds: list[str], tmp_path: Path, damage: bytes | None
) -> None:
    whole = zoo_bytes(TEXT)
    (path,) = _files(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"?" if damage is None else damage)
    assert zoo_bytes(TEXT) == whole
    assert builds == [TEXT, TEXT]
    assert path.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_no_error(
    builds: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert zoo_bytes(TEXT) == zoo_bytes(TEXT)
    assert builds == [TEXT, TEXT]


def test_the_folder_follows_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for unset in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert _cache.cache_folder() == tmp_path / ".cache" / "graphprobe" / "zoo"


def test_a_cached_program_needs_no_paddle(
    builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = zoo_bytes(TEXT)
    monkeypatch.setitem(sys.modules, "paddle", None)
    assert zoo_bytes(TEXT) == whole


def test_without_paddle_the_error_names_both_extras(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "paddle", None)
    with pytest.raises(MissingDependency) as caught:
        zoo_bytes(TEXT)
    assert "pip install 'graphprobe[cpu]'" in str(caught.value)
    assert not (tmp_path / "graphprobe").exists()


def test_a_bad_name_touches_nothing(builds: list[str], tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        zoo_bytes("zoo:yolov3_r35")
    assert builds == []
    assert not (tmp_path / "graphprobe").exists()


@pytest.mark.paddle
def test_a_program_does_not_depend_on_what_was_built_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Names of outputs that Paddle adds to inference programs count anew in every build."""
    text = "zoo:yolov3_mobilenet_v1?scale=0.125&size=64&mode=infer"
    found = []
    for folder in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / folder))
        found.append(zoo_bytes(text))
    assert found[0] == found[1]
