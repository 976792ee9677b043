"""An operator that the table lacks is reported by all that it can mislead."""

from __future__ import annotations

import pytest

import graphprobe
from graphprobe.api.draw import draw
from graphprobe.api.findings import gather
from graphprobe.api.variables import list_variables
from graphprobe.drawing.figures import size_text
from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ops.work.count import network_size
from graphprobe.programs import LoadedProgram
from graphprobe.pruning.decisions import find_prunable


def with_an_unknown_op() -> Program:
    b = Builder()
    slots = {"Input": b.feed("image", (-1, 3, 32, 32)), "Filter": b.param("w", (8, 3, 3, 3))}
    x = b.op("conv2d", slots, {"Output": "c"}, {"paddings": (1, 1)}, (-1, 8, 32, 32))
    x = b.op("my_own_op", {"X": x}, {"Out": "y"}, {}, (-1, 8, 32, 32))
    last = {"Input": x, "Filter": b.param("v", (4, 8, 1, 1))}
    return b.build([b.op("conv2d", last, {"Output": "z"}, {}, (-1, 4, 32, 32))])


def test_drawings_prune_regex_and_multiply_adds_say_so():
    program = with_an_unknown_op()
    found = gather(LoadedProgram("net", program), None)
    assert list(found.messages) == ["net: operators that are not known: my_own_op (1)"]
    row = find_prunable(program, "coupled").decisions[0]
    assert (row.status, row.reason) == ("blocked", "unsupported_op")
    size = network_size(program)
    assert size.flops == 32 * 32 * 8 * 27
    assert size.uncounted == (
        "conv2d (1): its sizes are not known",
        "my_own_op (1): the operator is not known",
    )
    assert "more than" in size_text(size)
    assert list(gather(LoadedProgram("net", program), LoadedProgram("other", program)).messages)


def test_the_list_of_variables_and_a_diff_say_so():
    program = with_an_unknown_op()
    known = "operators that are not known: my_own_op (1)"
    before, after = LoadedProgram("old", program), LoadedProgram("new", with_an_unknown_op())
    assert list_variables(before, teacher=after).warnings == (f"old: {known}", f"new: {known}")
    assert draw(before, diff=after).warnings == (f"old: {known}", f"new: {known}")


def test_a_selection_says_so_of_operators_that_no_channels_reach():
    """An unknown convolution, read by nothing that is followed, has no row."""
    b = Builder()
    image = b.feed("image", (-1, 3, 32, 32))
    slots = {"Input": image, "Filter": b.param("w", (8, 3, 3, 3))}
    x = b.op("unknown_conv", slots, {"Output": "y"}, {}, (-1, 8, 32, 32))
    program = b.build([b.conv(x, 4, name="last"), b.conv(b.conv(image, 4, name="a"), 4, name="b")])
    found = graphprobe.find_prunable(LoadedProgram("net", program))
    assert found.unsupported_ops == {}
    assert found.warnings == ("net: operators that are not known: unknown_conv (1)",)


def test_findings_of_another_program_are_refused():
    def net(width: int) -> LoadedProgram:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, 32, 32)), width, name="a")
        return LoadedProgram(f"net{width}", b.build([b.conv(x, 4, name="b")]))

    one, two = net(8), net(16)
    prune, pairs = graphprobe.find_prunable(one), graphprobe.find_pairs(one, two)
    assert draw(net(8), prune=prune).warnings == ()
    assert draw(one, teacher=two, pairs=pairs).warnings == ()
    for words in (
        {"prune": prune},
        {"pairs": pairs},
        {"teacher": two, "pairs": pairs},
    ):
        with pytest.raises(UsageError, match="was found for net8, not for net16"):
            draw(two, **words)
    with pytest.raises(UsageError, match="was found for net16, not for net8"):
        draw(one, teacher=one, pairs=pairs)


def test_without_one_nothing_is_said():
    b = Builder()
    slots = {"Input": b.feed("image", (-1, 3, 32, 32)), "Filter": b.param("w", (8, 3, 3, 3))}
    out = b.op("conv2d", slots, {"Output": "c"}, {"paddings": (1, 1)}, (-1, 8, 32, 32))
    loaded = LoadedProgram("net", b.build([out]))
    assert list_variables(loaded).warnings == draw(loaded, diff=loaded).warnings == ()
