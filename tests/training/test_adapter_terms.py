"""What an adapter does to a student's map before it is compared."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.config.distill import AdapterConfig, PairConfig

pytestmark = pytest.mark.paddle


@pytest.mark.parametrize(("channels", "parameters"), [(4, 0), (6, 2)])
def test_a_resize_of_equal_channels_trains_nothing(channels: int, parameters: int) -> None:
    """Logits of another size are resized; a 1x1 convolution would mix their classes."""
    import paddle

    from graphprobe.training.objective import add_term, group_pairs, group_problems

    paddle.enable_static()
    adapter = AdapterConfig(in_channels=4, out_channels=channels, resize=True)
    pair = PairConfig(student="mine", teacher="theirs", loss="l2", adapter=adapter)
    (group,), problems = group_pairs([pair])
    assert not problems
    program, startup = paddle.static.Program(), paddle.static.Program()
    teacher = paddle.static.Program()
    with paddle.static.program_guard(teacher, paddle.static.Program()):
        paddle.static.data("theirs", [2, channels, 10, 10], "float32")
    with paddle.static.program_guard(program, startup):
        paddle.static.data("mine", [2, 4, 5, 5], "float32")
        paddle.static.data("teacher_theirs", [2, channels, 10, 10], "float32")
    assert group_problems(group, program, teacher) == []
    term = add_term(group, program, startup)
    assert len(term.parameters) == parameters
    executor = paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor.run(startup)
        feed = {
            "mine": np.full((2, 4, 5, 5), 3, "float32"),
            "teacher_theirs": np.full((2, channels, 10, 10), 1, "float32"),
        }
        (value,) = executor.run(program, feed=feed, fetch_list=[term.plain])
    if not parameters:
        assert float(value) == pytest.approx((3 - 1) ** 2)
