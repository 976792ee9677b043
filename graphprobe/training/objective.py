"""What the student learns beside its own task: the pairs of a config as terms of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import paddle

from graphprobe.config import AUTO, PairConfig
from graphprobe.errors import Problem, UsageError, did_you_mean
from graphprobe.losses import Loss, all_losses, find_loss
from graphprobe.training.teacher.merge import PREFIX
from graphprobe.zoo import InputSpec

# What a loss is fed of a level: one number a place.
MAP = (-1, 1, -1, -1)


@dataclass(frozen=True)
class Group:
    """The pairs that one loss takes together, in the order of its inputs.

    Args:
        name: what logs call its term.
        loss: what it is built with.
        indices: of its pairs in the config.
        pairs: these.
    """

    name: str
    loss: Loss
    indices: tuple[int, ...]
    pairs: tuple[PairConfig, ...]

    @property
    def weight(self) -> float | None:
        """Its factor in the total; None where it is measured."""
        weight = self.pairs[0].weight
        return None if weight == AUTO else float(weight)

    @property
    def path(self) -> str:
        """Its place in the config."""
        return f"pairs[{self.indices[0]}]"


@dataclass(frozen=True)
class Term:
    """A group built into a program.

    Args:
        group: what it is built of.
        plain: the scalar variable of its loss.
        weighted: the same times the group's weight.
        parts: where its loss is a sum of named terms, these, weighted.
        parameters: names of its own (adapters, context blocks): trained, never exported.
        feeds: what it is fed beside the student's own inputs.
        weight: the name of the variable that holds its weight, where that is measured.
    """

    group: Group
    plain: Any
    weighted: Any
    parts: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    feeds: tuple[InputSpec, ...] = ()
    weight: str | None = None


def group_pairs(pairs: Sequence[PairConfig]) -> tuple[list[Group], list[Problem]]:
    """Gather pairs by loss; a loss of several inputs takes the pairs that share ``part``'s head.

    ``part`` is ``input`` or ``group.input``, as ``0.x`` for the x of the first scale.

    Returns:
        the groups, and what keeps pairs from forming one.
    """
    problems: list[Problem] = []
    gathered: dict[tuple[str, str], list[int]] = {}
    for index, pair in enumerate(pairs):
        try:
            single = len(find_loss(pair.loss).inputs) == 1
        except UsageError:
            hint = did_you_mean(pair.loss, all_losses()) or f"known are {', '.join(all_losses())}"
            problems.append(Problem(f"pairs[{index}].loss", f"no loss {pair.loss!r}; {hint}"))
            continue
        key = f"#{index}" if single else pair.part.rpartition(".")[0]
        gathered.setdefault((pair.loss, key), []).append(index)
    groups = []
    count: dict[str, int] = {}
    for (name, _), indices in gathered.items():
        number = count[name] = count.get(name, -1) + 1
        group, wrong = _group(f"{name}.{number}", find_loss(name), indices, pairs)
        groups += group
        problems += wrong
    return groups, problems


def _group(
    name: str, loss: Loss, indices: list[int], pairs: Sequence[PairConfig]
) -> tuple[list[Group], list[Problem]]:
    if len(loss.inputs) > 1:
        by_part = {pairs[i].part.rpartition(".")[2]: i for i in indices}
        if sorted(by_part) != sorted(loss.inputs) or len(indices) != len(loss.inputs):
            text = f"{loss.name} needs the parts {', '.join(loss.inputs)}, each once"
            return [], [Problem(f"pairs[{indices[0]}].part", f"{text}, not {', '.join(by_part)}")]
        indices = [by_part[part] for part in loss.inputs]
    chosen = tuple(pairs[i] for i in indices)
    for key in ("weight", "options"):
        if any(getattr(pair, key) != getattr(chosen[0], key) for pair in chosen):
            return [], [Problem(f"pairs[{indices[0]}].{key}", "differs within one loss")]
    return [Group(name, loss, tuple(indices), chosen)], []


def group_problems(group: Group, student: Any, teacher: Any) -> list[Problem]:
    """What keeps a group from being built: names that are not there, shapes, options.

    Args:
        student: its paddle program.
        teacher: its paddle program, before a merge.
    """
    missing = [
        Problem(f"pairs[{index}].{side}", _missing(name, side, program))
        for index, pair in zip(group.indices, group.pairs, strict=True)
        for side, name, program in (
            ("student", pair.student, student),
            ("teacher", pair.teacher, teacher),
        )
        if not program.global_block().has_var(name)
    ]
    if missing:
        return missing
    students = [_adapted(pair, _shape(student, pair.student)) for pair in group.pairs]
    teachers = [_shape(teacher, pair.teacher) for pair in group.pairs]
    wrong = [Problem(group.path, text) for text in group.loss.check(students, teachers)]
    return wrong + list(_option_problems(group)) + list(_adapter_problems(group, student, teacher))


def _missing(name: str, side: str, program: Any) -> str:
    block = program.global_block()
    hint = did_you_mean(name, block.vars)
    if name.startswith(PREFIX) and block.has_var(name[len(PREFIX) :]):
        hint = f"write {name[len(PREFIX) :]}, without the prefix that a merge adds"
    return f"the {side} has no variable {name!r}" + (f"; {hint}" if hint else "")


def _shape(program: Any, name: str) -> tuple[int, ...]:
    return tuple(program.global_block().var(name).shape)


def _adapted(pair: PairConfig, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A student's shape after its adapter; sizes that are known only in the run are -1."""
    if pair.adapter is None or len(shape) != 4:
        return shape
    height, width = (-1, -1) if pair.adapter.resize else shape[2:]
    return shape[0], pair.adapter.out_channels, height, width


