"""YAML that others wrote is read in a second or refused, whatever its million bytes hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphprobe.config.json_file import read_json
from graphprobe.errors import GraphprobeError
from graphprobe.yaml_io import EXPORTED, MAX_NODES, MAX_NUMBER, parse_yaml, read_yaml

SIXTY = ":".join(["1"] * 500_000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n".join(f"k{i}: {i}" for i in range(60_000)), f"more than {MAX_NODES} values"),
        (f"[{','.join(['1'] * 190_000)}]", f"more than {MAX_NODES} values"),
        (f"a: {'1' * 1_000_000}", f"a number of more than {MAX_NUMBER} characters"),
        (f"a: 0x{'f' * 1_000_000}", f"a number of more than {MAX_NUMBER} characters"),
        (f"a: 1.{'1' * 1_000_000}", f"a number of more than {MAX_NUMBER} characters"),
        ("[" * 100 + "]" * 100, "or 40 levels"),
    ],
)
def test_what_would_take_long_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(GraphprobeError, match=says):
        parse_yaml(text, where="x")


@pytest.mark.parametrize("text", [SIXTY, f"-{SIXTY}", f"{SIXTY}.5", "1:30", "190:20:30", "1:30.5"])
def test_a_number_of_base_60_is_text(text: str) -> None:
    assert parse_yaml(f"a: {text}", where="x") == {"a": text}


def test_other_numbers_are_read_as_before() -> None:
    text = "[1, -2, 0x1f, 0b11, 017, 1_000, 1.5, 1e-3, -2E+4, .5, .inf, 12e03]"
    expected = [1, -2, 31, 3, 15, 1000, 1.5, 0.001, -20000.0, 0.5, float("inf"), 12000.0]
    assert parse_yaml(text, where="x") == expected


def test_the_slower_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    import yaml

    import graphprobe.yaml_io

    text = "a: {b: [1, x, 1e-3, 1:30], c: null}\nd: |\n  text\n"
    fast = parse_yaml(text, where="x")
    with monkeypatch.context() as without:
        without.delattr(yaml, "CSafeLoader", raising=False)
        slow = importlib.reload(graphprobe.yaml_io).parse_yaml(text, where="x")
    importlib.reload(graphprobe.yaml_io)
    assert fast == slow == {"a": {"b": [1, "x", 0.001, "1:30"], "c": None}, "d": "text\n"}


def test_a_device_is_read_up_to_the_bound() -> None:
    with pytest.raises(GraphprobeError, match="1 MiB"):
        read_yaml(Path("/dev/zero"))


def test_aliases_are_read_where_exporters_write_them() -> None:
    text = "a: &x [1, 2]\nb: *x\nc: {d: *x}\n"
    assert parse_yaml(text, where="x", bounds=EXPORTED) == {
        "a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]},
    }  # fmt: skip
    with pytest.raises(GraphprobeError, match="aliases .* are not taken"):
        parse_yaml(text, where="x")


def test_aliases_that_stand_for_too_much_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 20)]
    for text in ("\n".join(lines), "a: &a [*a]", "a: &a {b: {c: *a}}"):
        with pytest.raises(GraphprobeError, match="more than 200000 values"):
            parse_yaml(text, where="x", bounds=EXPORTED)


def test_merge_keys_that_double_a_mapping_each_time_are_refused() -> None:
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 60)]
    plain = "\n".join(lines)
    for text in (plain, plain.replace("<<", "!!merge m")):
        with pytest.raises(GraphprobeError, match="merge keys .* are not taken"):
            parse_yaml(text, where="x", bounds=EXPORTED)
    assert parse_yaml("- '<<'\n", where="x", bounds=EXPORTED) == ["<<"]


def test_a_long_list_of_characters_is_read_where_exporters_write_it() -> None:
    text = "".join(f"- c{i}\n" for i in range(100_000))
    assert len(parse_yaml(text, where="x", bounds=EXPORTED)) == 100_000


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "fifo.yaml"
    os.mkfifo(pipe)
    for read in (read_yaml, lambda path: read_json(path, "name a file")):
        with pytest.raises(GraphprobeError, match="fifo.yaml: is a pipe, not a file"):
            read(pipe)
