"""What is added to a program that was read takes no name of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.paddle


def loss(x: Any) -> Any:
    import paddle

    return paddle.mean(paddle.nn.functional.relu(paddle.square(x) - x))


def read_again(program: Any) -> Any:
    from graphprobe.training.networks.exported import parse_program

    return parse_program(program.desc.serialize_to_string(), "model")


def test_added_ops_write_variables_of_their_own() -> None:
    """The same layers once more, on what the program had: read from its own bytes."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.utils.unique_name.guard(), paddle.static.program_guard(main, startup):
        x = paddle.static.data("x", [4, 3])
        first = loss(x)
    program = read_again(main)
    had = set(program.global_block().vars)
    x = program.global_block().var("x")
    with paddle.static.program_guard(program), paddle.utils.unique_name.guard("added_"):
        second = loss(x * 2)
    added = [name for op in program.global_block().ops[4:] for name in op.output_arg_names]
    assert len(added) == 5
    assert had.isdisjoint(added)
    value = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    executor = paddle.static.Executor(paddle.CPUPlace())
    found = executor.run(program, feed={"x": value}, fetch_list=[first.name, second.name])
    wanted = [np.maximum(v**2 - v, 0).mean() for v in (value, 2 * value)]
    np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["feature", "feature_x", "_7", "relu_1_", "relu_٣", "n_" + "9" * 5000]
)
def test_any_name_may_stand_in_a_program(name: str) -> None:
    import paddle

    paddle.enable_static()
    main = paddle.static.Program()
    main.global_block().create_var(name=name, shape=[1], dtype="float32")
    program = read_again(main)
    with paddle.static.program_guard(program), paddle.utils.unique_name.guard("added_"):
        added = loss(program.global_block().var(name))
    assert added.name != name
    assert set(program.global_block().vars) >= {name, added.name}
