"""Questions about operators, answered by the table; a type that it lacks is nothing of these."""

from __future__ import annotations

from collections import Counter

from graphprobe.ir import Op, Program
from graphprobe.ops.channels.spec import depthwise_filter
from graphprobe.ops.facets import Boxes, Computation, HeadSlot, Kind, Move
from graphprobe.ops.table import op_spec

_WEIGHTED: frozenset[Kind] = frozenset({"convolution", "linear", "embedding", "recurrent"})
_MOVING: frozenset[Kind] = frozenset({"movement", "identity", "input", "output"})
_ONE_TO_ONE: frozenset[Kind] = frozenset({"activation", "unary", "identity"})
_POINTWISE: frozenset[Kind] = _ONE_TO_ONE | {"softmax"}


def kind_of(op_type: str) -> Kind | None:
    """What sort of operator it is; None where the table lacks it."""
    spec = op_spec(op_type)
    return None if spec is None else spec.kind


def is_convolution(op_type: str) -> bool:
    """Convolutions of every form: grouped, transposed, deformable, fused with what follows."""
    return kind_of(op_type) == "convolution"


def is_transposed(op_type: str) -> bool:
    """Transposed convolutions, whose filters are [in, out/groups, ...]."""
    spec = op_spec(op_type)
    return spec is not None and spec.channels.out_axis == 1


def is_depthwise(op: Op, program: Program) -> bool:
    """Whether a convolution gives every input channel filters of its own.

    The groups decide, not the op's type: as many groups as input channels, and more than one.
    """
    spec = op_spec(op.type)
    if spec is None or spec.channels.filter is None:
        return False
    shape = program.shape(op.input(spec.channels.filter), op.block) or ()
    return depthwise_filter(op.get_int("groups", 1), shape, spec.channels.out_axis)


def is_linear(op_type: str) -> bool:
    """Products of matrices: fully connected layers, and products of two features."""
    return kind_of(op_type) == "linear"


def has_weights(op_type: str) -> bool:
    """Layers that multiply what they read with trained weights of rank 2 and more."""
    return kind_of(op_type) in _WEIGHTED


def is_norm(op_type: str) -> bool:
    """Normalisation and affine ops."""
    return kind_of(op_type) == "norm"


def is_activation(op_type: str) -> bool:
    """Activation functions; softmax and plain mathematics are none."""
    return kind_of(op_type) == "activation"


def is_pointwise(op_type: str) -> bool:
    """One number in, one number out (softmax too): they turn logits into what is shown."""
    return kind_of(op_type) in _POINTWISE


def is_one_to_one(op_type: str) -> bool:
    """Each number of the output is computed from the one number at its place in the input."""
    return kind_of(op_type) in _ONE_TO_ONE


def is_identity(op_type: str) -> bool:
    """The output is the input: cast, assign, dropout when nothing is trained."""
    return kind_of(op_type) == "identity"


def moves_only(op_type: str) -> bool:
    """They move numbers about and change none."""
    return kind_of(op_type) in _MOVING


def move_of(op_type: str) -> Move | None:
    """How an op moves numbers, whatever generation of Paddle it is of."""
    spec = op_spec(op_type)
    return None if spec is None else spec.move


def computed_by(op_type: str) -> Computation | None:
    """What an op computes, whatever it is called; None where no decision rests on it."""
    spec = op_spec(op_type)
    return None if spec is None else spec.computes


def prior_boxes(op_type: str) -> Boxes | None:
    """How an op makes prior boxes of a map; None for all others."""
    spec = op_spec(op_type)
    return None if spec is None else spec.boxes


def reads_size_only(op_type: str) -> bool:
    """They read only the size of their input, so nothing of its content goes on."""
    return kind_of(op_type) == "size"


def is_upsampler(op_type: str) -> bool:
    """They make a map larger: resizes, pixel_shuffle, transposed convolutions."""
    return kind_of(op_type) == "upsample" or is_transposed(op_type)


def is_quantizer(op_type: str) -> bool:
    """They quantise, undo it, or simulate it."""
    return kind_of(op_type) == "quantize"


def has_quantised_range(op: Op) -> bool:
    """Whether an op holds a range that was measured when its program was quantised."""
    kept = "out_threshold" in op.attrs or op.attrs.get("use_quantizer") is True
    return kept or is_quantizer(op.type)


def trains_in_onednn(op_type: str) -> bool:
    """Whether Paddle has oneDNN kernels for it and for its gradient."""
    spec = op_spec(op_type)
    return spec is not None and spec.onednn


def head_slots(op_type: str) -> tuple[HeadSlot, ...]:
    """Where a loss, a decoding or an arg_max reads what the network predicts."""
    spec = op_spec(op_type)
    return () if spec is None else spec.heads


def label_of(op_type: str) -> str:
    """What a drawing calls it."""
    spec = op_spec(op_type)
    return op_type if spec is None else spec.label


# So many types of unknown operators are named.
_NAMED = 5


def unknown_ops_text(program: Program) -> str:
    """The types that the table lacks, as ``my_own_op (4), other (1)``; empty if none."""
    unknown = sorted(unknown_ops(program).items())
    text = ", ".join(f"{name} ({count})" for name, count in unknown[:_NAMED])
    return f"{text} and {len(unknown) - _NAMED} more types" if len(unknown) > _NAMED else text


def unknown_ops_warnings(source: str, program: Program) -> tuple[str, ...]:
    """One line that counts the operators of a program that the table lacks; none if none."""
    unknown = unknown_ops_text(program)
    return (f"{source}: operators that are not known: {unknown}",) if unknown else ()


def unknown_ops(program: Program) -> Counter[str]:
    """The forward op types of a program that the table lacks, with their number."""
    return Counter(
        op.type for op in program.ops if op.role == "forward" and op_spec(op.type) is None
    )
