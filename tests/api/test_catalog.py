"""list_names, and graphprobe list."""

from __future__ import annotations

import json

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

import graphprobe
from graphprobe.api.catalog import KINDS
from graphprobe.errors import UsageError
from graphprobe.registry import GROUPS, modules


@pytest.mark.parametrize(
    ("kind", "package"),
    [
        ("zoo", "graphprobe.zoo"),
        ("losses", "graphprobe.losses"),
        ("rules", "graphprobe.pairing.rules"),
        ("data", "graphprobe.data.formats"),
        ("targets", "graphprobe.data.target_kinds"),
        ("renderers", "graphprobe.drawing.renderers"),
        ("loaders", "graphprobe.formats"),
    ],
)
def test_every_file_is_listed(kind: str, package: str) -> None:
    found = graphprobe.list_names(kind)
    assert package in GROUPS
    assert set(found) == set(modules(package))
    assert all(about for _, about in found.entries)


def test_operators_are_listed() -> None:
    assert {"conv2d", "relu", "concat"} <= set(graphprobe.list_names("ops"))


@pytest.mark.parametrize(("word", "kind"), [("models", "zoo"), ("operators", "ops")])
def test_other_words_for_a_kind(word: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert graphprobe.list_names(word).to_dict() == graphprobe.list_names(kind).to_dict()
    assert run(build_app("list"), ["list", word]) == 0
    by_word = capsys.readouterr().out
    assert run(build_app("list"), ["list", kind]) == 0
    assert capsys.readouterr().out == by_word


@pytest.mark.parametrize("kind", [None, 3, ["zoo"]])
def test_what_is_no_kind(kind: object) -> None:
    with pytest.raises(UsageError, match="kind: must be a text, not .*; use zoo, losses"):
        graphprobe.list_names(kind)  # type: ignore[arg-type]


def test_emitters_are_listed_by_command() -> None:
    found = graphprobe.list_names("emitters").entries
    for command, package in (("pairs", "pair_emitters"), ("prune-regex", "prune_emitters")):
        named = {name for name, about in found if about.startswith(f"{command}: ")}
        assert named == set(modules(f"graphprobe.emit.{package}"))


def test_an_unknown_kind() -> None:
    with pytest.raises(UsageError, match="did you mean losses"):
        graphprobe.list_names("loses")


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_fits_80_columns(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_app("list"), ["list", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and max(map(len, lines)) <= 80
    assert run(build_app("list"), ["list", kind, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [e["name"] for e in document["entries"]] == list(graphprobe.list_names(kind))
