"""list_variables, find_pairs, find_prunable and choose_ratios as Python functions."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import graphprobe
from graphprobe.config import load_config
from graphprobe.errors import MissingDependency, UsageError
from graphprobe.ir import Origin, Program


def test_variables_of_two_programs(small: Program, big: Program) -> None:
    listing = graphprobe.list_variables(small, teacher=big, match="^conv2d_0")
    assert [one.role for one in listing.programs] == ["student", "teacher"]
    assert [use.var.shape for use in listing if use.var.persistable] == [
        (8, 3, 3, 3),
        (16, 3, 3, 3),
    ]
    assert len(listing) == len(listing.names) == 4
    document = listing.to_dict()["programs"]
    assert [one["source"] for one in document] == ["small", "big"]
    names = {use.var.name for use in listing.programs[0].variables}
    assert {var["name"] for var in document[0]["vars"]} == names


def test_a_pattern_may_be_compiled(small: Program) -> None:
    by_text = graphprobe.list_variables(small, match="w_0$", params=True)
    by_pattern = graphprobe.list_variables(small, match=re.compile("w_0$"), params=True)
    assert by_text.names == by_pattern.names
    assert len(by_text) == 4


def test_a_listing_of_nothing_says_why(small: Program) -> None:
    listing = graphprobe.list_variables(small, op_type="conv3d")
    assert not listing
    assert "did you mean conv2d" in listing.nothing


@pytest.mark.parametrize(
    ("op_type", "message"),
    [
        ("conv2", r"op_type='conv2': no operator of small.*did you mean conv2d"),
        ("zzz", r"op_type='zzz': .*the program has \w+, \w+"),
        (7, r"op_type=7: no operator of small"),
    ],
)
def test_a_type_that_no_operator_has(small: Program, op_type: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        graphprobe.list_variables(small, op_type=op_type)


def test_a_gradient_of_a_known_operator_is_a_type(small: Program) -> None:
    assert graphprobe.list_variables(small, op_type="conv3d_grad").names == []


@pytest.mark.parametrize("name", ["x.foo", "x", "x.json"])
def test_a_config_is_written_as_yaml_alone(small: Program, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"a config is a YAML file; name it \.yaml"):
        graphprobe.find_prunable(small).write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_one_ratio_is_refused_beside_a_target(small: Program) -> None:
    message = r"ratio=0.3: stands beside target_flops=0.3, for .*leave out one of the two"
    with pytest.raises(UsageError, match=message):
        graphprobe.find_prunable(small, ratio=0.3, target_flops=0.3)
    found = graphprobe.find_prunable(small, policy="coupled")
    assert set(found.ratios) == {0.5}
    with pytest.raises(UsageError, match=message):
        graphprobe.choose_ratios(found, ratio=0.3, target_flops=0.3)


def test_a_pattern_that_is_none(small: Program) -> None:
    with pytest.raises(UsageError, match=r"match='\('"):
        graphprobe.list_variables(small, match="(")


def test_pairs_with_their_config(small: Program, big: Program, tmp_path: Path) -> None:
    found = graphprobe.find_pairs(small, big)
    assert [(p.role, p.student_shape[1]) for p in found] == [
        ("yolo head, stride 4", 75),
        ("yolo head, stride 2", 75),
    ]
    path = found.write(tmp_path / "distill.yaml")
    config = load_config(path)
    assert config == found.to_config()
    assert yaml.safe_load(found.to_yaml())["student"]["program"] == "small"
    assert found.to_dict()["pairs"][0]["student"] == found.pairs[0].student


def test_a_rule_and_a_loss(small: Program, big: Program) -> None:
    found = graphprobe.find_pairs(small, big, rule="decoding_input", loss="soft_label")
    assert {pair.loss for pair in found} == {"soft_label"}
    with pytest.raises(UsageError, match="no pair rule"):
        graphprobe.find_pairs(small, big, rule="nosuch")


def test_pairs_for_other_trainers(small: Program, big: Program) -> None:
    found = graphprobe.find_pairs(small, big)
    assert "paddleslim" in found.emit("python")
    with pytest.raises(UsageError, match="did you mean python"):
        found.emit("pyton")


def test_what_cannot_be_written(small: Program, big: Program) -> None:
    from dataclasses import replace

    unnamed = replace(small, origin=Origin())
    with pytest.raises(UsageError, match="made in memory"):
        graphprobe.find_pairs(unnamed, big).to_yaml()
    with pytest.raises(UsageError, match="made in memory"):
        graphprobe.find_prunable(unnamed).to_config()


def test_prunable_convolutions(small: Program, tmp_path: Path) -> None:
    found = graphprobe.find_prunable(small)
    status = {d.param: (d.status, d.reason) for d in found}
    assert status == {
        "conv2d_0.w_0": ("prunable", None),
        "conv2d_1.w_0": ("prunable", None),
        "conv2d_2.w_0": ("blocked", "output"),
        "conv2d_3.w_0": ("blocked", "output"),
    }
    assert found.params == ["conv2d_0.w_0", "conv2d_1.w_0"]
    assert [bool(re.search(found.regex, name)) for name in status] == [True, True, False, False]
    config = load_config(found.write(tmp_path / "prune.yaml"))
    assert config == found.to_config()


def test_ratios_anew(small: Program) -> None:
    found = graphprobe.find_prunable(small, policy="coupled")
    third = graphprobe.choose_ratios(found, target_flops=0.3)
    assert third.decisions is found.decisions
    assert third.after.flops is not None and third.before.flops is not None
    assert 1 - third.after.flops / third.before.flops >= 0.3
    kept = graphprobe.choose_ratios(found, keep="conv2d_0")
    assert kept.params == ["conv2d_1.w_0"]
    whole = graphprobe.find_prunable(small, policy="coupled", keep="conv2d_0")
    assert kept.to_dict() == whole.to_dict()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "seed"}, "did you mean seeds"),
        ({"ratio": 1.5}, "above 0 and below 1"),
        ({"target_flops": 0.999}, "can go"),
        ({"round_to": 0}, "at least 1"),
        ({"keep": "["}, "regular expression"),
    ],
)
def test_numbers_that_make_no_sense(
    small: Program, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        graphprobe.find_prunable(small, **options)  # type: ignore[arg-type]


def test_the_words_of_other_tools(small: Program) -> None:
    found = graphprobe.find_prunable(small)
    assert yaml.safe_load(found.emit("ppdet2x"))["Pruner"]["pruned_params"] == found.params
    assert found.emit("ppdet") == found.emit("ppdet2x")
    assert found.emit_warnings("slim1x") == ()
    with pytest.raises(UsageError, match="did you mean ppdet"):
        found.emit("ppdt")


def test_each_program_is_loaded_once(loads: Counter[str]) -> None:
    student, teacher = graphprobe.load("small"), graphprobe.load("big")
    graphprobe.list_variables(student, teacher=teacher)
    found = graphprobe.find_pairs(student, teacher)
    found.to_yaml()
    prunable = graphprobe.find_prunable(student, policy="coupled")
    graphprobe.choose_ratios(prunable, ratio=0.3).to_yaml()
    graphprobe.find_prunable(student, policy="coupled")
    assert loads == {"small": 1, "big": 1}


def test_decisions_and_dataflow_are_made_once(
    loads: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.ir import dataflow
    from graphprobe.pruning import decisions

    calls: Counter[str] = Counter()
    build, decide = dataflow.build_dataflow, decisions.find_prunable
    monkeypatch.setattr(
        dataflow, "build_dataflow", lambda p: (calls.update(["dataflow"]), build(p))[1]
    )
    monkeypatch.setattr(
        decisions, "find_prunable", lambda *a: (calls.update(["decisions"]), decide(*a))[1]
    )
    student = graphprobe.load("small")
    graphprobe.list_variables(student)
    graphprobe.find_pairs(student, "big")
    graphprobe.find_prunable(student).to_dict()
    graphprobe.find_prunable(student, ratio=0.2).to_dict()
    # Two programs, and the student as each ratio leaves it.
    assert calls == {"dataflow": 4, "decisions": 1}


def test_results_are_short_texts_and_tables(small: Program, big: Program) -> None:
    results = (
        graphprobe.list_variables(small, teacher=big),
        graphprobe.find_pairs(small, big),
        graphprobe.find_prunable(small),
    )
    for result in results:
        assert len(repr(result)) < 400
        head, rows = result.to_rows()
        assert all(len(row) == len(head) for row in rows)
        page = result._repr_html_()
        assert page.count("<th>") == len(head)
        assert page.count("<tr>") == len(rows) + 1
        json.dumps(result.to_dict())


def test_html_is_escaped(small: Program) -> None:
    from graphprobe.api.results import html_table

    page = html_table("a < b", ["<x>"], [["<script>"]] * 61)
    assert "<script>" not in page and "a &lt; b" in page and "and 1 more rows" in page


def test_pandas_is_optional(small: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependency, match="pip install pandas"):
        graphprobe.find_prunable(small).to_pandas()


def test_pandas(small: Program) -> None:
    pandas = pytest.importorskip("pandas")
    found = graphprobe.find_prunable(small)
    frame = found.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.param) == [d.param for d in found]
