"""Control flow and tensor arrays: what enters them is not followed."""

from __future__ import annotations

from graphprobe.ops.shared_rules import blocks
from graphprobe.ops.spec import Family, OpSpec, table

FAMILY = Family(
    "control",
    table(
        (
            OpSpec(blocks("channels are not followed into control flow", "unsupported_op")),
            "while conditional_block conditional_block_infer select_input select_output "
            "recurrent static_rnn write_to_array read_from_array array_to_lod_tensor "
            "lod_tensor_to_array tensor_array_to_tensor merge_lod_tensor split_lod_tensor "
            "merge_lod_tensor_infer shrink_rnn_memory run_program py_func",
        ),
        (
            OpSpec(
                blocks("channels are not followed into recurrent layers", "unsupported_op"),
                makes=True,
            ),
            "lstm gru rnn cudnn_lstm dynamic_lstm dynamic_gru lstmp gru_unit lstm_unit fusion_lstm "
            "fusion_gru multi_gru",
        ),
    ),
)
