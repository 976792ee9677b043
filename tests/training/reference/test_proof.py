"""Conversions that are proven, and one that computes something else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from graphprobe.api.conversion import convert
from graphprobe.errors import ExportError
from graphprobe.formats import write_program

pytestmark = pytest.mark.paddle

PIR = Path(__file__).resolve().parents[2] / "programs" / "pir"

INTEGERS = [{"#": "0.t_i32"}, [2, 3], "NCHW", [], 0]


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


@pytest.mark.parametrize(
    ("type", "attrs", "said"),
    [
        ("relu", {}, "computes other numbers than the source"),
        ("reshape2", {"shape": (7,)}, r"cannot run the result: .*hape.*; report it with the prog"),
    ],
)
def test_a_result_that_is_not_the_source_is_not_written(
    source, tmp_path, monkeypatch, type, attrs, said
):
    import graphprobe.api.conversion as conversion

    def swapped(program):
        blocks = [
            replace(
                block,
                ops=tuple(
                    replace(op, type=type, attrs=attrs) if op.type == "hard_swish" else op
                    for op in block.ops
                ),
            )
            for block in program.blocks
        ]
        return write_program(replace(program, blocks=tuple(blocks)))

    monkeypatch.setattr(conversion, "write_program", swapped)
    with pytest.raises(ExportError, match=said) as error:
        convert(source, tmp_path / "out")
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_what_a_processor_has_no_kernel_for_is_written_and_not_proven(tmp_path):
    """No Paddle has a sigmoid of integers."""
    import paddle

    content = json.loads((PIR / "detector.json").read_text())
    block = content["program"]["regions"][0]["blocks"][0]
    data, sigmoid, fetch = (
        next(op for op in block["ops"] if op["#"] == f"1.{type}")
        for type in ("data", "sigmoid", "fetch")
    )
    for number, op in enumerate((data, sigmoid, fetch), 1):
        op["O"] = [{"%": number, "TT": {"#": "0.t_dtensor", "D": INTEGERS}}]
        op["I"] = [{"%": number - 1}] if number > 1 else []
    for attribute in data["A"]:
        value = {"shape": [2, 3], "dtype": "int32"}.get(attribute["N"])
        attribute["AT"]["D"] = value or attribute["AT"]["D"]
    block["ops"] = [data, sigmoid, fetch]
    (tmp_path / "inference.json").write_text(json.dumps(content))
    result = convert(tmp_path, tmp_path / "out")
    version = paddle.__version__
    assert result.proof.startswith(f"not proven: Paddle {version} cannot run the result on a CPU (")
    assert "sigmoid" in result.proof and result.difference is None
    assert (tmp_path / "out" / "inference.pdmodel").exists()


def test_operators_that_numpy_does_not_know_are_named(tmp_path):
    shutil.copy(PIR / "shapes.json", tmp_path / "inference.json")
    result = convert(tmp_path, tmp_path / "out")
    assert "up to what it does not know: assign_value, cumsum" in result.proof
