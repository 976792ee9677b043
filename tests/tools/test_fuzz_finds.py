"""The fuzzer would find again what it is there to find: a fix taken out is noticed soon."""

from __future__ import annotations

import importlib
import inspect
import random
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from graphprobe.formats import add_ports, write_program
from graphprobe.ir.builder import Builder

TOOLS = str(Path(__file__).resolve().parents[2] / "tools")
COUPLED = "prune-regex {} --policy coupled -o {d}/q.yaml"


@pytest.fixture
def targets(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [TOOLS, *sys.path])
    return importlib.import_module("fuzz_targets")


def take_out(monkeypatch: pytest.MonkeyPatch, place: str, fix: str, instead: str) -> None:
    """Run a function as it was before a fix.

    Args:
        place: its module and its name in it.
        fix: what the fix has put into its source.
        instead: what stood there.
    """
    name, _, path = place.partition(":")
    module = importlib.import_module(name)
    function: Any = module
    for part in path.split("."):
        function = getattr(function, part)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(fix) == 1, f"the fix of {place} is not there any more"
    scope = dict(vars(module))
    exec(compile(source.replace(fix, instead), place, "exec"), scope)  # noqa: S102 - our own code
    monkeypatch.setattr(function, "__code__", scope[function.__name__].__code__)


ANY = slice(None)
# What is taken out (place, the fix, what stood there), of which command, the error, a chance that
# leads to it soon, and the networks to start from (None: three convolutions). Other chances take
# longer: an expand was found twice in 5,240 inputs; a core runs about 90 a second.
Fix = tuple[str, str, str]
FIXES: dict[str, tuple[tuple[Fix, ...], str, str, int, slice]] = {
    "a reshape of what has fewer axes": (
        (("graphprobe.ops.families.reshape:_after", " or layout.axis >= len(x.shape)", ""),),
        *("prune-regex {}", "IndexError", 36, ANY),
    ),
    "an expand of what has fewer axes": (
        (("graphprobe.ops.families.transpose:_expand", "not x.layout.axis < rank", "not rank"),),
        *("prune-regex {}", "IndexError", 57, slice(1)),
    ),
    "a concat with an operand that is not followed": (
        (
            (
                "graphprobe.pruning.partition:ChannelPartition._part",
                *("self._number.get(run.space)", "self._number[run.space]"),
            ),
            (
                "graphprobe.ops.families.concat:_joined",
                *('yield BlockChannels(layout, detail, "concat", port.name)', "pass"),
            ),
        ),
        *("prune-regex {}", "KeyError", 12, ANY),
    ),
    "an absurd size": (
        (("graphprobe.ops.work.count:numbers", " if -_MOST <= count <= _MOST else None", ""),),
        *("prune-regex {}", "OverflowError", 38, ANY),
    ),
    "an op without outputs": (
        (
            (
                "graphprobe.pruning.constraints:_block_nameless",
                "if not next(holder",
                "if next(holder",
            ),
        ),
        *(COUPLED, "ValidationError", 9, ANY),
    ),
    "a parameter without a name": (
        (("graphprobe.pruning.constraints:_block_nameless", "if not name:", "if False:"),),
        *(COUPLED, "ValidationError", 3, None),
    ),
    "a variable written twice": (
        (
            (
                "graphprobe.ir.dataflow:_write",
                "    flow.values.append(",
                "    known = state[home].get(name)\n"
                "    assert known is None or flow.values[known].producer is None\n"
                "    flow.values.append(",
            ),
        ),
        *("prune-regex {}", "AssertionError", 3, ANY),
    ),
}


def three_convolutions() -> bytes:
    """So few names that an empty one is drawn soon."""
    b = Builder()
    x = b.conv(b.feed("x", (-1, 3, 8, 8)), 8, name="a")
    x = b.conv(b.conv(x, 8, name="b"), 4, name="c")
    return write_program(add_ports(b.build([x])))


@pytest.mark.parametrize("fault", FIXES)
def test_a_fix_that_is_taken_out_is_found_again(
    fault: str, targets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixes, line, error, chance, start = FIXES[fault]
    for fix in fixes:
        take_out(monkeypatch, *fix)
    monkeypatch.setattr(targets, "LINES", (line,))
    rng = random.Random(chance)
    seeds = [three_convolutions()] if start is None else targets.networks()[start]
    with pytest.raises(targets.Wrong, match=error) as caught:
        for _ in range(100):
            targets.run_command(targets.mutate_program(rng.choice(seeds), rng))
    # A config and a number fail where they are used, not where the fix was.
    later = error in ("ValidationError", "OverflowError")
    assert later or any(fix[0] in str(caught.value) for fix in fixes)
