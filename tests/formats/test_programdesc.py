"""ProgramDesc files: what is read, of which era, and what is refused."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graphprobe.errors import LoadError
from graphprobe.formats import load_bytes
from graphprobe.formats.programdesc import schema
from graphprobe.formats.programdesc.schema import message_class
from graphprobe.ir import Program, build_dataflow
from graphprobe.ir.builder import Builder
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.ir.listing import list_vars, undeclared


@pytest.fixture
def blank() -> Any:
    """A ProgramDesc message with one empty block."""
    desc = message_class("ProgramDesc")()
    desc.blocks.add(idx=0, parent_idx=-1)
    return desc


def add_op(block: Any, type: str, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> Any:
    op = block.ops.add(type=type.encode())
    if reads:
        op.inputs.add(parameter=b"X", arguments=[r.encode() for r in reads])
    if writes:
        op.outputs.add(parameter=b"Out", arguments=[w.encode() for w in writes])
    return op


def use(program: Program) -> None:
    """Everything that runs on a program that was read must end, too."""
    build_dataflow(program)
    fingerprint(program)
    list_vars(program)
    undeclared(program)


def program_or_error(data: bytes) -> Program | None:
    try:
        program = load_bytes(data, "file")
    except LoadError as error:
        assert "\n" not in str(error) and str(error).startswith("file: ")
        return None
    use(program)
    return program


def test_what_is_written_is_read(corpus: ModuleType) -> None:
    program = corpus.detector()
    read = load_bytes(corpus.programdesc(program), "file")
    assert fingerprint(read) == fingerprint(program)
    assert (read.feeds, read.fetches) == (("image",), ("reshape2_0.tmp_0",))
    for mine, theirs in zip(program.ops, read.ops, strict=True):
        assert (mine.type, mine.inputs, mine.outputs) == (
            theirs.type,
            theirs.inputs,
            theirs.outputs,
        )
        assert {k: pytest.approx(v) for k, v in mine.attrs.items()} == theirs.attrs
    for block, other in zip(program.blocks, read.blocks, strict=True):
        assert block.parent == other.parent
        for name, var in block.vars.items():
            assert other.vars[name].shape == var.shape
            assert other.vars[name].persistable == var.persistable
            assert other.vars[name].kind == var.kind


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, None), (0, None), (-5, None), (1008004, "1.8.4"), (2006002, "2.6.2"), (10**18, None)],
)
def test_the_version_of_every_era(corpus: ModuleType, number: int | None, text: str | None) -> None:
    program = load_bytes(corpus.programdesc(corpus.detector(), version=number), "file")
    expected = text if number != 10**18 else "1000000000000.0.0"
    assert program.origin.version == expected
    assert program.origin.kind == "programdesc"


def test_attributes_of_every_type(blank: Any) -> None:
    op = add_op(blank.blocks[0], "any")
    values: dict[int, tuple[str, Any, Any]] = {
        0: ("i", -3, -3),
        1: ("f", 0.5, 0.5),
        2: ("s", "图".encode(), "图"),
        3: ("ints", [1, 2], (1, 2)),
        4: ("floats", [0.5], (0.5,)),
        5: ("strings", [b"a", b"b"], ("a", "b")),
        6: ("b", True, True),
        7: ("bools", [True, False], (True, False)),
        9: ("l", 2**40, 2**40),
        11: ("longs", [2**62], (2**62,)),
        12: ("float64s", [0.1], (0.1,)),
        13: ("var_name", b"x", "x"),
        14: ("vars_name", [b"x"], ("x",)),
        15: ("float64", 0.1, 0.1),
    }
    for type, (field, value, _) in values.items():
        attr = op.attrs.add(name=f"a{type}".encode(), type=type)
        if isinstance(value, list):
            getattr(attr, field).extend(value)
        else:
            setattr(attr, field, value)
    scalar = op.attrs.add(name=b"a16", type=16)
    scalar.scalar.type, scalar.scalar.i = 2, 7
    scalars = op.attrs.add(name=b"a17", type=17)
    scalars.scalars.add(type=1, b=True)
    scalars.scalars.add(type=3, r=0.5)
    op.attrs.add(name=b"from the future", type=99)
    op.attrs.add(name=b"op_callstack", type=5, strings=[b"long"])
    attrs = load_bytes(blank.SerializeToString(), "file").ops[0].attrs
    expected = {f"a{type}": value for type, (_, _, value) in values.items()}
    assert attrs == expected | {"a16": 7, "a17": (True, 0.5), "from the future": None}


def test_kinds_and_dtypes(blank: Any) -> None:
    block = blank.blocks[0]
    for name, kind in ((b"t", 7), (b"rows", 8), (b"array", 13), (b"reader", 15), (b"new", 77)):
        block.vars.add(name=name).type.type = kind
    tensor = block.vars[0].type.lod_tensor.tensor
    tensor.data_type, tensor.dims[:] = 22, [-1, 3]
    rows = block.vars[1].type.selected_rows
    rows.data_type, rows.dims[:] = 99, [4]
    variables = load_bytes(blank.SerializeToString(), "file").blocks[0].vars
    told = {v.name: (v.kind, v.dtype, v.shape) for v in variables.values()}
    assert told == {
        "t": ("tensor", "bfloat16", (-1, 3)),
        "rows": ("selected_rows", "unknown", (4,)),
        "array": ("tensor_array", "unknown", None),
        "reader": ("reader", "unknown", None),
        "new": ("other", "unknown", None),
    }


def test_feeds_of_a_program_that_names_none(corpus: ModuleType) -> None:
    b = Builder()
    y = b.conv(b.feed("image", (-1, 3, 8, 8)), 4)
    b.op("sum", {"X": [y, b.var("label", (-1, 1))]}, {"Out": y})
    b.op("read", {"X": b.var("reader", kind="raw")}, {"Out": b.var("batch", (1,))})
    b.op("relu", {"X": "batch"})
    program = load_bytes(corpus.programdesc(b.build()), "file")
    assert program.feeds == ("image", "label")
    assert program.fetches == ()


def test_names_that_are_not_utf8_stay_apart(blank: Any) -> None:
    block = blank.blocks[0]
    for name in (b"\xff", b"\xfe", "图".encode()):
        block.vars.add(name=name).type.type = 7
    program = load_bytes(blank.SerializeToString(), "file")
    assert set(program.blocks[0].vars) == {"\\xff", "\\xfe", "图"}


def test_a_name_nobody_declares_and_two_writers(blank: Any) -> None:
    block = blank.blocks[0]
    block.vars.add(name=b"y").type.type = 7
    add_op(block, "relu", ("ghost",), ("y",))
    add_op(block, "relu", ("y",), ("y",))
    add_op(block, "relu", ("y",), ("z",))
    program = load_bytes(blank.SerializeToString(), "file")
    use(program)
    assert undeclared(program) == ("ghost", "z")
    flow = build_dataflow(program)
    writers = [(v.producer, v.consumers) for v in flow.values if v.name == "y"]
    assert writers == [(0, [1]), (1, [2])]


def test_sizes_near_the_end_of_64_bits(blank: Any) -> None:
    var = blank.blocks[0].vars.add(name=b"huge")
    var.type.type = 7
    tensor = var.type.lod_tensor.tensor
    tensor.data_type, tensor.dims[:] = 5, [2**63 - 1, 2**63 - 1, -(2**63)]
    program = load_bytes(blank.SerializeToString(), "file")
    use(program)
    assert program.shape("huge") == (2**63 - 1, 2**63 - 1, -(2**63))


def _cycle(desc: Any) -> None:
    desc.blocks.add(idx=1, parent_idx=2)
    desc.blocks.add(idx=2, parent_idx=1)


def _own_parent(desc: Any) -> None:
    desc.blocks.add(idx=1, parent_idx=1)


def _no_parent(desc: Any) -> None:
    desc.blocks.add(idx=1, parent_idx=-1)


def _deep(desc: Any) -> None:
    for i in range(5000):
        desc.blocks.add(idx=i + 1, parent_idx=i)


def _many(desc: Any) -> None:
    for i in range(20_000):
        desc.blocks.add(idx=i + 1, parent_idx=0)


def _inside_itself(desc: Any) -> None:
    op = add_op(desc.blocks[0], "while")
    op.attrs.add(name=b"sub_block", type=8, block_idx=0)


def _inside_nothing(desc: Any) -> None:
    op = add_op(desc.blocks[0], "while")
    op.attrs.add(name=b"sub_blocks", type=10, blocks_idx=[1, 2**31 - 1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cycle, "block 1 names block 2 as its parent"),
        (_own_parent, "block 1 names block 1 as its parent"),
        (_no_parent, "block 1 names block -1 as its parent"),
        (_deep, "nested deeper than 64"),
        (_many, "20001 blocks, more than 10000"),
        (_inside_itself, r"op 0 \(while\) in block 0 holds block 0 of 1"),
        (_inside_nothing, r"op 0 \(while\) in block 0 holds block 1 of 1"),
    ],
)
def test_blocks_that_form_no_tree(blank: Any, damage: Callable[[Any], None], message: str) -> None:
    damage(blank)
    with pytest.raises(LoadError, match=message):
        load_bytes(blank.SerializeToString(), "file")


def test_a_sub_block_attribute_that_is_a_plain_number_makes_no_loop(blank: Any) -> None:
    op = add_op(blank.blocks[0], "while")
    op.attrs.add(name=b"sub_block", type=0, i=0)
    use(load_bytes(blank.SerializeToString(), "file"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "cannot be decoded"),
        (b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "cannot be decoded"),
        (b"\x0a\x00", "cannot be decoded"),
        (b"\x0a" + b"\x23" * 100_000, "cannot be decoded"),
        (b"\x0b" * 100_000, "neither a ProgramDesc nor"),
        (b"PK\x03\x04 a zip", "a zip archive; unpack it"),
        (b"\x80\x02}q\x01.", "a Python pickle, which graphprobe never opens"),
        (b"\0\0\0\0\0\0\0\0weights", "Paddle weights"),
    ],
)
def test_what_is_no_program(data: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        load_bytes(data, "file")


def test_every_cut_of_a_program(corpus: ModuleType) -> None:
    data = corpus.programdesc(corpus.detector())
    read = [program_or_error(data[:end]) for end in range(len(data))]
    # What may be cut off is the version and whole blocks at the end, which the ops still name.
    assert sum(program is not None for program in read) <= 8


def test_random_bytes() -> None:
    rng = random.Random(7)  # noqa: S311
    for _ in range(2000):
        program_or_error(b"\x0a" + rng.randbytes(rng.randrange(200)))


def test_a_variable_count_that_no_program_has(corpus: ModuleType) -> None:
    op = b"\x22\x03\x1a\x01x"
    body = b"\x08\x00\x10\x00" + op * 300_001
    size = len(body)
    length = bytes((size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21))
    with pytest.raises(LoadError, match="300001 ops, more than 300000"):
        load_bytes(b"\x0a" + length + body, "file")


def test_tens_of_thousands_of_ops(corpus: ModuleType) -> None:
    b = Builder()
    x = b.feed("x", (1,))
    for _ in range(1000):
        x = b.op("relu", {"X": x}, shape=(1,))
    small = b.build()
    ops = tuple(replace(op, id=0) for op in small.ops) * 30
    block = replace(small.blocks[0], ops=ops)
    program = load_bytes(corpus.programdesc(Program((block,))), "file")
    assert len(program.ops) == 30_000
    use(program)


def test_both_ways_to_protobuf_decode_alike() -> None:
    fast, public = schema.message_classes()["Slot"](), schema.public_message_classes()["Slot"]()
    for slot in (fast, public):
        slot.ParseFromString(b"\x0a\x01X\x12\x01a\x12\x01b")
    assert fast.parameter == public.parameter == b"X"
    assert list(fast.arguments) == list(public.arguments) == [b"a", b"b"]
    assert set(schema.message_classes()) == set(schema.public_message_classes())


def test_compiled_schema_is_framework_proto() -> None:
    folder = Path(schema.__file__).parent
    text = re.sub(r"//.*", "", (folder / "framework.proto").read_text("utf-8"))
    labels = {"optional": 1, "required": 2, "repeated": 3}
    expected = {
        message: {
            (name, int(number), labels[label], kind)
            for label, kind, name, number in re.findall(r"(\w+) (\w+) (\w+) = (\d+);", body)
        }
        for message, body in re.findall(r"message (\w+) \{(.*?)\}", text, re.DOTALL)
    }
    types = {1: "double", 2: "float", 3: "int64", 5: "int32", 8: "bool", 12: "bytes"}
    compiled = {
        name: {
            (f.name, f.number, f.label, f.message_type.name if f.message_type else types[f.type])
            for f in made.DESCRIPTOR.fields
        }
        for name, made in schema.message_classes().items()
    }
    assert compiled == expected
    assert len(compiled) == 17
