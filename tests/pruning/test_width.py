"""Wide programs: what the search costs is counted in steps, which grow with the program."""

from __future__ import annotations

import pytest

from graphprobe.errors import UsageError
from graphprobe.ir.builder import Builder
from graphprobe.pruning import channel_walk, paths
from graphprobe.pruning.constraints import find_channels
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.groups import prune_groups


def start():
    b = Builder()
    return b, b.conv(b.feed("image", (-1, 3, 8, 8)), 8, name="a")


def ended(b, x):
    b.op("fetch", {"X": b.conv(x, 4, name="z")}, {"Out": "fetch"})
    return b.build()


def fan(n):
    b, x = start()
    parts = [b.conv(x, 8) for _ in range(n)]
    return ended(b, b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 8 * n, 8, 8)))


def fan_of_one_value(n):
    b, x = start()
    parts = [b.op("relu", {"X": x}, shape=(-1, 8, 8, 8)) for _ in range(n)]
    return ended(b, b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 8 * n, 8, 8)))


def split(n):
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4 * n, name="a")
    parts = [b.var(f"part{i}", (-1, 4, 8, 8)) for i in range(n)]
    b.op("split", {"X": x}, {"Out": parts}, {"axis": 1, "num": n})
    parts = [b.op("elementwise_add", {"X": part, "Y": b.conv(part, 4)}, shape=(-1, 4, 8, 8))
             for part in parts]  # fmt: skip
    return ended(b, b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 4 * n, 8, 8)))


def concat_of_concats(n):
    b, x = start()
    image = b.feed("other", (-1, 3, 8, 8))
    for i in range(n):
        pair, channels = [x, b.conv(image, 4)], 12 + 4 * i
        x = b.op("concat", {"X": pair}, attrs={"axis": 1}, shape=(-1, channels, 8, 8))
    return ended(b, x)


def ranges(found):
    return sum(len(layout.runs) for layout in found.layouts if layout is not None)


@pytest.mark.parametrize("shape", [fan, fan_of_one_value, split])
def test_twice_as_wide_takes_twice_the_steps(shape):
    small, large = (find_prunable(shape(n), "coupled") for n in (200, 400))
    assert ranges(large.channels) < 2.1 * ranges(small.channels)
    assert large.partition.steps < 2.5 * max(small.partition.steps, 100)


def test_what_joins_everything_is_followed_up_to_a_bound_and_the_rest_is_said(monkeypatch):
    monkeypatch.setattr(channel_walk, "_SOME_RANGES", 2_000)
    monkeypatch.setattr(channel_walk, "_RANGES_AN_OP", 4)
    program = concat_of_concats(300)
    found = find_channels(program)
    # Without a bound: 300 * 301 / 2. Short lists (64 at most) are not taken from the budget.
    assert ranges(found) < 2_000 + (4 + 64) * len(program.ops)
    rows = find_prunable(program, "coupled").decisions
    blocked = [d for d in rows if d.status == "blocked" and d.param != "z.w_0"]
    assert blocked and {d.reason for d in blocked} == {"concat"}
    assert all("too many layers" in d.detail for d in blocked)
    assert all(d.at is not None and d.at.type == "concat" for d in blocked)


def test_ways_beyond_a_number_of_steps_keep_their_ends(monkeypatch):
    monkeypatch.setattr(paths, "_SOME_STEPS", 1_000)
    monkeypatch.setattr(paths, "_STEPS_AN_OP", 0)
    b, x = start()
    for _ in range(200):
        x = b.op("relu", {"X": x}, shape=(-1, 8, 8, 8))
    x = b.op("lrn", {"X": x}, shape=(-1, 8, 8, 8))
    y = b.conv(b.feed("other", (-1, 3, 8, 8)), 8, name="b")
    for _ in range(200):
        y = b.op("relu", {"X": y}, shape=(-1, 8, 8, 8))
    y = b.op("lrn", {"X": y}, shape=(-1, 8, 8, 8))
    program = ended(b, b.op("elementwise_add", {"X": x, "Y": y}, shape=(-1, 8, 8, 8)))
    rows = {d.param: d for d in find_prunable(program, "coupled").decisions}
    assert len(rows["a.w_0"].path) > 50
    assert rows["b.w_0"].path == ("b.tmp_0", "...", "lrn_1.tmp_0")
    assert rows["b.w_0"].at is not None and rows["b.w_0"].at.type == "lrn"


def residual(n):
    b, x = start()
    for i in range(n):
        way = b.op("relu", {"X": b.conv(x, 8, name=f"c{i}")}, shape=(-1, 8, 8, 8))
        x = b.op("elementwise_add", {"X": x, "Y": way}, shape=(-1, 8, 8, 8))
    return ended(b, x)


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
@pytest.mark.parametrize("shape", [fan, fan_of_one_value, split, concat_of_concats, residual])
def test_ways_found_around_a_layer_are_those_of_the_whole_search(shape, policy, monkeypatch):
    program = shape(30)
    near = find_prunable(program, policy)
    monkeypatch.setattr(paths, "_NEAR", 0)
    whole = find_prunable(program, policy)
    assert near.decisions == whole.decisions
    assert any(d.path for d in near.decisions)


def test_a_layer_next_to_what_stops_it_is_not_searched_from_all_else_that_does(monkeypatch):
    looked, starts = [], paths.Paths._starts

    def counted(self, index, goal):
        looked[-1] += 1
        return starts(self, index, goal)

    monkeypatch.setattr(paths.Paths, "_starts", counted)
    for n in (100, 200):
        looked.append(0)
        find_prunable(concat_of_concats(n), "seeds")
    assert looked[1] < 2.2 * looked[0]


def test_channels_that_a_file_repeats_without_end_are_refused_in_a_line() -> None:
    b, x = start()
    for _ in range(40):  # each a filter of other channels, repeated 65,536 times
        x = b.conv(x, 8)
        blocks = b.op("space_to_depth", {"X": x}, attrs={"blocksize": 256}, shape=(-1, 2**19, 8, 8))
        x = b.conv(blocks, 8)
    found = find_prunable(ended(b, x), "coupled")
    with pytest.raises(UsageError, match=r"more than 2,097,152 places, up to .*; keep what"):
        prune_groups(found)


def test_a_split_into_thousands_is_written_down_once_a_part() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 12_000, name="a")
    parts = [b.var(f"part{i}", (-1, 4, 8, 8)) for i in range(3000)]
    b.op("split", {"X": x}, {"Out": parts}, {"axis": 1, "num": 3000})
    joined = b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 12_000, 8, 8))
    found = find_prunable(ended(b, joined), "coupled")
    (group,) = prune_groups(found)
    counted = [attr.index for part in group.parts for attr in part.attrs if attr.attr == "sections"]
    assert sorted(counted) == list(range(3000))
