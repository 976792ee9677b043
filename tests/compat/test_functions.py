"""What graphprobe emits for a refusing function computes what numpy computes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graphprobe.compat.functions import EMITTERS, emit_old_ops

pytestmark = pytest.mark.paddle

A = np.array([[0.3, 0.7, 0.55], [0.9, 0.2, 0.4]])
B = np.array([[0.6, 0.1, 0.5], [0.2, 0.8, 0.3]])
UNARY = {
    "abs": np.abs, "acos": np.arccos, "asin": np.arcsin, "atanh": np.arctanh, "ceil": np.ceil,
    "cos": np.cos, "cosh": np.cosh, "exp": np.exp, "expm1": np.expm1, "floor": np.floor,
    "log": np.log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2, "round": np.round,
    "rsqrt": lambda x: x**-0.5, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "sign": np.sign,
    "sin": np.sin, "sinh": np.sinh, "sqrt": np.sqrt, "tanh": np.tanh, "isfinite": np.isfinite,
    "isinf": np.isinf, "isnan": np.isnan,
    "acosh": lambda x: np.arccosh(x + 1),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "logsumexp": lambda x: np.log(np.exp(x).sum()),
    "argmax": np.argmax, "argmin": np.argmin, "amax": np.max, "amin": np.min, "sum": np.sum,
    "tril": np.tril, "triu": np.triu,
}  # fmt: skip
BINARY = {
    "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
    "greater_than": np.greater, "dot": lambda a, b: (a * b).sum(-1),
}  # fmt: skip


def run(build, **arrays):
    """Outputs of what `build` builds from named inputs, in float64."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup):
        inputs = []
        for name, value in arrays.items():
            inputs.append(paddle.static.data(name, value.shape, str(value.dtype)))
            inputs[-1].stop_gradient = False
        out = build(paddle, *inputs)
    found = out if isinstance(out, list) else [out]
    executor = paddle.static.Executor(paddle.CPUPlace())
    return executor.run(main, feed=arrays, fetch_list=found)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_variable(name):
    shift = 1 if name == "acosh" else 0
    (ours,) = run(lambda _, x: EMITTERS[name](x), x=A + shift)
    np.testing.assert_allclose(ours, UNARY[name](A), rtol=1e-12)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_variables(name):
    (ours,) = run(lambda _, x, y: EMITTERS[name](x, y), x=A, y=B)
    np.testing.assert_allclose(ours, BINARY[name](A, B), rtol=1e-12)


@pytest.mark.parametrize("name", ["all", "any", "logical_not", "logical_and", "logical_or"])
def test_functions_of_truth(name):
    a, b = A > 0.4, B > 0.4
    both = name in ("logical_and", "logical_or")
    arrays = {"x": a, "y": b} if both else {"x": a}
    (ours,) = run(lambda _, *inputs: EMITTERS[name](*inputs), **arrays)
    np.testing.assert_array_equal(ours, getattr(np, name)(*arrays.values()))


def test_axes_and_types():
    def build(paddle, x):
        return [
            EMITTERS["sum"](x, axis=1, keepdim=True),
            EMITTERS["sum"](x, [0, 1], dtype="float32"),
            EMITTERS["amax"](x, axis=(0,)),
            EMITTERS["argmax"](x, axis=-1, dtype="int32"),
            EMITTERS["logsumexp"](x, axis=1),
            EMITTERS["roll"](x, 1, axis=1),
        ]

    kept, total, most, where, logsum, rolled = run(build, x=A)
    np.testing.assert_allclose(kept, A.sum(1, keepdims=True))
    assert total.dtype == np.float32 and total == pytest.approx(A.sum(), rel=1e-6)
    np.testing.assert_array_equal(most, A.max(0))
    assert where.dtype == np.int32 and where.tolist() == [1, 0]
    np.testing.assert_allclose(logsum, np.log(np.exp(A).sum(1)))
    np.testing.assert_array_equal(rolled, np.roll(A, 1, 1))


def test_a_name_that_is_asked_for():
    def build(_, x):
        found = EMITTERS["exp"](x, name="asked")
        assert found.name.startswith("asked")
        return found

    (ours,) = run(build, x=A)
    np.testing.assert_allclose(ours, np.exp(A))


def test_products():
    def build(paddle, x, y):
        flat = EMITTERS["matmul"](x, y, transpose_y=True)
        deep = [paddle.unsqueeze(v, 0) for v in (x, paddle.transpose(y, [1, 0]))]
        return [flat, EMITTERS["bmm"](*deep), EMITTERS["expand_as"](paddle.unsqueeze(x[0], 0), y)]

    flat, deep, wide = run(build, x=A, y=B)
    np.testing.assert_allclose(flat, A @ B.T)
    np.testing.assert_allclose(deep[0], A @ B.T)
    np.testing.assert_array_equal(wide, np.stack([A[0], A[0]]))


def test_public_functions_layers_and_methods_work_and_train():
    """On every Paddle, by whatever way a network calls them."""

    def build(paddle, x, y):
        f = paddle.nn.functional
        mixed = paddle.sum(f.softplus(paddle.multiply(x, paddle.tanh(y))))
        total = mixed + paddle.nn.GELU()(x).sum() + paddle.tensor.math.sum(paddle.sqrt(y))
        return [total, *paddle.static.gradients([total], [x, y])]

    total, dx, dy = run(build, x=A, y=B)
    tanh, bell = np.tanh(B), np.exp(-A * A / 2) / math.sqrt(2 * math.pi)
    below = np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2)(A)
    slope = 1 / (1 + np.exp(-A * tanh))
    value = np.log1p(np.exp(A * tanh)).sum() + (A * below).sum() + np.sqrt(B).sum()
    np.testing.assert_allclose(total, value, rtol=1e-9)
    np.testing.assert_allclose(dx, slope * tanh + below + A * bell, rtol=1e-9)
    np.testing.assert_allclose(dy, slope * A * (1 - tanh**2) + B**-0.5 / 2, rtol=1e-9)


def test_a_program_is_the_same_by_the_public_function_and_by_ours():
    """On Paddle 2.6 these are two ways; ops, names, and attributes are equal."""
    import paddle

    paddle.enable_static()

    def described(get):
        main = paddle.static.Program()
        with paddle.utils.unique_name.guard(), paddle.static.program_guard(main):
            x = paddle.static.data("x", [-1, 3])
            for name in ("exp", "sigmoid", "sum", "amax", "argmax", "softplus", "isnan"):
                get(name)(x)
            for name in ("multiply", "maximum", "matmul"):
                get(name)(x, paddle.static.data("y", [3, 3]) if name == "matmul" else x)
        return [(op.type, op.input_arg_names, op.output_arg_names) for op in main.block(0).ops]

    public = vars(paddle) | {
        "softplus": paddle.nn.functional.softplus,
        "sigmoid": paddle.nn.functional.sigmoid,
    }
    assert described(public.__getitem__) == described(EMITTERS.__getitem__)


def test_functions_are_put_in_place_once():
    """Every build of a network asks for it; on Paddle 3.2 and later each would wrap the last."""
    import paddle

    before = paddle.sum, paddle._C_ops.sum, paddle.static.Variable.sum
    emit_old_ops(paddle)
    assert (paddle.sum, paddle._C_ops.sum, paddle.static.Variable.sum) == before
