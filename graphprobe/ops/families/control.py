"""Control flow and tensor arrays: what enters them is not followed."""

from __future__ import annotations

from graphprobe.ops.channels.rules import blocks
from graphprobe.ops.facets import ChannelFacet, family, operators
from graphprobe.ops.shapes.rules import recurrent_sizes
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.spatial.rules import declared, same
from graphprobe.ops.work.rules import Uncounted, recurrent_work

_PIR = """
rnn : Input PreState WeightList SequenceLength DropoutState > Out DropoutState State Reserve
"""

FAMILY = family(
    "control",
    operators(
        "while conditional_block:conditional-block conditional_block_infer:conditional-block "
        "select_input select_output recurrent static_rnn write_to_array read_from_array "
        "array_to_lod_tensor lod_tensor_to_array tensor_array_to_tensor merge_lod_tensor "
        "split_lod_tensor merge_lod_tensor_infer shrink_rnn_memory run_program py_func "
        "lod_array_length create_array array_length array_write array_read slice_array "
        "max_sequence_len rnn_memory_helper",
        kind="control",
        channels=blocks("channels are not followed into control flow", "unsupported_op"),
        spatial=declared,
        shapes=Declared("what comes out of control flow is known only while it runs"),
        work=Uncounted("how often a branch or a loop runs is known only while it runs"),
    ),
    operators(
        "lstm gru rnn cudnn_lstm dynamic_lstm dynamic_gru lstmp gru_unit lstm_unit fusion_lstm "
        "fusion_gru multi_gru attention_lstm fusion_seqexpand_concat_fc",
        kind="recurrent",
        channels=ChannelFacet(
            blocks("channels are not followed into recurrent layers", "unsupported_op"), makes=True
        ),
        spatial=same,
        shapes=recurrent_sizes,
        work=recurrent_work,
    ),
    pir=_PIR,
)
