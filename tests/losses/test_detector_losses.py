"""fgd and ld term by term against loops written from the papers, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphprobe.losses import fgd, find_loss, ld
from graphprobe.losses._batch_count import MARK

pytestmark = pytest.mark.paddle

Arrays = dict[str, Any]
RNG = np.random.default_rng(5)


def softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def attentions(x: Any, temperature: float) -> tuple[Any, Any]:
    """Equations 2 and 3 of arXiv 2111.11837 for one picture [C, H, W]."""
    channels, height, width = x.shape
    over_places = np.abs(x).mean(0) / temperature
    over_channels = np.abs(x).mean((1, 2)) / temperature
    places = height * width * softmax(over_places.ravel(), 0).reshape(height, width)
    return places, channels * softmax(over_channels, 0)


def context(x: Any, own: Arrays) -> Any:
    """R(F) of one picture."""
    channels = x.shape[0]
    flat = x.reshape(channels, -1)
    weight = softmax(own["key"][0] @ flat + own["key_bias"], 0)
    reduced = (flat * weight).sum(1) @ own["reduce"] + own["reduce_bias"]
    normed = (reduced - reduced.mean()) / np.sqrt(reduced.var() + 1e-5)
    active = np.maximum(normed * own["norm_scale"] + own["norm_shift"], 0)
    return x + (active @ own["expand"] + own["expand_bias"])[:, None, None]


def fgd_terms(s: Any, t: Any, inside: Any, outside: Any, own: Arrays, temperature: float) -> Arrays:
    found = dict.fromkeys(("foreground", "background", "attention", "relation"), 0.0)
    for n in range(len(s)):
        places, channels = attentions(t[n], temperature)
        own_places, own_channels = attentions(s[n], temperature)
        for c, i, j in np.ndindex(*s[n].shape):
            gap = places[i, j] * channels[c] * (s[n, c, i, j] - t[n, c, i, j]) ** 2
            found["foreground"] += gap * inside[n, 0, i, j]
            found["background"] += gap * outside[n, 0, i, j]
        found["attention"] += np.abs(own_places - places).sum()
        found["attention"] += np.abs(own_channels - channels).sum()
        gap = context(s[n], own["student"]) - context(t[n], own["teacher"])
        found["relation"] += (gap**2).sum()
    return {name: value / len(s) for name, value in found.items()}


def divergence(s: Any, t: Any, temperature: float) -> float:
    p, q = softmax(t / temperature, 0), softmax(s / temperature, 0)
    return temperature**2 * float(np.mean(p * np.log(p / q)))


def ld_terms(s: Any, t: Any, inside: Any, near: Any) -> Arrays:
    (logits, boxes), (teacher_logits, teacher_boxes) = s, t
    n_all, classes, height, width = logits.shape
    bins = boxes.shape[1] // 4
    found = dict.fromkeys(("main", "valuable", "classes"), 0.0)
    for n, i, j in np.ndindex(n_all, height, width):
        edges = sum(
            divergence(
                boxes[n, bins * e : bins * (e + 1), i, j],
                teacher_boxes[n, bins * e : bins * (e + 1), i, j],
                10.0,
            )
            for e in range(4)
        )
        score = sigmoid(logits[n, :, i, j]).max()
        found["main"] += inside[n, 0, i, j] * score * edges / 4
        found["valuable"] += near[n, 0, i, j] * edges / 16
        label = divergence(logits[n, :, i, j], teacher_logits[n, :, i, j], 2.0)
        found["classes"] += inside[n, 0, i, j] * label / max(inside.sum(), 1)
    return found


class Run:
    """A loss in a static program: its terms, its value, and the gradients of what it reads."""

    def __init__(
        self, student: list[Any], teacher: list[Any], maps: list[Any], build: Callable[..., Any]
    ) -> None:
        import paddle

        paddle.enable_static()
        self.main, startup, self.scope = (
            paddle.static.Program(),
            paddle.static.Program(),
            paddle.static.Scope(),
        )
        self.feed: Arrays = {}
        self.executor = paddle.static.Executor(paddle.CPUPlace())
        with paddle.static.program_guard(self.main, startup), paddle.utils.unique_name.guard():
            sides = [
                [self._data(f"{side}{i}", array) for i, array in enumerate(arrays)]
                for side, arrays in (("student", student), ("teacher", teacher), ("map", maps))
            ]
            self.found = build(*sides)
            self.parameters = [p.name for p in self.main.all_parameters()]
            # Losses of no shape are summed so that one call gives all gradients.
            total = paddle.add_n([value.reshape([]) for value in self.found.values()])
            pairs = paddle.static.append_backward(total)
            self.gradients = {p.name: g.name for p, g in pairs}
        block = self.main.global_block()
        self.beyond = [n for n in block.vars if n.startswith("teacher") and n.endswith("@GRAD")]
        self.read = [f"student{i}@GRAD" for i in range(len(student))]
        paddle.seed(1)
        self.executor.run(startup, scope=self.scope)

    def _data(self, name: str, array: Any) -> Any:
        import paddle

        self.feed[name] = array
        shape = [-1, array.shape[1], *[-1] * (array.ndim - 2)]
        variable = paddle.static.data(name, shape, "float64")
        variable.stop_gradient = name.startswith("map")
        return variable

    def values(self) -> Arrays:
        """name of a term -> value."""
        names = list(self.found)
        fetched = self.executor.run(
            self.main, feed=self.feed, fetch_list=list(self.found.values()), scope=self.scope
        )
        return {name: float(value) for name, value in zip(names, fetched, strict=True)}

    def fetch(self, names: list[str]) -> list[Any]:
        """Variables by name."""
        return self.executor.run(self.main, feed=self.feed, fetch_list=names, scope=self.scope)

    def own(self) -> Arrays:
        """The context blocks' parameters by side and name, set to random numbers."""
        found: Arrays = {"student": {}, "teacher": {}}
        import paddle

        for name in self.parameters:
            side, _, short = name.removeprefix("context_").rpartition("_0")[0].partition("_")
            tensor = self.scope.find_var(name).get_tensor()
            array = RNG.normal(size=tensor.shape())
            tensor.set(array, paddle.CPUPlace())
            found[side][short] = array
        return found


