"""What processes send each other: which failures are another process's, and shared counts."""

from __future__ import annotations

from typing import Any

import pytest

from graphprobe.errors import TrainError

pytestmark = pytest.mark.paddle


class Failing:
    """An executor that fails with a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, program: Any, **rest: Any) -> None:
        raise RuntimeError(self.text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("[gloo/transport/tcp/pair.cc:587] TIMEOUT self_rank = 0", True),
        ("(External) NCCL error [operator < c_allreduce_sum > error]", True),
        ("(External) gloo timed out [operator < all_reduce > error]", True),
        ("(InvalidArgument) shapes differ [operator < conv2d > error]", False),
    ],
)
def test_only_ops_that_wait_blame_another_process(
    text: str, other: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.training.distributed import process_group

    monkeypatch.setattr(process_group, "EXIT_MESSAGE_TIMEOUT_S", 0)
    expected = TrainError if other else RuntimeError
    with pytest.raises(expected) as caught:
        process_group.run_collective(Failing(text), None, None)
    assert ("another process cannot be reached" in str(caught.value)) == other


def test_counts_are_means_over_all_processes() -> None:
    import paddle

    from graphprobe.losses._batch_count import batch_count
    from graphprobe.training.distributed.process_group import with_mean_counts

    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program):
        found = paddle.static.data("found", [3], "float32")
        count = paddle.sum(found)
        loss = count / batch_count(count, 1.0)
    assert loss.shape == count.shape
    types = [op.type for op in program.global_block().ops]
    assert types == ["reduce_sum", "clip", "elementwise_div"]
    shared = with_mean_counts(program, 4)
    reduced, sent, scaled, bounded, divided = shared.global_block().ops
    # The second is its name in Paddle 3, with operands in small letters.
    assert sent.type in ("c_allreduce_sum", "all_reduce") and scaled.type == "scale"
    assert sent.input_arg_names == reduced.output("Out") == [count.name] == divided.input("X")
    assert scaled.attr("scale") == bounded.attr("min") == 0.25
    assert sent.output_arg_names == scaled.input("X") == scaled.output("Out") == bounded.input("X")
    assert sent.output_arg_names != [count.name]
    assert [op.type for op in program.global_block().ops] == types  # left as it was


def test_a_program_without_counts_is_not_copied() -> None:
    import paddle

    from graphprobe.training.distributed.process_group import with_mean_counts

    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program):
        paddle.clip(paddle.static.data("found", [3], "float32"), min=1.0)
    assert with_mean_counts(program, 2) is None
