"""Conversions that are proven, and one that computes something else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from graphprobe.api.conversion import convert
from graphprobe.errors import ExportError
from graphprobe.formats import write_program

pytestmark = pytest.mark.paddle

PIR = Path(__file__).resolve().parents[2] / "programs" / "pir"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A detector as Paddle 3 exports it."""
    folder = tmp_path / "paddle3"
    folder.mkdir()
    for suffix in ("json", "pdiparams"):
        shutil.copy(PIR / f"detector.{suffix}", folder / f"inference.{suffix}")
    return folder


def test_pir_is_proven_by_who_can_run_it_and_its_result_by_paddle(source, tmp_path):
    import paddle

    reads_pir = not paddle.__version__.startswith("2.")
    who = f"Paddle {paddle.__version__}" if reads_pir else "a numpy executor"
    first = convert(source, tmp_path / "a")
    assert first.proof.startswith("proven: 2 tensors differ by at most")
    assert first.proof.endswith(f"from {who}")
    assert first.difference is not None and first.difference < 1e-5
    assert first.to_dict()["difference"] == first.difference
    again = convert(tmp_path / "a", tmp_path / "b", form="legacy")
    assert "from Paddle" in again.proof and again.difference == 0


def test_what_paddle_3_translated_computes_the_same(tmp_path):
    for suffix in ("json", "pdiparams"):
        shutil.copy(PIR / f"translated.{suffix}", tmp_path / f"inference.{suffix}")
    result = convert(tmp_path, tmp_path / "out")
    assert result.proof.startswith("proven: 2 tensors differ by at most")
    assert result.difference is not None and result.difference < 1e-5


def test_a_result_that_computes_something_else_is_not_written(source, tmp_path, monkeypatch):
    import graphprobe.api.conversion as conversion

    def swapped(program):
        blocks = [
            replace(
                block,
                ops=tuple(
                    replace(op, type="relu", attrs={}) if op.type == "hard_swish" else op
                    for op in block.ops
                ),
            )
            for block in program.blocks
        ]
        return write_program(replace(program, blocks=tuple(blocks)))

    monkeypatch.setattr(conversion, "write_program", swapped)
    with pytest.raises(ExportError, match="computes other numbers than the source") as error:
        convert(source, tmp_path / "out")
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_operators_that_numpy_does_not_know_are_named(tmp_path):
    shutil.copy(PIR / "shapes.json", tmp_path / "inference.json")
    result = convert(tmp_path, tmp_path / "out")
    assert "up to what it does not know: assign_value, cumsum" in result.proof
