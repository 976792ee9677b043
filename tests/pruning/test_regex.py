"""Regexes match their names and no other, whatever the names are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.errors import GraphprobeError
from graphprobe.pruning import regex as regexes
from graphprobe.pruning.regex import NOTHING, escape, names_regex, prove, prove_literal

NASTY = st.text(alphabet="ab0._-[](){}|^$*+?\\/ \n\té卷", max_size=8)
SETS = st.lists(NASTY, min_size=1, max_size=12, unique=True)


@given(names=SETS, others=SETS, compact=st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_set_and_nothing_else(names, others, compact):
    regex = re.compile(names_regex(names, [*names, *others], compact=compact))
    for name in {*names, *others}:
        for way in (regex.match, regex.search, regex.fullmatch):
            assert (way(name) is not None) == (name in names)


@given(names=SETS)
@settings(max_examples=100, deadline=None)
def test_near_misses_do_not_match(names):
    regex = re.compile(names_regex(names, names, compact=True))
    for name in names:
        for other in (name + "x", "x" + name, name[:-1], name.replace(".", "x")):
            if not other.endswith("\n"):  # "$" also matches before a last line break
                assert (regex.search(other) is not None) == (other in names)


def test_the_plain_form_is_that_of_the_contract():
    names = ["conv1_weights", "yolo_block.0.0.0.conv.weights"]
    expected = r"^(?:conv1_weights|yolo_block\.0\.0\.0\.conv\.weights)$"
    assert names_regex(names, names) == expected


def test_compact_is_shorter_and_shares_beginnings_and_ends():
    names = [f"yolo_block.{i}.{j}.conv.weights" for i in range(3) for j in range(2)]
    compact = names_regex(names, names, compact=True)
    assert len(compact) < len(names_regex(names, names)) / 3
    assert compact.count("yolo_block") == compact.count("weights") == 1


def test_many_names_that_contain_each_other():
    names = ["a" * i for i in range(1, 600)]
    prove(names_regex(names, names, compact=True), names, ["b", "a" * 601])


def test_no_name_matches_nothing():
    assert names_regex([], ["a", ""]) == NOTHING
    prove(NOTHING, [], ["a", "", "\n"])


@pytest.mark.parametrize(("regex", "what"), [("^(?:a.c)$", "also matches"), ("^(?:b)$", "misses")])
def test_a_wrong_regex_fails_the_proof(regex, what):
    with pytest.raises(GraphprobeError, match=what):
        prove(regex, ["a.c"], ["abc", "a.c"])


@given(names=SETS, others=SETS)
@settings(max_examples=300, deadline=None)
def test_reading_a_regex_proves_what_an_engine_proves(names, others):
    regex = names_regex(names, others)
    prove_literal(map(escape, names), names)
    prove(regex, names, {*names, *others})


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("a.c", "a.c"),
        ("a|b", "a|b"),
        ("a", "b"),
        (r"\d", "d"),
        (r"\.", "x"),
        ("[a]", "a"),
        ("", "a"),
    ]
    + [("a\\", "a\\"), (r"\x41", "A"), ("a{2}", "aa"), ("$", ""), ("\n", "\n"), (r"\n", "n")],
)
def test_what_is_not_its_name_alone_is_not_taken_for_proven(part, name):
    with pytest.raises(GraphprobeError, match="misses"):
        prove_literal([part], [name])


def test_many_names_are_not_tried_one_by_one(monkeypatch):
    """An engine would try 20,000 alternatives on each of 40,000 names."""
    compiled = []
    monkeypatch.setattr(regexes, "prove", lambda *given: compiled.append(given))
    names = [f"conv2d_{i}.w_0" for i in range(20_000)]
    regex = names_regex(names, [*names, *(f"b_{i}" for i in range(20_000))])
    assert compiled == []
    assert regex.startswith(r"^(?:conv2d_0\.w_0|conv2d_1\.w_0|") and regex.endswith(")$")
    names_regex(names[:10], names)
    assert len(compiled) == 1
