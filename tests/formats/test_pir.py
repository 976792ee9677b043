"""PIR json: names as in ProgramDesc, constants back in attributes, and what is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from graphprobe.errors import LoadError
from graphprobe.formats import load_bytes
from graphprobe.ir import Op, Program, build_dataflow
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.ir.listing import list_vars, undeclared
from graphprobe.ops.pir_names import op_names, pir_lines


@pytest.fixture
def writer(corpus: ModuleType) -> Any:
    return corpus.PirWriter()


def use(program: Program) -> None:
    build_dataflow(program)
    fingerprint(program)
    list_vars(program)
    undeclared(program)


def read(writer: Any) -> Program:
    program = load_bytes(writer.document(), "file")
    use(program)
    return program


def only(program: Program, type: str) -> Op:
    (op,) = (op for op in program.ops if op.type == type)
    return op


def test_a_small_detector(corpus: ModuleType) -> None:
    program = load_bytes(corpus.pir_detector(), "file")
    assert (program.origin.kind, program.origin.version) == ("pir", None)
    assert (program.feeds, program.fetches) == (("x",), ("if_0.tmp_0",))
    assert [op.id for op in program.ops] == list(range(len(program.ops)))
    assert [op.type for op in program.ops if op.block == 0] == [
        "feed", "conv2d", "batch_norm", "depthwise_conv2d", "elementwise_add", "pool2d",
        "nearest_interp_v2", "concat", "reshape2", "scale", "fill_constant",
        "conditional_block", "logical_not", "conditional_block", "fetch",
    ]  # fmt: skip
    conv = only(program, "conv2d")
    assert conv.inputs == {"Input": ("x",), "Filter": ("conv2d_0.w_0",)}
    assert conv.outputs == {"Output": ("conv2d_0.tmp_0",)}
    assert (conv.get_ints("strides"), conv.get_int("groups")) == ((2, 2), 1)
    norm = only(program, "batch_norm")
    assert norm.input("Mean") == "batch_norm2d_0.w_0"
    assert norm.output("Y") == "batch_norm_0.tmp_0"
    assert only(program, "elementwise_add").attrs == {"axis": -1, "op_namescope": "/Net/Block/"}
    assert {v.name for v in program.parameters} == {
        "conv2d_0.w_0", "conv2d_1.w_0", *(f"batch_norm2d_0.w_{i}" for i in range(4)),
    }  # fmt: skip


def test_constants_go_back_into_attributes(corpus: ModuleType) -> None:
    program = load_bytes(corpus.pir_detector(), "file")
    assert only(program, "pool2d").attrs["ksize"] == (1, 1)
    assert only(program, "pool2d").inputs == {"X": ("elementwise_add_0.tmp_0",)}
    up = only(program, "nearest_interp_v2")
    assert (up.attrs["out_h"], up.attrs["out_w"], "OutSize" in up.inputs) == (4, 4, False)
    concat = only(program, "concat")
    assert concat.attrs["axis"] == 1 and type(concat.attrs["axis"]) is int
    assert concat.inputs == {"X": ("elementwise_add_0.tmp_0", "nearest_interp_v2_0.tmp_0")}
    assert only(program, "reshape2").attrs["shape"] == (0, 16, -1)
    assert only(program, "scale").attrs["scale"] == 0.5
    assert [op.type for op in program.ops].count("assign_value") == 0


def test_a_constant_that_an_op_reads_as_a_tensor_stays(writer: Any) -> None:
    shape = writer.ints(2, 2)
    writer.op("1.reshape", [writer.op("1.relu", [shape], [[2]])[0], shape], [[2, 2]])
    program = read(writer)
    assert only(program, "assign_value").attrs["values"] == (2, 2)
    assert only(program, "relu").input("X") == "assign_value_0.tmp_0"
    assert only(program, "reshape2").attrs["shape"] == (2, 2)


def test_a_shape_that_is_computed_stays_an_input(writer: Any) -> None:
    x = writer.param("w", [4])
    size = writer.op("1.shape64", [x], [[1]])[0]
    writer.op("1.reshape", [x, size], [[4]])
    op = only(read(writer), "reshape2")
    assert op.inputs == {"X": ("w",), "Shape": ("shape_0.tmp_0",)}
    assert "shape" not in op.attrs


def test_vectors_are_taken_apart(writer: Any) -> None:
    a, b = writer.param("a", [1]), writer.param("b", [2])
    both = writer.combine([a, b])
    first, second = writer.op("0.split", [both], [[1], [2]])
    third = writer.op("0.slice", [both], [[2]], {"index": 1})[0]
    for value in (first, second, third):
        writer.op("1.relu", [value], [[1]])
    assert [op.input("X") for op in read(writer).ops] == ["a", "b", "b"]


def test_an_op_with_a_vector_of_results(writer: Any, corpus: ModuleType) -> None:
    x = writer.param("x", [4, 4])
    parts = writer.op("1.split_with_num", [x, writer.number(0)], [[1]], {"num": 2})[0]
    members = [corpus.tensor([2, 4]), corpus.tensor([2, 4])]
    writer.ops[-1]["O"][0]["TT"] = {"#": "0.t_vec", "D": members}
    writer.op("1.concat", [parts, writer.number(1)], [[2, 8]])
    program = read(writer)
    split = only(program, "split")
    assert split.outputs == {"Out": ("split_0.tmp_0.0", "split_0.tmp_0.1")}
    assert (split.attrs["num"], split.attrs["axis"]) == (2, 0)
    assert only(program, "concat").inputs["X"] == split.outputs["Out"]
    assert program.shape("split_0.tmp_0.1") == (2, 4)


def test_a_loop_becomes_a_sub_block(writer: Any, corpus: ModuleType) -> None:
    x = writer.param("x", [4])
    go = writer.number(1, "bool")
    body = corpus.PirWriter()
    body._last = 50
    new = body.op("1.relu", [-1], [[4]])[0]
    body.op("2.yield", [body.op("1.any", [new], [[1]])[0], new], [])
    region = {"blocks": [body.block([{"#": -1, "TT": corpus.tensor([4])}])]}
    out = writer.op("1.while", [go, x], [[4]], regions=[region])[0]
    writer.op("1.fetch", [out], [[4]], {"name": "f", "col": 0})
    program = read(writer)
    loop = only(program, "while")
    state = ("while_condition_0.tmp_0", "while_0.tmp_0")
    assert loop.inputs == {"Condition": state[:1], "X": state[1:]}
    assert loop.outputs == {"Out": state, "StepScopes": ("while_scope_0.tmp_0",)}
    assert (loop.attrs["sub_block"], program.blocks[1].parent) == (1, 0)
    before = [(op.input("X"), op.output("Out")) for op in program.blocks[0].ops[1:3]]
    assert before == [("fill_constant_0.tmp_0", state[0]), ("x", state[1])]
    types = [(op.type, op.input("X"), op.output("Out")) for op in program.blocks[1].ops]
    assert types == [
        ("assign", "while_0.tmp_0", "argument_0.tmp_0"),
        ("relu", "argument_0.tmp_0", "relu_0.tmp_0"),
        ("reduce_any", "relu_0.tmp_0", "reduce_any_0.tmp_0"),
        ("assign", "reduce_any_0.tmp_0", "while_condition_0.tmp_0"),
        ("assign", "relu_0.tmp_0", "while_0.tmp_0"),
    ]
    assert program.fetches == ("while_0.tmp_0",)


def test_names_stay_apart(writer: Any) -> None:
    x = writer.param("relu_0.tmp_0", [4])
    writer.op("1.relu_", [x], [[4]])
    program = read(writer)
    assert program.ops[0].type == "relu"
    assert program.ops[0].output("Out") == "relu_0.tmp_0@1"
    assert program.ops[0].input("X") == "relu_0.tmp_0"


def test_the_same_file_gives_the_same_names(corpus: ModuleType) -> None:
    data = corpus.pir_detector()
    first, second = load_bytes(data, "file"), load_bytes(data, "file")
    assert first.blocks == second.blocks


def test_an_op_that_the_table_lacks_keeps_its_name(writer: Any) -> None:
    x = writer.param("x", [4])
    writer.op("3.my_own_op", [x, 0, x], [[4], [5]], {"depth": 3})
    op = only(read(writer), "my_own_op")
    assert op.inputs == {"X": ("x",), "Input_2": ("x",)}
    assert op.outputs == {"Out": ("my_own_op_0.tmp_0",), "Out_1": ("my_own_op_0.tmp_1",)}
    assert op.attrs == {"depth": 3}


def test_every_line_of_the_table_can_be_read() -> None:
    for name in pir_lines():
        names = op_names(name)
        assert names.type and names.outputs
        assert all(slot and ">" not in slot for slot, _ in names.inputs)
    assert op_names("batch_norm_").type == "batch_norm"
    assert op_names("relu_").inputs == (("X", None),)
    assert op_names("_").type == "_"


def test_attribute_types(writer: Any) -> None:
    writer.op("1.any_op", [], [[1]], {
        "layout": ("1.a_layout", "NCHW"), "scalar": ("1.a_scalar", ["float32", 0.5]),
        "place": ("1.a_place", [0, 0, ""]), "texts": ["a", "b"], "mixed": [True, 2, 0.5],
        "nested": ("0.a_array", [{"#": "0.a_array", "D": [{"#": "0.a_i32", "D": 1}]}]),
        "broken": ("0.a_array", 7), "empty": ("0.a_i32", None),
    })  # fmt: skip
    writer.ops[-1]["A"].append({"N": "inf", "AT": {"#": "0.a_f64", "VD": "-Infinity"}})
    attrs = only(read(writer), "any_op").attrs
    assert attrs == {
        "layout": "NCHW", "scalar": 0.5, "place": None, "texts": ("a", "b"),
        "mixed": (True, 2, 0.5), "nested": (), "broken": (), "empty": None, "inf": float("-inf"),
    }  # fmt: skip


def test_undefined_values_and_two_writers(writer: Any) -> None:
    writer.op("1.relu", [77], [[4]])
    writer.op("1.relu", [77], [[4]])
    writer.ops[-1]["O"][0]["%"] = 1
    writer.op("1.tanh", [1], [[4]])
    program = read(writer)
    assert undeclared(program) == ("undefined_77",)
    assert only(program, "tanh").input("X") == "relu_1.tmp_0"


def document(**changes: Any) -> bytes:
    block = {"#": "b", "args": [], "ops": []} | changes
    program = {"regions": [{"#": "r", "blocks": [block]}]}
    return json.dumps({"base_code": {"magic": "pir"}, "program": program}).encode()


def test_an_empty_program_is_one() -> None:
    program = load_bytes(document(), "file")
    assert (len(program.ops), program.feeds, len(program.blocks)) == (0, (), 1)


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ("text", "'ops' is no list"),
        ([None], "expected an object, found None"),
        ([{}], "'#' is no text"),
        ([{"#": 7}], "'#' is no text"),
        ([{"#": "1.relu", "I": [{}]}], "a value has the number None"),
        ([{"#": "1.relu", "I": {"%": 1}}], "'I' is no list"),
        ([{"#": "1.relu", "O": [{"%": True}]}], "a value has the number True"),
        ([{"#": "p"}], "expected an object"),
        ([{"#": "p", "A": [0], "OA": [], "O": {"%": 1}}], "a parameter without a name or flags"),
        ([{"#": "1.data"}], "expected an object"),
        ([{"#": "0.slice", "I": [], "O": [{"%": 1}]}], "a slice takes member None of 0"),
        ([{"#": "0.split", "I": [], "O": [{"%": 1}]}], "split has 1 results for 0"),
        ([{"#": "1.if", "regions": [[]]}], "expected an object, found a list"),
        (
            [{"#": "1.relu", "O": [{"%": 1, "TT": {"#": "0.t_dtensor", "D": [{}, "x"]}}]}],
            "a shape is 'x'",
        ),
        (
            [{"#": "1.relu", "O": [{"%": 1, "TT": {"#": "0.t_dtensor", "D": [{}, [1.5]]}}]}],
            "a shape is a list",
        ),
        ([{"#": "1.relu", "O": [{"%": 1, "TT": {"#": "0.t_vec"}}]}], "a vector type without"),
    ],
)
def test_damaged_json(ops: Any, message: str) -> None:
    with pytest.raises(LoadError, match=f"^file: a damaged PIR json: {message}"):
        load_bytes(document(ops=ops), "file")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{}", "a json, but not of PIR"),
        (b'{"a": 1}', "a json, but not of PIR"),
        (b"[1, 2]", "neither a ProgramDesc nor"),
        (b'{"base_code": 1}', "lacks base_code"),
        (b'{"base_code": {"magic": "pir"}, "program": {}}', "has no block"),
        (b'{"base_code": {"magic": "pir"}, "program": {"regions": [7]}}', "expected an object"),
        (b'{"base_code": {"magic": "pir"}', "not a readable json"),
        (b'{"program": "\xff"}', "not a readable json"),
        (b'{"program": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"program": ' + b'{"a":' * 100_000, "nested too deeply"),
        (b'{"program": ' + b"9" * 100_000 + b"}", "a number of 100000 digits"),
        (b'{"program": [' + b"1," * 10_000_001, "json items, more than 10000000"),
    ],
)
def test_what_is_no_pir_json(data: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        load_bytes(data, "file")


def test_a_byte_order_mark_and_other_key_order(corpus: ModuleType) -> None:
    whole = json.loads(corpus.pir_detector())
    turned = json.dumps(dict(reversed(whole.items())), indent=1).encode("utf-8-sig")
    assert load_bytes(turned, "file").blocks == load_bytes(corpus.pir_detector(), "file").blocks


def test_regions_nested_too_deeply() -> None:
    ops: list[Any] = []
    for _ in range(100):
        ops = [{"#": "1.if", "I": [], "O": [], "regions": [{"blocks": [{"ops": ops}]}]}]
    with pytest.raises(LoadError, match="nested deeper than 64"):
        load_bytes(document(ops=ops), "file")


def test_halves_of_characters_do_not_reach_the_terminal() -> None:
    ops = '[{"#": "p", "A": [0, 1, 1, "\\ud800"], "OA": [1, 0, 1], "O": {"%": 1, "TT": {}}}]'
    data = document().replace(b'"ops": []', b'"ops": ' + ops.encode())
    (name,) = load_bytes(data, "file").blocks[0].vars
    assert name.encode() == b"\\ud800"


def test_sizes_near_the_end_of_64_bits(writer: Any) -> None:
    x = writer.param("x", [2**63 - 1, -(2**63)])
    writer.op("1.reshape", [x, writer.ints(2**63 - 1)], [[2**63 - 1]])
    program = read(writer)
    assert program.shape("x") == (2**63 - 1, -(2**63))
    assert only(program, "reshape2").get_ints("shape") == (2**63 - 1,)


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _drop(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randrange(40) :]


def _shuffle_ops(data: bytes, rng: random.Random) -> bytes:
    whole = json.loads(data)
    rng.shuffle(whole["program"]["regions"][0]["blocks"][0]["ops"])
    return json.dumps(whole).encode()


@pytest.mark.parametrize("damage", [_cut, _drop, _shuffle_ops])
def test_damage_ends_in_a_program_or_in_an_error(
    corpus: ModuleType, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    rng = random.Random(3)  # noqa: S311
    ends = set()
    for _ in range(300):
        try:
            use(load_bytes(damage(corpus.pir_detector(), rng), "file"))
            ends.add("program")
        except LoadError as error:
            assert str(error).startswith("file: ")
            ends.add("error")
    assert ends
