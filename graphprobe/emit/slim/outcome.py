"""What becomes of each filter of a choice in PaddleSlim: cut, left whole, or an error.

Its walk is held against the group: it must cut the same axes of the same parameters, each by the
same share. Where it cuts less or more, the network does not run any more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from graphprobe.emit.slim.steps import Fails, NotFollowed
from graphprobe.emit.slim.walk import Cut, SlimWalk, positions
from graphprobe.ir import Program
from graphprobe.ops.channels.layout import Space
from graphprobe.ops.kinds import is_convolution, is_linear, move_of
from graphprobe.pruning.plan import PrunedAttr, PruneGroup
from graphprobe.pruning.ratios import PruneChoice

_Sizes: TypeAlias = dict[Space, int]


class Outcomes(NamedTuple):
    """What PaddleSlim does not do as it is chosen.

    Args:
        left: filters that it leaves whole -> the type of the op that it follows nothing through.
        failing: filters on which it ends in an error, or leaves a network that does -> why.
    """

    left: dict[str, str]
    failing: dict[str, str]


def slim_outcomes(choice: PruneChoice) -> Outcomes:
    """Follow each filter as PaddleSlim 2.6 does."""
    program = choice.found.channels.program
    walk, found = SlimWalk(program), Outcomes({}, {})
    parameters = {var.name for var in program.parameters}
    linears = {d.param for d in choice.found.linears}
    for group in choice.groups:
        name = group.leader
        if name in found.left or name in found.failing:
            continue
        if name in linears:
            found.left[name] = "fully connected layers"
            continue
        try:
            cuts = walk.cuts(name)
            if not cuts:
                reader = walk.first_reader(name)
                raise NotFollowed("" if reader is None else reader.type)
            why = _differs(program, parameters, walk, group, cuts)
        except NotFollowed as stop:
            found.left[name] = str(stop)
        except Fails as error:
            found.failing[name] = f"it ends in an error at {error}"
        else:
            if why:
                found.failing[name] = why
    return found


def _differs(
    program: Program,
    parameters: set[str],
    walk: SlimWalk,
    group: PruneGroup,
    cuts: Iterable[Cut],
) -> str:
    """Why a network does not run once this is cut; empty where it does."""
    cuts = list(cuts)
    wanted = _sizes(group)
    size = (program.shape(group.leader) or (0,))[0]
    if (group.leader, 0) not in {(cut.var, cut.axis) for cut in cuts}:
        return "their filters are computed"
    removed, grouped = _removed(size, group.ratio, cuts)
    gone: dict[Space, set[int]] = defaultdict(set)
    for cut in cuts:
        gone[cut.var, cut.axis] |= positions(removed, cut.changes, grouped=grouped)
    taken = {at: len(lost) for at, lost in gone.items() if at[0] in parameters and lost}
    shares = {at: number * len(removed) for at, number in wanted.items()}
    found = {at: number * size for at, number in taken.items()}
    wrong = sorted(at for at in {*shares, *found} if shares.get(at) != found.get(at))
    if any(cut.changes and cut.var == at[0] and _flat(cut) for at in wrong for cut in cuts):
        return "behind flatten it takes one row a channel out of the fully connected layer"
    if wrong:
        return "it does not cut all that goes with them"
    if any(not _counts(program, walk, attr) for part in group.parts for attr in part.attrs):
        return "it leaves constants of reshapes that count their channels"
    if any(_groups_after(cut, taken) != _wanted_groups(group, cut, len(removed)) for cut in cuts):
        return "it miscounts the groups of a convolution"
    return ""


def _groups_after(cut: Cut, taken: _Sizes) -> int:
    """The groups of a convolution as PaddleSlim counts them, from the filters that go."""
    groups = cut.op.get_int("groups", 1)
    if groups <= 1 or cut.var != cut.op.input("Filter") or not cut.each:
        return groups
    return int((groups * cut.each - taken.get((cut.var, cut.axis), 0)) / cut.each)


def _wanted_groups(group: PruneGroup, cut: Cut, removed: int) -> int:
    groups = cut.op.get_int("groups", 1)
    if groups <= 1 or cut.var != cut.op.input("Filter") or not cut.each:
        return groups
    less = sum(
        attr.each * removed * part.channels // max(group.channels, 1)
        for part in group.parts
        for attr in part.attrs
        if attr.attr == "groups" and attr.output in cut.op.output_names()
    )
    return groups - less


def _sizes(group: PruneGroup) -> _Sizes:
    """How many positions of each axis of a parameter belong to the channels of a group."""
    found: Counter[Space] = Counter()
    for part in group.parts:
        for axis in part.axes:
            for name in axis.params:
                found[name, axis.axis] += part.channels * axis.width
    return dict(found)


def _removed(size: int, ratio: float, cuts: Iterable[Cut]) -> tuple[range, bool]:
    """Which channels go (the first ones stand for any), and whether whole groups do."""
    groups = max((cut.op.get_int("groups", 1) for cut in cuts), default=1)
    if groups <= 1:
        return range(min(round(size * ratio), size - 1)), False
    if size % groups:
        raise Fails("groups")
    return range(min(round(groups * ratio), groups - 1) * (size // groups)), True


def _flat(cut: Cut) -> bool:
    return is_linear(cut.op.type) and any(change.kind == "stride" for change in cut.changes)


def _counts(program: Program, walk: SlimWalk, attr: PrunedAttr) -> bool:
    """Whether PaddleSlim changes an attribute: the groups of convolutions, shapes of biases."""
    if is_convolution(attr.op):
        return attr.attr == "groups"
    if move_of(attr.op) != "reshape":
        return False
    reshapes = (op for op in walk.writers(attr.output) if op.type == attr.op)
    return any(_is_vector(program, op.input("X") or "") for op in reshapes)


def _is_vector(program: Program, name: str) -> bool:
    var = program.var(name)
    return var is not None and var.persistable and len(var.shape or ()) == 1
