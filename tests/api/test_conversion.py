"""Converting exported models: files, parameters, refusals."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import graphprobe
from graphprobe.api.conversion import convert
from graphprobe.compat import pir_form
from graphprobe.compat.installed import PaddleBuild
from graphprobe.errors import CheckpointError, GraphprobeError, MissingDependency, UsageError
from graphprobe.formats import load_file, write_program
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

PIR = Path(__file__).resolve().parents[1] / "programs" / "pir"


def record(array: NDArray[np.float32]) -> bytes:
    """One tensor as Paddle writes it, field by field."""
    desc = b"\x08\x05" + b"".join(b"\x10" + bytes([size]) for size in array.shape)
    return struct.pack("<IQIi", 0, 0, 0, len(desc)) + desc + array.astype("<f4").tobytes()


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """An inference.json with parameters and settings beside it."""
    folder = tmp_path / "paddle3"
    folder.mkdir()
    for suffix in ("json", "pdiparams"):
        shutil.copy(PIR / f"detector.{suffix}", folder / f"inference.{suffix}")
    (folder / "inference.yml").write_text("Global:\n  model_name: d\n")
    return folder


def test_a_paddle_3_export(exported: Path, tmp_path: Path) -> None:
    result = convert(exported, tmp_path / "out")
    names = ["inference.pdmodel", "inference.pdiparams", "inference.yml"]
    assert [path.name for path in result.files] == names
    program = load_file(tmp_path / "out")
    assert (program.origin.kind, program.origin.version) == ("programdesc", "2.6.2")
    assert (result.kind, result.ops) == ("pir", len(program.ops))
    assert result.parameters == sum(v.persistable for v in program.blocks[0].vars.values()) - 2
    for name in names[1:]:
        assert (tmp_path / "out" / name).read_bytes() == (exported / name).read_bytes()
    assert "15 parameters" in repr(result)
    assert result.to_dict()["files"] == [str(tmp_path / "out" / name) for name in names]


def test_what_paddle_3_translated_is_read_back(tmp_path: Path) -> None:
    """A ProgramDesc as Paddle 3.3.1 writes it in json: feeds with columns, results that are not
    made. It was saved with the inputs b, a, which its ops read in the other order."""
    for suffix in ("json", "pdiparams"):
        shutil.copy(PIR / f"translated.{suffix}", tmp_path / f"inference.{suffix}")
    convert(tmp_path, tmp_path / "out")
    program = load_file(tmp_path / "out")
    assert program.feeds == ("b", "a")
    assert [program.shape(name) for name in program.fetches] == [(-1, 6, 4, 4), (-1, 3, 4, 4)]
    (norm,) = (op for op in program.ops if op.type == "batch_norm")
    assert norm.outputs["SavedMean"] and not norm.outputs.get("ReserveSpace")
    assert norm.outputs["MeanOut"] == norm.inputs["Mean"] == ("batch_norm_0.w_1",)


def test_a_folder_of_one_file_a_parameter(tmp_path: Path) -> None:
    b = Builder()
    b.conv(b.feed("x", (-1, 2, 4, 4)), 3, name="b")
    b.conv(b._feeds[0], 3, name="a")
    source = tmp_path / "old"
    source.mkdir()
    (source / "__model__").write_bytes(write_program(b.build()))
    arrays = {f"{n}.w_0": np.full((3, 2, 1, 1), i, np.float32) for i, n in enumerate("ab")}
    for name, array in arrays.items():
        (source / name).write_bytes(record(array))
    result = convert(source, tmp_path / "new", form="legacy")
    assert [path.name for path in result.files] == ["__model__", "__params__"]
    assert (tmp_path / "new" / "__params__").read_bytes() == b"".join(map(record, arrays.values()))
    assert load_file(tmp_path / "new").feeds == ("x",)


@pytest.mark.paddle
def test_paddle_3_writes_its_own_form(exported: Path, tmp_path: Path) -> None:
    """There and back: a PIR export as ProgramDesc, and that as PIR json again."""
    paddle = pytest.importorskip("paddle")
    convert(exported, tmp_path / "two")
    if int(paddle.__version__.split(".")[0]) < 3:
        with pytest.raises(MissingDependency, match="only Paddle 3 writes PIR json"):
            convert(tmp_path / "two", tmp_path / "three", form="json")
        assert not (tmp_path / "three").exists()
        return
    result = convert(tmp_path / "two", tmp_path / "three", form="json")
    names = ["inference.json", "inference.pdiparams", "inference.yml"]
    assert [path.name for path in result.files] == names
    assert result.difference is not None and result.difference <= 1e-5, result.proof
    before, after = load_file(exported), load_file(tmp_path / "three")
    assert after.origin.kind == "pir"
    assert sorted(op.type for op in after.ops) == sorted(op.type for op in before.ops)
    assert parameters(after) == parameters(before)


@pytest.mark.parametrize("version", [None, "2.6.2"])
def test_the_form_of_paddle_3_is_refused_before_anything_is_read(
    version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = None if version is None else PaddleBuild((), version, None, None)
    monkeypatch.setattr(pir_form, "find_build", lambda: build)
    said = f"form: only Paddle 3 writes PIR json; {version or 'no Paddle'} is installed; install"
    with pytest.raises(MissingDependency) as caught:
        convert(tmp_path / "not_there", tmp_path / "out", form="json")
    assert str(caught.value).startswith(said)


def parameters(program: Program) -> dict[str, tuple[int, ...]]:
    """Names and shapes, without the holders of feeds and fetches."""
    stored = (var for var in program.blocks[0].vars.values() if var.persistable)
    return {var.name: var.shape for var in stored if var.shape is not None}


def test_what_is_missing_or_of_another_program_is_refused(exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    params = exported / "inference.pdiparams"
    content = params.read_bytes()
    params.write_bytes(content[:-3])
    with pytest.raises(GraphprobeError, match="ends in the middle of a tensor"):
        convert(exported, out)
    params.write_bytes((PIR / "attention.pdiparams").read_bytes())
    with pytest.raises(GraphprobeError):
        convert(exported, out)
    params.unlink()
    with pytest.raises(CheckpointError, match=r"its 15 parameters are not beside it"):
        convert(exported, out)
    with pytest.raises(UsageError, match="no form 'onnx'"):
        convert(exported, out, form="onnx")
    with pytest.raises(UsageError, match="no trained parameters"):
        convert("zoo:yolov3_r34", out)
    assert not out.exists()


def test_parameters_of_other_shapes_are_refused(tmp_path: Path) -> None:
    b = Builder()
    b.conv(b.feed("x", (-1, 2, 4, 4)), 3, name="a")
    (tmp_path / "m.pdmodel").write_bytes(write_program(b.build()))
    (tmp_path / "m.pdiparams").write_bytes(record(np.zeros((3, 2, 3, 3), np.float32)))
    with pytest.raises(CheckpointError, match=r"a\.w_0 is \(3, 2, 3, 3\), not \(3, 2, 1, 1\)"):
        convert(tmp_path / "m.pdmodel", tmp_path / "out")


def test_a_program_is_no_run_that_could_be_exported(tmp_path: Path) -> None:
    b = Builder()
    out = b.conv(b.feed("image", (-1, 3, 8, 8)), 4)
    path = tmp_path / "model.pdmodel"
    path.write_bytes(write_program(b.build(fetches=[out])))
    for given in (path, str(tmp_path)):
        with pytest.raises(UsageError) as caught:
            graphprobe.export(given)
        line = (
            f"{given}: is an exported program, not a run; graphprobe.convert writes it in another"
        )
        assert str(caught.value) == f"{line} form"