LEVEL = (2, 6, 4, 5)


def level() -> tuple[Any, ...]:
    """A student's level, a teacher's, and maps with a box in the first picture alone."""
    inside = np.zeros((2, 1, 4, 5))
    inside[0, 0, 1:3, 2:5] = 1 / 6
    outside = np.where(inside > 0, 0.0, 1.0)
    outside /= outside.sum((1, 2, 3), keepdims=True)
    return RNG.normal(size=LEVEL), RNG.normal(size=LEVEL), inside, outside


def test_each_term_of_fgd() -> None:
    s, t, inside, outside = level()
    run = Run(
        [s],
        [t],
        [inside, outside],
        lambda a, b, maps: fgd.terms(a[0], fgd.detach(b)[0], *maps, temperature=0.5),
    )
    expected = fgd_terms(s, t, inside, outside, run.own(), 0.5)
    assert run.values() == pytest.approx(expected, rel=1e-6)
    assert list(run.found) == list(expected)
    assert min(expected.values()) > 0


def test_fgd_weighs_its_terms_as_published_and_reaches_the_student_alone() -> None:
    s, t, inside, outside = level()
    run = Run(
        [s], [t], [inside, outside], lambda a, b, maps: find_loss("fgd").build(a, b, targets=maps)
    )
    own = run.own()

    def reference(array: Any) -> float:
        found = fgd_terms(array, t, inside, outside, own, 0.5)
        weights = (1e-3, 5e-4, 1e-3, 5e-6)
        return sum(w * v for w, v in zip(weights, found.values(), strict=True))

    assert sum(run.values().values()) == pytest.approx(reference(s), rel=1e-6)
    assert run.beyond == []
    (gradient,) = run.fetch(run.read)
    assert_gradient(gradient, reference, s)


