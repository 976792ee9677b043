"""Names from files cannot act: not on a terminal, not in json, csv, drawings or configs."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from graphprobe_cli import _output
from graphprobe_cli._errors import run
from graphprobe_cli._escape import csv_cell, json_text, printable, printed
from graphprobe_cli.main import build_app

from graphprobe import programs
from graphprobe.api.catalog import Catalog
from graphprobe.api.datasets import DataReport
from graphprobe.data.survey import ClassCount, Survey
from graphprobe.errors import GraphprobeError
from graphprobe.formats import write_program
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

# A formula, sequences of terminals in C0 and C1, marks of direction and of no width, line ends.
EVIL = (
    "=cmd|'/C calc'!A0\x1b]0;P\x07\x1b[31m\x9b31m\u202egnp\u2066\u200b\u2028\u0085\r\nerror: no\x7f"
)
ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def acting(text: str) -> set[str]:
    """Characters of a text that do something else than be seen, line ends of its lines aside."""
    return {c for c in text.replace("\n", "") if unicodedata.category(c) in ACTING}


def evil(source: str) -> Program:
    b = Builder()
    x = b.feed(f"image{EVIL}", (-1, 3, 32, 32))
    for i in range(3):
        x = b.conv(x, 8 + i, k=3, name=f"{EVIL}w{i}")
        x = b.op(f"{EVIL}op" if i == 2 else "relu", {"X": x}, shape=(-1, 8 + i, 32, 32))
    x = b.conv(x, 4, name=f"{EVIL}last")
    b.op("softmax", {"X": x}, {"Out": f"{EVIL}out"}, shape=(-1, 4, 32, 32))
    b.op("relu", {"X": f"{EVIL}undeclared"})
    return b.build([f"{EVIL}out"], source=source)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(programs, "load_program", evil)
    return f"mine{EVIL}"


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Said:
    def call(*words: str) -> tuple[int, str, str]:
        status = run(build_app(words[0]), list(words))
        out, err = capsys.readouterr()
        return status, out, err

    return call


PRINTING = {
    "vars": ("vars", "{}"),
    "vars of two": ("vars", "{}", "--teacher", "{}"),
    "pairs": ("pairs", "--student", "{}", "--teacher", "{}"),
    "prune-regex": ("prune-regex", "{}"),
    "prune-regex coupled": ("prune-regex", "{}", "--policy", "coupled"),
    "emit slim": ("prune-regex", "{}", "--emit", "slim1x"),
    "emit act": ("prune-regex", "{}", "--emit", "act"),
    "emit python": ("pairs", "--student", "{}", "--teacher", "{}", "--emit", "python"),
}


@pytest.mark.parametrize("form", ["table", "json", "csv"])
@pytest.mark.parametrize("words", PRINTING.values(), ids=PRINTING)
def test_nothing_printed_acts(words: tuple[str, ...], form: str, mine: str, say: Said) -> None:
    given = [word.format(mine) for word in words]
    status, out, err = say(*given, *(() if "--emit" in words else ("--format", form)))
    assert status in (0, 1) and out
    assert acting(out) == set() and acting(err) == set()
    assert not [line for line in err.splitlines() if line.startswith("error")]
    if form == "csv" and "--emit" not in words:
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert not [cell for cell in cells if cell[:1] in tuple("=+@\t\r")]


def test_json_reads_as_the_name_that_the_file_has(mine: str, say: Said) -> None:
    _, out, _ = say("vars", mine, "--format", "json")
    names = [var["name"] for var in json.loads(out)["programs"][0]["vars"]]
    assert f"{EVIL}out" in names and f"image{EVIL}" in names


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png", "html", "dot", "graphml"])
def test_nothing_drawn_acts(suffix: str, mine: str, say: Said, tmp_path: Path) -> None:
    path = tmp_path / f"drawing.{suffix}"
    status, out, err = say("draw", mine, "--level", "op", "-o", str(path))
    assert (status, out) == (0, "") and acting(err) == set()
    if suffix in ("svg", "html", "dot", "graphml"):
        assert acting(path.read_text()) <= {"\t"}
    if suffix in ("svg", "graphml"):
        ElementTree.parse(path)  # noqa: S314 - our own file


def test_no_report_acts(mine: str, say: Said, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert say("report", "--student", mine, "--teacher", mine, "-o", str(path))[0] == 0
    assert acting(path.read_text()) <= {"\t"}


def test_a_config_keeps_the_names_and_does_not_act(mine: str, say: Said, tmp_path: Path) -> None:
    for command in (["prune-regex", mine], ["pairs", "--student", mine, "--teacher", mine]):
        path = tmp_path / f"{command[0]}.yaml"
        status, out, err = say(*command, "-o", str(path))
        assert status == 0 and acting(out + err) == set()
        text = path.read_text()
        assert acting(text) == set()
        assert EVIL in str(yaml.safe_load(text)) or EVIL in repr(yaml.safe_load(text)).encode(
            "utf-8", "surrogatepass"
        ).decode("unicode_escape", "replace")


@pytest.mark.parametrize(
    "command", [("vars",), ("prune-regex",), ("draw", "-o", "{}/x.svg"), ("eval",), ("check",)]
)
def test_no_error_acts(command: tuple[str, ...], say: Said, tmp_path: Path) -> None:
    words = [word.format(tmp_path) for word in command]
    for name in (f"none{EVIL}", f"zoo:{EVIL}", f"zoo:yolov3_r34?{EVIL}=1"):
        status, out, err = say(words[0], name, *words[1:])
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert acting(err) == set()


def test_no_hint_of_a_nearest_name_acts(mine: str, say: Said, tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    assert say("pairs", "--student", mine, "--teacher", mine, "-o", str(path))[0] == 0
    path.write_text(path.read_text().replace("last.tmp_0", "last.tmp_1"))
    status, _, err = say("draw", mine, "--pairs", str(path), "-o", str(tmp_path / "x.svg"))
    assert status == 2 and "did you mean =cmd" in err
    assert acting(err) == set() and err.count("\n") == 1


def test_no_file_of_the_exported_kind_acts(say: Said, tmp_path: Path) -> None:
    path = tmp_path / "model.pdmodel"
    path.write_bytes(write_program(evil("x")))
    for words in (["vars", str(path)], ["export", str(path), "--form", "pdmodel", "-o", "no/x"]):
        status, out, err = say(*words)
        assert status in (0, 2) and acting(out + err) == set()


def test_a_file_whose_name_is_no_utf_8_is_read_and_no_config_names_it(
    say: Said, tmp_path: Path
) -> None:
    path, out = tmp_path / os.fsdecode(b"\xff.pdmodel"), tmp_path / os.fsdecode(b"\xfe")
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), 8, k=3)
    x = b.conv(b.op("relu", {"X": x}, shape=(-1, 8, 32, 32)), 4)
    x = b.op("softmax", {"X": x}, shape=(-1, 4, 32, 32))
    b.op("fetch", {"X": x}, {"Out": "fetch"})
    path.write_bytes(write_program(b.build()))
    name = str(path)
    for words in (
        *(("vars", name, "--format", form) for form in ("table", "json", "csv")),
        *(("draw", name, "-o", f"{out}.{form}") for form in ("svg", "html", "dot", "graphml")),
        ("report", "--student", name, "-o", f"{out}.html"),
        ("prune-regex", name, "--emit", "act", "-o", f"{out}.act"),
        ("pairs", "--student", name, "--teacher", name, "--emit", "python", "-o", f"{out}.py"),
    ):
        status, printed_, err = say(*words)
        assert status == 0 and acting(printed_ + err) == set(), err
        assert "-o" not in words or Path(words[-1]).is_file()
    for words in (
        ("prune-regex", name, "-o", f"{out}.yaml"),
        ("pairs", "--student", name, "--teacher", name, "-o", f"{out}.yaml"),
    ):
        status, _, err = say(*words)
        refusal = "\\udcff.pdmodel: its name is not UTF-8, so no config can hold it; rename it"
        assert status == 2 and err.splitlines()[-1].endswith(refusal)
    assert not Path(f"{out}.yaml").exists()


@pytest.fixture
def evil_run(tmp_path: Path) -> str:
    """A run as `train` leaves it, whose folder, metric and losses are named so."""
    folder = tmp_path / EVIL.replace("/", "-").replace("\n", "-")
    saved = folder / "checkpoints" / "000002"
    saved.mkdir(parents=True)
    train = {"max_iters": 2, "data": {"train": f"voc:{EVIL}", "val": f"voc:{EVIL}"}}
    config = {"version": 1, "kind": "train", "student": {"program": EVIL}, "train": train}
    state = {"config": config, "iteration": 2, "metric": EVIL, "metric_value": 0.1}
    files = {
        "config.yaml": config,
        "checkpoints/000002/state.json": {**state, "best": 0.1, "best_iteration": 2},
        "result.json": {"iterations": 2, "metric": EVIL, "value": 0.1, "stopped": EVIL},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "metrics.jsonl").write_text(json.dumps({"iter": 1, f"loss/{EVIL}": 1.0}) + "\n")
    line = {"iter": 2, "metric": EVIL, "value": 0.1}
    (folder / "evaluations.jsonl").write_text(json.dumps(line) + "\n")
    return str(folder)


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_nothing_of_a_run_acts(form: str, evil_run: str, say: Said) -> None:
    for words in (["runs", str(Path(evil_run).parent)], ["compare", evil_run, evil_run]):
        status, out, err = say(*words, "--format", form)
        assert (status, err) == (0, "") and len(out) > 100
        assert acting(out) == set()


@pytest.mark.parametrize("command", ["compare", "report"])
def test_no_curve_of_a_run_acts(
    command: str, evil_run: str, mine: str, say: Said, tmp_path: Path
) -> None:
    path = tmp_path / ("x.svg" if command == "compare" else "x.html")
    given = [evil_run, evil_run] if command == "compare" else ["--student", mine, "--run", evil_run]
    status, out, err = say(command, *given, "-o", str(path))
    assert status == 0 and acting(out + err) == set()
    text = path.read_text()
    assert "202egnp" in text and acting(text) <= {"\t"}
    if command == "compare":
        ElementTree.parse(path)  # noqa: S314 - our own file


def test_no_name_of_data_acts(say: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    classes = (ClassCount(EVIL, 1, 1),)
    survey = Survey(1, classes, (), 0, 0, 0, (0, 0, 0), (EVIL,), (EVIL,))
    made = DataReport(EVIL, "detection", 1, survey, None, (EVIL,), (f"{EVIL}: broken",))
    monkeypatch.setattr("graphprobe.api.datasets.inspect_data", lambda *_, **__: made)
    for form in ("table", "json", "csv"):
        status, out, err = say("data", f"voc:{EVIL}", "--format", form)
        assert status == 1 and acting(out + err) == set()


def test_no_name_of_a_package_acts(say: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Catalog("losses", ((EVIL, EVIL),))
    monkeypatch.setattr("graphprobe_cli.list.list_names", lambda _: made)
    for form in ("table", "json", "csv"):
        status, out, _ = say("list", "losses", "--format", form)
        assert status == 0 and acting(out) == set()


def test_what_is_logged_does_not_act(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    _output.log_to_stderr()
    try:
        logging.getLogger("graphprobe").warning("server says %s", EVIL)
    finally:
        logging.getLogger("graphprobe").handlers.clear()
    assert acting(capsys.readouterr().err) == set()


def test_a_phrase_of_a_server_is_one_line_that_does_not_act(
    say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise GraphprobeError(f"answers 404 {EVIL}", where="https://host/x", hint=EVIL)

    monkeypatch.setattr("graphprobe_cli.vars.list_variables", refuse)
    status, _, err = say("vars", "x")
    assert status == 2 and err.count("\n") == 1 and acting(err) == set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv2d_0.tmp_0", "conv2d_0.tmp_0"),
        ("图 é 🙂", "图 é 🙂"),
        ("a\tb\x1b\x9b\u202e\ud800", r"a\tb\x1b\x9b\u202e\ud800"),
        ("a\nb", r"a\nb"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printed(f"{text}\n").replace("\n", r"\n") == shown + r"\n"


def test_a_message_of_megabytes_is_cut_and_keeps_its_ends(say: Said, tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(f"a: !<{'x' * 500_000}> 1\n")
    status, out, err = say("check", str(path))
    assert (status, out) == (2, "") and len(err) < 6_000
    assert err.startswith(f"error: {path}: not YAML (line 1") and " ... " in err
    assert err.endswith("correct that line\n")


def test_json_text_changes_no_value() -> None:
    value = {EVIL: [EVIL, "\U000e0001", "\ud800", "plain"]}
    text = json_text(json.dumps(value, ensure_ascii=False, indent=1))
    assert acting(text) == set() and json.loads(text) == value


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+a", "'+a"),
        ("-a", "'-a"),
        ("@a", "'@a"),
        ("\t=1", r"'\t=1"),
        ("\r=1", r"'\r=1"),
        ("-1x3x224x224", "-1x3x224x224"),
        ("-1, 3", "-1, 3"),
        ("-1-1", "'-1-1"),
        ("name", "name"),
        (-1, -1),
        (None, None),
    ],
)
def test_csv_cells(cell: object, written: object) -> None:
    assert csv_cell(cell) == written
