"""The table of operators: every facet filled, and no second table anywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from graphprobe.ir.builder import Builder
from graphprobe.ops import OpSpec, op_spec, op_specs
from graphprobe.ops.facets import Kind, NoMap, family, operators
from graphprobe.ops.kinds import (
    computed_by,
    is_activation,
    is_convolution,
    is_depthwise,
    is_norm,
    is_pointwise,
    is_upsampler,
    moves_only,
    reads_size_only,
    unknown_ops,
)
from graphprobe.ops.pir_names import op_names, pir_lines
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import ELEMENTS, NoWork, Uncounted

ROOT = Path(__file__).parents[2]

# In other rooms words such as size, read and split are what they are in English.
OF_PROGRAMS = ("ops/", "pairing/", "pruning/", "drawing/", "formats/", "emit/")
# Where such words stand together all the same: the words, and why.
ALLOWED = {
    "compat/functions.py": (
        "abs acos acosh asin atanh ceil cos cosh exp expm1 floor log log10 log1p log2 round "
        "rsqrt sigmoid sign sin sinh sqrt tanh isfinite isinf isnan logical_not logical_and "
        "logical_or logical_xor greater_than maximum minimum bmm dot sum logsumexp matmul "
        "softplus gelu expand_as tril triu roll reduce_all",
        "names of Paddle's public functions, and the op that each emits",
    ),
    "emit/slim/table.py": (
        "reshape2 transpose2 conv2d conv2d_transpose depthwise_conv2d batch_norm sync_batch_norm "
        "affine_channel elementwise_add elementwise_sub elementwise_mul bilinear_interp "
        "nearest_interp relu gelu leaky_relu floor relu6 pool2d scale nearest_interp_v2 roi_align "
        "sigmoid swish pad3d bilinear_interp_v2 dropout cast hard_swish softmax hard_sigmoid sum "
        "split mul matmul matmul_v2 flatten_contiguous_range squeeze2 unsqueeze2 shape reduce_mean "
        "fused_softmax_mask_upper_triangle momentum adam average_accumulates",
        "what PaddleSlim follows, by its own names",
    ),
    "training/deploy_inputs.py": ("elementwise_div round cast", "the ops that it emits itself"),
    "training/reference/layers.py": (
        "conv2d depthwise_conv2d conv2d_transpose depthwise_conv2d_transpose pool2d "
        "batch_norm sync_batch_norm layer_norm matmul_v2 mul",
        "one numpy function for each op",
    ),
    "training/reference/moves.py": (
        "reshape2 flatten_contiguous_range transpose2 concat stack split unbind slice "
        "squeeze2 unsqueeze2 expand_v2 tile shape fill_constant cast assign gather clip where",
        "one numpy function for each op",
    ),
    "training/reference/numbers.py": (
        "relu relu6 sigmoid tanh sqrt rsqrt exp log abs square floor silu mish swish gelu "
        "leaky_relu hard_sigmoid hard_swish scale softmax dropout elementwise_add "
        "elementwise_sub elementwise_mul elementwise_div elementwise_max elementwise_min "
        "elementwise_pow greater_than less_than reduce_mean reduce_sum reduce_max reduce_min "
        "sum arg_max",
        "one numpy function for each op",
    ),
    "training/reference/resizing.py": (
        "nearest_interp_v2 bilinear_interp_v2",
        "one numpy function for each op",
    ),
    "drawing/diff/changes.py": ("seed shape", "names of attributes"),
    "ops/facets.py": (
        "size embedding recurrent norm softmax pad quantize sigmoid dropout reshape transpose "
        "squeeze unsqueeze slice split concat stack unstack flip",
        "kinds and moves: the words that the families choose from",
    ),
    "ops/kinds.py": ("embedding recurrent", "kinds"),
    "ops/symbols/rules.py": (
        "softmax norm quantize squeeze unsqueeze reshape slice split concat transpose unstack",
        "kinds and moves: one rule of sizes for each",
    ),
    "ops/symbols/entries.py": ("squeeze unsqueeze reshape slice concat stack", "moves"),
    "ops/channels/feature_products.py": ("softmax slice unstack", "kinds and moves"),
    "pruning/channel_walk.py": ("squeeze unsqueeze", "moves"),
    "pairing/channel_indices.py": (
        "slice transpose unsqueeze squeeze stack concat split reshape",
        "moves: one numpy rule for each",
    ),
    "pruning/second_axis.py": ("transpose squeeze unsqueeze", "moves"),
    "training/networks/task_loss.py": ("cross_entropy", "a loss of configs"),
    "pairing/parts.py": ("slice split unstack concat stack", "moves"),
    "config/_base.py": ("cross_entropy", "a loss of configs"),
    "pairing/evidence.py": ("equal shape", "words of a sentence"),
    "pairing/matching.py": ("equal shape", "words of a sentence"),
    "pairing/features.py": ("softmax sigmoid", "which of two a loss applies to a feature"),
    "formats/pir/translate.py": ("split slice", "of PIR's builtin dialect, which computes nothing"),
    "formats/pir/complete.py": ("shape cast", "the one operator whose result is widened"),
    "formats/pir/operators.py": (
        "reduce_all tril triu set_value_with_tensor cast fill_constant assign_value range rnn "
        "set_value batch_norm sync_batch_norm tril_triu diag_v2 cumprod reverse "
        "max_pool2d_with_index max_pool3d_with_index thresholded_relu",
        "what Paddle 2 writes of an operator of PIR: the translation's own",
    ),
    "drawing/irgraph.py": ("feed fetch", "kinds of variables"),
}


def test_both_generations_and_in_place_forms_are_known():
    for name in [
        "conv2d",
        "depthwise_conv2d",
        "conv2d_transpose",
        "deformable_conv",
        "fused_conv2d",
        "conv2d_fusion",
        "fused_conv2d_add_act",
        "batch_norm",
        "sync_batch_norm",
        "relu",
        "relu_",
        "hard_swish",
        "hardswish",
        "leaky_relu",
        "mish",
        "bilinear_interp",
        "bilinear_interp_v2",
        "reshape",
        "reshape2",
        "reshape2_",
        "flatten2",
        "flatten_contiguous_range",
        "transpose2",
        "mul",
        "matmul_v2",
        "fc",
        "fused_fc_elementwise_layernorm",
        "elementwise_add",
        "fused_elemwise_activation",
        "sum",
        "concat",
        "split",
        "slice",
        "strided_slice",
        "shuffle_channel",
        "yolo_box",
        "yolov3_loss",
        "multiclass_nms3",
        "matrix_nms",
        "generate_proposals_v2",
        "box_coder",
        "prior_box",
        "anchor_generator",
        "distribute_fpn_proposals",
        "collect_fpn_proposals",
        "roi_align",
        "roi_pool",
        "top_k_v2",
        "arg_max",
        "fake_quantize_moving_average_abs_max",
        "quantize_linear",
        "shape",
        "conditional_block",
        "while",
        "fetch",
        "lookup_table_v2",
        "lstm",
        "momentum",
    ]:
        assert op_spec(name) is not None, name
    assert op_spec("my_own_op") is None
    assert op_spec("") is None


@pytest.mark.parametrize("spec", op_specs().values(), ids=lambda spec: spec.type)
def test_every_facet_is_filled_or_refused_with_a_reason(spec: OpSpec):
    assert spec.kind in get_args(Kind)
    assert spec.label and callable(spec.channels.rule)
    for facet, without in (
        (spec.spatial, NoMap),
        (spec.shapes, Declared),
        (spec.work, (NoWork, Uncounted)),
    ):
        if isinstance(facet, without):
            assert len(facet.reason.split()) >= 3, f"{spec.type}: no reason: {facet.reason!r}"
        else:
            assert callable(facet)
    assert (spec.move is not None) == (spec.kind == "movement")
    assert (spec.channels.filter is not None) == (spec.kind == "convolution")
    assert not spec.heads or spec.kind in ("loss", "decode", "select", "path")
    if spec.kind in ("convolution", "linear", "recurrent"):
        assert not isinstance(spec.work, NoWork), "it has weights, so it has work"
    if spec.kind == "convolution":
        assert not isinstance(spec.work, Uncounted) and spec.channels.makes


def test_half_a_row_is_refused():
    with pytest.raises(TypeError, match="shapes"):
        operators("new_op", kind="unary", channels=lambda _: iter(()), spatial=same)  # type: ignore[call-arg]
    row = operators(
        "new_op",
        kind="unary",
        channels=lambda _: iter(()),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    )
    with pytest.raises(TypeError, match="new_op"):
        family("own", row, row)


@pytest.mark.parametrize(
    ("types", "computes"),
    [
        ("elementwise_add fused_elementwise_add grad_add sum add_n elementwise_add_", "add"),
        ("elementwise_mul fused_elementwise_mul", "multiply"),
        ("reduce_max reduce_amax", "largest"),
        ("generate_proposals generate_proposals_v2", "proposals"),
        ("yolo_box yolo_box_head yolov3_loss", "yolo"),
        ("p_norm frobenius_norm", "length"),
        ("elementwise_pow squared_l2_norm reduce_mean my_own_op", None),
        ("arg_min", "argmin"),
        ("exp softplus hard_sigmoid reciprocal", "nonzero"),
    ],
)
def test_every_generation_of_a_computation_is_that_computation(types: str, computes: str | None):
    assert {computed_by(name) for name in types.split()} == {computes}


def test_pir_names_stand_with_the_operators_that_they_mean():
    types = {op_names(name).type for name in pir_lines()}
    assert types <= op_specs().keys()


def test_fused_convolutions_are_convolutions_to_everyone():
    for name in [
        "conv2d",
        "depthwise_conv2d",
        "conv2d_fusion",
        "fused_conv2d",
        "fused_conv2d_add_act",
    ]:
        spec = op_spec(name)
        assert spec is not None and is_convolution(name)
        assert spec.channels.filter == "Filter" and spec.channels.out_axis == 0
    assert op_spec("conv2d_transpose").channels.out_axis == 1  # type: ignore[union-attr]


def test_all_activations_of_paddle_are_walked_through():
    names = (
        "elu selu celu mish silu swish hard_swish hard_sigmoid softplus softsign softshrink "
        "hard_shrink tanh_shrink gelu prelu rrelu thresholded_relu logsigmoid brelu stanh "
        "soft_relu relu6 relu leaky_relu sigmoid tanh maxout"
    )
    for name in names.split():
        assert is_activation(name) and is_pointwise(name) and not moves_only(name), name
    assert is_pointwise("softmax") and not is_activation("softmax")
    assert is_norm("layer_norm") and not is_activation("layer_norm")
    assert is_upsampler("conv2d_transpose") and is_upsampler("nearest_interp_v2")
    assert not is_upsampler("conv2d") and reads_size_only("shape") and moves_only("reshape2_")


@pytest.mark.parametrize(
    ("type_", "groups", "shape", "expected"),
    [
        ("depthwise_conv2d", 8, (8, 1, 3, 3), True),
        ("conv2d", 8, (8, 1, 3, 3), True),
        ("conv2d", 8, (16, 1, 3, 3), True),
        ("fused_conv2d", 8, (8, 1, 3, 3), True),
        ("conv2d", 4, (8, 2, 3, 3), False),
        ("conv2d", 1, (8, 1, 3, 3), False),
        ("depthwise_conv2d", 1, (1, 1, 3, 3), False),
        ("conv2d_transpose", 8, (8, 1, 3, 3), True),
        ("depthwise_conv2d_transpose", 8, (8, 2, 3, 3), True),
        ("conv2d_transpose", 4, (8, 2, 3, 3), False),
        ("relu", 8, (8, 1, 3, 3), False),
    ],
)
def test_groups_decide_what_is_depthwise(type_, groups, shape, expected):
    b = Builder()
    slots = {"Input": b.feed("x", (-1, 8, 8, 8)), "Filter": b.param("w", shape)}
    program = b.build([b.op(type_, slots, {"Output": "y"}, {"groups": groups})])
    op = next(op for op in program.ops if op.type == type_)
    assert is_depthwise(op, program) is expected


def test_ops_that_the_table_lacks_are_counted():
    b = Builder()
    x = b.feed("x", (-1, 8, 8, 8))
    for _ in range(2):
        x = b.op("my_own_op", {"X": x}, {"Out": f"y{_}"}, {}, (-1, 8, 8, 8))
    assert unknown_ops(b.build([x])) == {"my_own_op": 2}


def _words(node: ast.expr | None) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _tables(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """Strings that stand together: in a set, tuple, list, as keys, or as words of one string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Set | ast.Tuple | ast.List):
            yield node.lineno, [w for item in node.elts for w in _words(item)]
        elif isinstance(node, ast.Dict):
            yield node.lineno, [w for key in node.keys for w in _words(key)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()
            if len(words) > 1 and all(word in op_specs() for word in words):
                yield node.lineno, words


def op_type_tables(path: Path) -> list[str]:
    """Where a module lists op types: two or more, or one that is no plain English word."""
    name = str(path.relative_to(ROOT)).removeprefix("graphprobe/")
    words = ALLOWED.get(name, ("", ""))[0]
    # What ranks filters is called l1_norm, too.
    known = op_specs().keys() - {"l1_norm", *words.split()}
    found = []
    for line, texts in _tables(ast.parse(path.read_text())):
        types = [text for text in texts if text in known]
        plain = not any("_" in text or text[-1].isdigit() for text in types)
        if types and (not plain or (len(types) > 1 and name.startswith(OF_PROGRAMS))):
            found.append(f"{name}:{line}: {' '.join(types)}")
    return found


def _modules() -> list[Path]:
    modules = [*(ROOT / "graphprobe").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    return sorted(m for m in modules if not {"families", "zoo"} & set(m.parts))


def test_no_other_module_lists_op_types():
    assert [hit for module in _modules() for hit in op_type_tables(module)] == []


def test_what_is_allowed_still_stands_there():
    for name, (words, _) in ALLOWED.items():
        text = (ROOT / "graphprobe" / name).read_text()
        assert [word for word in words.split() if not re.search(rf"\b{word}\b", text)] == [], name


# Where one type is meant, and not what it does: the module, and why.
BY_TYPE = {
    "compat/collectives.py": "the collective ops that it emits itself, as each Paddle calls them",
    "training/distributed/process_group.py": "Paddle has one op beside batch_norm for many devices",
}
GRADIENTS = {"_grad", "_GRADIENT"}
_PREFIXES = {"startswith", "endswith", "removeprefix", "partition", "rpartition"}


def op_types_compared(tree: ast.AST) -> Iterator[int]:
    """Lines that decide by an op's type: ``op.type == "scale"``, ``op_type.startswith("reduce")``.

    In-place forms (``relu_``) and gradients (``relu_grad``) are of the type they end in.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            words = [word for side in sides for word in _strings(side)]
            known = [word for word in words if word in op_specs() and word != "l1_norm"]
            plain = not any(_is_type(side) for side in sides)
            holds = isinstance(node.ops[0], ast.In | ast.NotIn) and _is_type(sides[-1])
            if holds or (known and not plain) or (plain and any("_" in word for word in known)):
                yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asks = node.func.attr in _PREFIXES and _is_type(node.func.value)
            if asks and not all(_named(side) in GRADIENTS for side in node.args):
                yield node.lineno


def _strings(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Tuple | ast.Set | ast.List):
        return [word for item in node.elts for word in _words(item)]
    return _words(node)


def _named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else "".join(_words(node))


def _is_type(node: ast.expr) -> bool:
    """Whether an expression is named as the type of an op is."""
    if isinstance(node, ast.Attribute):
        return node.attr == "type"
    return isinstance(node, ast.Name) and node.id in ("op_type", "type_", "type")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('op.type == "reduce_max"', True),
        ('op_type != "scale"', True),
        ('op.type in ("sum", "scale")', True),
        ('"reduce_max" in used.readers', True),
        ('"transpose" in op.type', True),
        ('op.type.startswith("generate_proposals")', True),
        ('type_.endswith(("_div", "_mul"))', True),
        ('op.type.partition("_block")[0]', True),
        ('kind_of(op.type) == "softmax"', False),
        ('computed_by(op.type) == "sigmoid"', False),
        ("op.type.endswith(_GRADIENT)", False),
        ('section.criterion != "l1_norm"', False),
        ('name.startswith("conv2d")', False),
    ],
)
def test_decisions_by_an_op_type_are_seen(line: str, found: bool):
    assert any(op_types_compared(ast.parse(line))) is found


def test_no_other_module_decides_by_an_op_type():
    hits = []
    for module in _modules():
        name = str(module.relative_to(ROOT)).removeprefix("graphprobe/")
        if name not in BY_TYPE and not name.startswith(("ops/", "formats/")):
            lines = op_types_compared(ast.parse(module.read_text()))
            hits += [f"{name}:{line}" for line in lines]
    assert hits == []
