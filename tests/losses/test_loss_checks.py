"""What losses say of shapes, and how user code is found; no paddle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from graphprobe.errors import UsageError
from graphprobe.losses import all_losses, find_loss
from graphprobe.losses.custom import find_function


def test_the_names_are_pinned():
    plain = ["binary_kl", "channel_kl", "cosine", "custom"]
    others = ["fgd", "fsp", "l2", "ld", "relative_l2", "soft_label", "yolo_fine_grained"]
    assert list(all_losses()) == plain + others


def test_unknown_loss_gets_a_hint():
    with pytest.raises(UsageError, match="soft_label"):
        find_loss("soft_labels")


@pytest.mark.parametrize(
    "name", ["l2", "soft_label", "relative_l2", "cosine", "channel_kl", "binary_kl"]
)
def test_unknown_sizes_fit_any(name):
    check = find_loss(name).check
    assert check([(-1, 75, -1, -1)], [(-1, 75, 13, 13)]) == []
    assert check([(-1, 75, 13, 13)], [(-1, 60, 13, 26)]) == [
        "student [-1, 75, 13, 13], teacher [-1, 60, 13, 26]: different in dimension "
        "1 (75 and 60), 3 (13 and 26)"
    ]
    assert "4 and 2 dimensions" in check([(1, 2, 3, 4)], [(1, 2)])[0]


def test_soft_label_wants_classes():
    assert find_loss("soft_label").check([(8,)], [(8,)]) != []


def test_what_a_loss_cannot_tell_apart_is_said():
    flat, one = [(-1, 8)], [(-1, 1)]
    assert "no positions" in find_loss("channel_kl").check(flat, flat)[0]
    pooled = [(-1, 8, 1, 1)]
    assert "always 0" in find_loss("channel_kl").check(pooled, pooled)[0]
    assert "no direction" in find_loss("cosine").check(one, one)[0]
    assert "no direction" in find_loss("cosine").check([(-1, 1, 8, 8)], [(-1, 1, 8, 8)])[0]
    assert find_loss("binary_kl").check(one, one) == []
    assert find_loss("cosine").check([()], [()]) != []


def test_fsp_needs_equal_channels_across_and_equal_places_along():
    check = find_loss("fsp").check
    start, end = (-1, 8, 32, 32), (-1, 16, 32, 32)
    assert check([start, end], [(-1, 8, 64, 64), (-1, 16, 64, 64)]) == []
    assert check([start, (-1, 16, 16, 16)], [start, end]) == [
        "student: start [-1, 8, 32, 32] and end [-1, 16, 16, 16] differ in H or W"
    ]
    assert check([start, end], [start, (-1, 12, 32, 32)]) == [
        "end: student has 16 channels, teacher 12"
    ]
    assert len(check([(1, 2), end], [start, (3,)])) == 2


def test_fine_grained_names_the_part():
    check = find_loss("yolo_fine_grained").check
    parts = [(-1, 3, -1, -1)] * 5 + [(-1, 3, -1, -1, 20)]
    assert check(parts, parts) == []
    other = [*parts[:5], (-1, 3, -1, -1, 80)]
    assert check(parts, other)[0].startswith("class: student")
    flat = [*parts[:5], (-1, 3, -1, -1)]
    assert len(check(flat, flat)) == 2
    odd = [*parts[:5], (-1, 6, -1, -1, 20)]
    assert "does not fit" in check(odd, odd)[0]
    assert "differ in dimensions" in check([(1, 2), *parts[1:]], [(1, 2), *parts[1:]])[0]


def test_fgd_wants_equal_levels():
    check = find_loss("fgd").check
    assert check([(-1, 256, -1, -1)], [(-1, 256, 8, 8)]) == []
    assert "different in dimension 1" in check([(-1, 128, -1, -1)], [(-1, 256, -1, -1)])[0]
    assert "[N, C, H, W]" in check([(-1, 256)], [(-1, 256)])[0]
    assert "known channels" in check([(-1, -1, 8, 8)], [(-1, 256, 8, 8)])[0]


def test_ld_wants_four_edges_beside_the_classes():
    check = find_loss("ld").check
    scores, bins = (-1, 80, -1, -1), (-1, 68, -1, -1)
    assert check([scores, bins], [scores, bins]) == []
    assert "not those of 4 edges" in check([scores, (-1, 66, 8, 8)], [scores, (-1, 66, 8, 8)])[0]
    assert check([scores, bins], [(-1, 20, -1, -1), bins])[0].startswith("class: student")
    apart = [(-1, 80, 8, 8), (-1, 68, 4, 4)]
    assert "differ in H or W" in check(apart, apart)[0]
    assert "[N, C, H, W]" in check([scores, (-1, 68)], [scores, (-1, 68)])[0]


def test_targets_are_named_by_stride():
    assert find_loss("fgd").targets({"stride": 8}) == ("fgd_fg_8", "fgd_bg_8")
    assert find_loss("ld").targets({"stride": 128}) == ("ld_main_128", "ld_valuable_128")
    assert find_loss("l2").targets({}) == ()


def test_losses_are_listed_without_paddle():
    code = (
        "import sys; sys.modules['paddle'] = None; from graphprobe.losses import all_losses;"
        "print(len(all_losses()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("11", 0), done.stderr


@pytest.fixture
def user_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_own_losses.py").write_text("def cosine(t, s):\n    return t\nfour = 4\n")
    (tmp_path / "my_bad_losses.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return "my_own_losses"


def test_a_function_of_the_current_folder_is_found(user_module):
    assert find_function(f"{user_module}:cosine")(1, 2) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "not module:function"),
        ("my_own_losses", "not module:function"),
        ("nowhere_at_all:f", "cannot be imported"),
        ("my_bad_losses:f", "ZeroDivisionError"),
        ("my_own_losses:cosin", "did you mean cosine"),
        ("my_own_losses:four", "not a function"),
    ],
)
def test_bad_code_is_one_line(user_module, code, said):
    with pytest.raises(UsageError, match=said) as caught:
        find_function(code)
    assert "\n" not in str(caught.value)