def _adapter_problems(group: Group, student: Any, teacher: Any) -> Iterator[Problem]:
    for index, pair in zip(group.indices, group.pairs, strict=True):
        if pair.adapter is None:
            continue
        for name, program, want in (
            (pair.student, student, pair.adapter.in_channels),
            (pair.teacher, teacher, pair.adapter.out_channels),
        ):
            shape = _shape(program, name)
            if len(shape) != 4 or shape[1] != want:
                text = f"{name} is {list(shape)}, the adapter is for [N, {want}, H, W]"
                yield Problem(f"pairs[{index}].adapter", text)


def _option_problems(group: Group) -> Iterator[Problem]:
    for index, pair in zip(group.indices, group.pairs, strict=True):
        for key in pair.options:
            if key not in group.loss.options and not group.loss.needs_code:
                known = ", ".join(group.loss.options) or "it has none"
                hint = did_you_mean(key, group.loss.options) or f"known are: {known}"
                yield Problem(f"pairs[{index}].options.{key}", f"{group.loss.name}: {hint}")
        for key, usual in group.loss.options.items():
            wrong = _wrong_value(pair.options.get(key, usual), usual, key)
            if wrong and not group.loss.needs_code:
                yield Problem(f"pairs[{index}].options.{key}", f"{group.loss.name}: {wrong}")
        if group.loss.needs_code and pair.code is None:
            yield Problem(f"pairs[{index}].code", f"{group.loss.name} needs module:function")


def _wrong_value(value: Any, usual: Any, key: str) -> str:
    """Why an option cannot have a value; empty where it can."""
    if isinstance(usual, bool):
        return "" if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if isinstance(usual, int) and (isinstance(value, bool) or not isinstance(value, int)):
        return f"must be a whole number, not {value!r}"
    if isinstance(usual, float) and (
        isinstance(value, bool) or not isinstance(value, (int, float))
    ):
        return f"must be a number, not {value!r}"
    if key == "stride" and value < 1:
        return "must be the pixels of the input that a place stands for, as 8"
    return ""


def add_term(group: Group, program: Any, startup: Any) -> Term:
    """Build one group into the merged program.

    Args:
        group: without problems.
        program: the student's, with the teacher merged in.
        startup: takes the first values of adapters and other parameters of the loss.
    """
    block = program.global_block()
    before = {parameter.name for parameter in program.all_parameters()}
    options = _options(group)
    with (
        paddle.static.program_guard(program, startup),
        paddle.utils.unique_name.guard(f"{group.name}_"),
    ):
        teachers = [block.var(PREFIX + pair.teacher) for pair in group.pairs]
        students = []
        for index, pair, target in zip(group.indices, group.pairs, teachers, strict=True):
            x = block.var(pair.student)
            if pair.adapter is not None:
                x = _adapt(x, pair, target, index)
            students.append(x)
        feeds = [(name, MAP, "float32") for name in group.loss.targets(options)]
        if feeds:
            options["targets"] = [_declare(program, feed) for feed in feeds]
        built = group.loss.build(students, teachers, **options)
        named = built if isinstance(built, dict) else {}
        plain = paddle.add_n([term.reshape([]) for term in named.values()]) if named else built
        weight = group.weight if group.weight is not None else _weight(f"{group.name}_weight")
        weighted = _weighted(plain, weight)
        parts = {name: _weighted(term, weight) for name, term in named.items()}
    after = [parameter.name for parameter in program.all_parameters()]
    own = tuple(name for name in after if name not in before)
    held = None if isinstance(weight, float) else weight.name
    return Term(group, plain, weighted, parts, own, tuple(feeds), held)


def _weight(name: str) -> Any:
    """A number of the scope: zero until it is measured, so that the first step is the task's."""
    made = paddle.static.create_global_var([1], 0.0, "float32", persistable=True, name=name)
    made.stop_gradient = True
    return made


def _weighted(loss: Any, weight: Any) -> Any:
    """A scalar times a number, or times a variable of the scope."""
    loss = loss.reshape([])
    if isinstance(weight, float):
        return paddle.scale(loss, scale=weight)
    return paddle.multiply(loss, weight.reshape([]))


def _declare(program: Any, feed: InputSpec) -> Any:
    """An input of the program, which several terms may share."""
    block, (name, shape, kind) = program.global_block(), feed
    return block.var(name) if block.has_var(name) else paddle.static.data(name, shape, kind)


def _adapt(x: Any, pair: PairConfig, target: Any, index: int) -> Any:
    """1x1 convolution to the teacher's channels, then bilinear to its height and width.

    Channels that are equal stay what they are: those of logits have a meaning each.
    """
    assert pair.adapter is not None  # noqa: S101 - callers look
    if pair.adapter.in_channels != pair.adapter.out_channels:
        x = paddle.static.nn.conv2d(
            x,
            pair.adapter.out_channels,
            1,
            param_attr=paddle.ParamAttr(name=f"adapter{index}.weights"),
            bias_attr=paddle.ParamAttr(name=f"adapter{index}.bias"),
        )
    if pair.adapter.resize:
        size = paddle.shape(target)[2:4]
        x = paddle.nn.functional.interpolate(x, size=size, mode="bilinear")
    return x


def _options(group: Group) -> dict[str, Any]:
    options = {**group.loss.options, **group.pairs[0].options}
    if group.loss.needs_code:
        options["code"] = group.pairs[0].code
    return options
