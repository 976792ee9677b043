"""Each loss against a reference written in numpy, with the gradient of the student's side."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.errors import UsageError
from graphprobe.losses import find_loss

pytestmark = pytest.mark.paddle


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def bce(z, y):
    return -(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z)))


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def l2(s, t):
    return ((t[0] - s[0]) ** 2).mean()


def soft_label(s, t, student_temperature=1.0, teacher_temperature=1.0, axis=-1):
    p = softmax(t[0] / teacher_temperature, axis)
    return -(p * np.log(softmax(s[0] / student_temperature, axis))).sum(axis).mean()


def relative_l2(s, t):
    return ((t[0] - s[0]) ** 2).mean() / (t[0] ** 2).mean()


def cosine(s, t, axis=-1):
    lengths = np.linalg.norm(s[0], axis=axis) * np.linalg.norm(t[0], axis=axis)
    return (1 - (s[0] * t[0]).sum(axis) / lengths).mean()


def channel_kl(s, t, temperature=1.0):
    p, q = (softmax(x[0].reshape(*x[0].shape[:2], -1) / temperature, -1) for x in (t, s))
    return temperature**2 * (p * np.log(p / q)).sum(-1).mean()


def binary_kl(s, t, temperature=1.0, logits=True):
    p, q = (sigmoid(x[0] / temperature) if logits else x[0] for x in (t, s))
    return temperature**2 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()


def fsp(s, t):
    def flow(a, b):
        return np.einsum("nchw,ndhw->ncd", a, b) / (a.shape[2] * a.shape[3])

    return ((flow(*t) - flow(*s)) ** 2).mean()


def yolo_fine_grained(s, t):
    sx, sy, sw, sh, sobj, scls = s
    tx, ty, tw, th, tobj, tcls = t
    w = sigmoid(tobj)
    terms = bce(sx, sigmoid(tx)) + bce(sy, sigmoid(ty)) + np.abs(sw - tw) + np.abs(sh - th)
    reg = (terms * w).mean()
    cls = np.mean([(bce(scls[..., c], sigmoid(tcls[..., c])) * w) for c in range(scls.shape[-1])])
    return reg + cls + bce(sobj, (tobj > 0).astype(float)).mean()


MAPS = [(2, 6, 4, 5)]
HEAD = [(2, 3, 4, 4)] * 5 + [(2, 3, 4, 4, 5)]
CASES = [
    ("l2", l2, MAPS, MAPS, {}),
    ("soft_label", soft_label, [(4, 7)], [(4, 7)], {}),
    (
        "soft_label",
        soft_label,
        MAPS,
        MAPS,
        {"axis": 1, "student_temperature": 2.0, "teacher_temperature": 3.0},
    ),
    ("relative_l2", relative_l2, MAPS, MAPS, {}),
    ("cosine", cosine, [(4, 7)], [(4, 7)], {}),
    ("cosine", cosine, MAPS, MAPS, {"axis": 1}),
    ("channel_kl", channel_kl, MAPS, MAPS, {}),
    ("channel_kl", channel_kl, [(2, 3, 9)], [(2, 3, 9)], {"temperature": 4.0}),
    ("binary_kl", binary_kl, MAPS, MAPS, {}),
    ("binary_kl", binary_kl, [(4, 7)], [(4, 7)], {"temperature": 2.0}),
    ("fsp", fsp, [(2, 3, 4, 4), (2, 5, 4, 4)], [(2, 3, 6, 6), (2, 5, 6, 6)], {}),
    ("yolo_fine_grained", yolo_fine_grained, HEAD, HEAD, {}),
]


def run(build, student, teacher):
    """The loss, the student's gradients, and the names of the teacher's (there should be none)."""
    paddle = pytest.importorskip("paddle")
    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program):
        sides = []
        for side, arrays in (("student", student), ("teacher", teacher)):
            found = [
                # H and W are unknown in real programs
                paddle.static.data(
                    f"{side}{i}", [-1, *a.shape[1:2], *[-1] * (a.ndim - 2)], "float64"
                )
                for i, a in enumerate(arrays)
            ]
            for variable in found:
                variable.stop_gradient = False
            sides.append(found)
        loss = build(sides[0], sides[1])
        reached = paddle.static.gradients([loss], sides[0])
        beyond = [
            n for n in program.global_block().vars if n.startswith("teacher") and "@GRAD" in n
        ]
    feed = {f"student{i}": a for i, a in enumerate(student)} | {
        f"teacher{i}": a for i, a in enumerate(teacher)
    }
    fetched = paddle.static.Executor(paddle.CPUPlace()).run(
        program, feed=feed, fetch_list=[loss, *reached]
    )
    return fetched[0], fetched[1:], beyond


def numeric_gradient(reference, student, teacher, which, place, step=1e-6):
    moved = []
    for sign in (1, -1):
        arrays = [a.copy() for a in student]
        arrays[which][place] += sign * step
        moved.append(reference(arrays, teacher))
    return (moved[0] - moved[1]) / (2 * step)


@pytest.mark.parametrize(("name", "reference", "student", "teacher", "options"), CASES)
def test_value_and_gradient(name, reference, student, teacher, options):
    rng = np.random.default_rng(3)
    s = [rng.normal(size=shape) for shape in student]
    t = [rng.normal(size=shape) for shape in teacher]
    loss = find_loss(name)
    value, gradients, beyond = run(lambda a, b: loss.build(a, b, **options), s, t)
    assert np.shape(value) == ()
    assert float(value) == pytest.approx(reference(s, t, **options), rel=1e-9)
    assert beyond == []
    assert len(gradients) == len(s)
    for which, gradient in enumerate(gradients):
        for place in [tuple(rng.integers(size) for size in s[which].shape) for _ in range(4)]:
            expected = numeric_gradient(lambda a, b: reference(a, b, **options), s, t, which, place)
            assert gradient[place] == pytest.approx(expected, rel=1e-4, abs=1e-8)


FIT_ANY = ("relative_l2", "cosine", "channel_kl", "binary_kl")


@pytest.mark.parametrize("name", FIT_ANY)
def test_equal_features_cost_nothing_and_pull_nowhere(name):
    same = [np.random.default_rng(2).normal(size=(2, 6, 4, 5))]
    value, gradients, _ = run(find_loss(name).build, same, same)
    assert float(value) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(gradients[0], 0, atol=1e-12)


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e6])
@pytest.mark.parametrize("name", ["relative_l2", "cosine"])
def test_the_unit_of_a_feature_changes_nothing(name, unit):
    rng = np.random.default_rng(4)
    s, t = rng.normal(size=(2, 6, 4, 5)), rng.normal(size=(2, 6, 4, 5))
    build = find_loss(name).build
    expected, _, _ = run(build, [s], [t])
    value, gradients, _ = run(build, [s * unit], [t * unit])
    assert float(value) == pytest.approx(float(expected), rel=1e-9)
    assert np.abs(gradients[0]).max() > 0


@pytest.mark.parametrize("name", FIT_ANY)
def test_features_of_zeros_and_of_huge_numbers_stay_finite(name):
    zeros, huge = [np.zeros((2, 6, 4, 5))], [np.full((2, 6, 4, 5), 1e5)]
    for s, t in ((zeros, zeros), (huge, zeros), (zeros, huge), (huge, [-huge[0]])):
        value, gradients, _ = run(find_loss(name).build, s, t)
        assert np.isfinite(value).all() and np.isfinite(gradients[0]).all()


def test_binary_kl_takes_probabilities_where_told():
    rng = np.random.default_rng(5)
    s, t = (rng.uniform(0.01, 0.99, (2, 6, 4, 5)) for _ in range(2))
    build = find_loss("binary_kl").build
    value, gradients, _ = run(lambda a, b: build(a, b, logits=False), [s], [t])
    assert float(value) == pytest.approx(binary_kl([s], [t], logits=False), rel=1e-9)
    assert np.sign(gradients[0]) == pytest.approx(np.sign(s - t))
    certain = [np.ones((2, 6, 4, 5))], [np.zeros((2, 6, 4, 5))]
    value, gradients, _ = run(lambda a, b: build(a, b, logits=False), *certain)
    assert np.isfinite(value).all() and np.isfinite(gradients[0]).all()


def test_custom_is_the_users_expression(tmp_path, monkeypatch):
    (tmp_path / "loss_of_mine.py").write_text(
        "import paddle\n"
        "def power(t, s, exponent):\n    return paddle.mean((t - s) ** exponent)\n"
        "def wide(t, s):\n    return t - s\n"
        "def none(t, s):\n    return 3.0\n"
        "def broken(t, s):\n    raise KeyError('gone')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    rng = np.random.default_rng(1)
    s, t = [rng.normal(size=(2, 3))], [rng.normal(size=(2, 3))]
    build = find_loss("custom").build
    value, _, beyond = run(lambda a, b: build(a, b, code="loss_of_mine:power", exponent=4), s, t)
    assert float(value) == pytest.approx(((t[0] - s[0]) ** 4).mean())
    assert beyond == []
    for name, said in (("wide", "one element"), ("none", "float"), ("broken", "gone")):
        with pytest.raises(UsageError, match=said):
            run(lambda a, b, n=name: build(a, b, code=f"loss_of_mine:{n}"), s, t)