def assert_gradient(gradient: Any, reference: Callable[[Any], float], at: Any) -> None:
    step = 1e-6
    for place in [tuple(RNG.integers(size) for size in at.shape) for _ in range(8)]:
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[place] += sign * step
            ends.append(reference(moved))
        expected = (ends[0] - ends[1]) / (2 * step)
        assert gradient[place] == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_the_context_blocks_of_fgd_train_from_where_they_start() -> None:
    """The published module starts both matrices at zero, where no gradient can leave."""
    import paddle

    s, t, inside, outside = level()
    run = Run(
        [s], [t], [inside, outside], lambda a, b, maps: find_loss("fgd").build(a, b, targets=maps)
    )
    assert len(run.parameters) == 16
    first = [np.array(run.scope.find_var(n).get_tensor()) for n in run.parameters]
    for _ in range(3):
        gradients = run.fetch([run.gradients[n] for n in run.parameters])
        for name, gradient in zip(run.parameters, gradients, strict=True):
            tensor = run.scope.find_var(name).get_tensor()
            tensor.set(np.array(tensor) - 1e4 * gradient, paddle.CPUPlace())
    still = [
        name
        for name, before in zip(run.parameters, first, strict=True)
        if np.array_equal(np.array(run.scope.find_var(name).get_tensor()), before)
    ]
    # Of a softmax, a number that is added everywhere changes nothing.
    assert still == [n for n in run.parameters if "key_bias" in n] or not still


def heads(classes: int = 5, bins: int = 7) -> list[Any]:
    return [RNG.normal(size=(2, classes, 3, 4)) * 3, RNG.normal(size=(2, 4 * bins, 3, 4)) * 3]


def regions() -> list[Any]:
    inside = (RNG.random((2, 1, 3, 4)) < 0.3).astype("float64")
    inside[0, 0, 0, 0] = 1
    return [inside, RNG.random((2, 1, 3, 4)) * (RNG.random((2, 1, 3, 4)) < 0.4) * (1 - inside)]


def test_each_term_of_ld() -> None:
    s, t, maps = heads(), heads(), regions()
    run = Run(
        s,
        t,
        maps,
        lambda a, b, c: ld.terms(a, ld.detach(b), c, temperature=10.0, class_temperature=2.0),
    )
    expected = ld_terms(s, t, *maps)
    assert run.values() == pytest.approx(expected, rel=1e-6)
    assert list(run.found) == list(expected)
    assert min(expected.values()) > 0
    (count,) = (op for op in run.main.global_block().ops if op.has_attr(MARK))
    assert (count.type, count.attr("min")) == ("clip", 1.0)  # several processes share it


def test_ld_weighs_its_terms_as_published_and_reaches_the_student_alone() -> None:
    s, t, maps = heads(), heads(), regions()
    run = Run(s, t, maps, lambda a, b, c: find_loss("ld").build(a, b, targets=c))

    def reference(student: list[Any]) -> float:
        found = ld_terms(student, t, *maps)
        return 0.25 * found["main"] + 0.25 * found["valuable"] + 10 * found["classes"]

    assert sum(run.values().values()) == pytest.approx(reference(s), rel=1e-6)
    assert run.beyond == []
    gradients = run.fetch(run.read)
    assert_gradient(gradients[1], lambda x: reference([s[0], x]), s[1])
    # The score that weighs a box is a weight, so no gradient reaches the classes through it.
    assert_gradient(gradients[0], lambda x: 10 * ld_terms([x, s[1]], t, *maps)["classes"], s[0])


def test_a_level_without_objects_teaches_nothing() -> None:
    s, t = heads(), heads()
    empty = [np.zeros((2, 1, 3, 4))] * 2
    run = Run(s, t, empty, lambda a, b, c: find_loss("ld").build(a, b, targets=c))
    assert set(run.values().values()) == {0.0}
    assert all(not gradient.any() for gradient in run.fetch(run.read))
