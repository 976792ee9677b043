"""graphprobe vars: the contract's json, the table, the filters, and what it says to bad input."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(scope="module")
def corpus() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus", TOOLS / "corpus.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(corpus: ModuleType, tmp_path: Path) -> Path:
    path = tmp_path / "__model__"
    path.write_bytes(corpus.programdesc(corpus.detector(), version=1008004))
    return path


@pytest.fixture
def pir(corpus: ModuleType, tmp_path: Path) -> Path:
    path = tmp_path / "inference.json"
    path.write_bytes(corpus.pir_detector())
    return path


class Result:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def programs(self) -> list[dict[str, Any]]:
        programs: list[dict[str, Any]] = json.loads(self.out)["programs"]
        return programs

    @property
    def names(self) -> list[str]:
        return [var["name"] for program in self.programs for var in program["vars"]]


@pytest.fixture
def graphprobe(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: object) -> Result:
        status = run(build_app("vars"), ["vars", *map(str, arguments)])
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


def test_json_is_the_contract(graphprobe: Any, model: Path) -> None:
    result = graphprobe(model, "--format", "json")
    (program,) = result.programs
    variables = program.pop("vars")
    assert program == {
        "role": "student", "source": str(model), "kind": "programdesc", "version": "1.8.4",
        "blocks": 2, "ops": 18,
    }  # fmt: skip
    by_name = {(var["block"], var["name"]): var for var in variables}
    assert by_name[0, "conv2d_0.tmp_0"] == {
        "name": "conv2d_0.tmp_0", "block": 0, "shape": [-1, 8, 32, 32], "dtype": "float32",
        "persistable": False, "producer": {"op": 1, "type": "conv2d"},
        "consumers": [{"op": 2, "type": "batch_norm"}],
    }  # fmt: skip
    assert by_name[0, "conv2d_0.w_0"]["producer"] is None
    assert by_name[0, "feed"]["shape"] is None
    loop = by_name[0, "reshape2_0.tmp_0"]
    assert loop["producer"] == {"op": 12, "type": "reshape2"}
    assert {"op": 16, "type": "relu"} in loop["consumers"]
    assert [(v["block"], v["name"]) for v in variables] == sorted(by_name)
    assert (result.status, result.err) == (0, "")


def test_the_version_is_null_where_the_file_has_none(graphprobe: Any, pir: Path) -> None:
    (program,) = graphprobe(pir, "--format", "json").programs
    assert (program["kind"], program["version"], program["blocks"]) == ("pir", None, 3)


def test_student_and_teacher(graphprobe: Any, model: Path, pir: Path) -> None:
    programs = graphprobe(model, "--teacher", pir, "--format", "json").programs
    assert [(p["role"], p["source"]) for p in programs] == [
        ("student", str(model)),
        ("teacher", str(pir)),
    ]


def test_filters(graphprobe: Any, model: Path) -> None:
    json_ = ("--format", "json")
    assert graphprobe(model, "--match", r"conv2d_\d\.w", *json_).names == [
        "conv2d_0.w_0", "conv2d_1.w_0", "conv2d_2.w_0", "depthwise_conv2d_0.w_0",
    ]  # fmt: skip
    names = graphprobe(model, "--params", *json_).names
    assert len(names) == 12 and "feed" not in names and "batch_norm_0.Mean" in names
    assert graphprobe(model, "--op-type", "concat", *json_).names == [
        "concat_0.tmp_0", "elementwise_add_0.tmp_0", "nearest_interp_v2_0.tmp_0",
    ]  # fmt: skip
    both = graphprobe(model, "--op-type", "concat", "--match", "^concat", *json_)
    assert both.names == ["concat_0.tmp_0"]


def test_variables_of_data_readers_are_hidden(
    graphprobe: Any, tmp_path: Path, corpus: ModuleType
) -> None:
    from graphprobe.ir.builder import Builder

    b = Builder()
    for name in ("a_py_reader", "double_buffer_0", "_generated_var_0", "image"):
        b.var(name, (1,))
    (tmp_path / "model").write_bytes(corpus.programdesc(b.build()))
    assert graphprobe(tmp_path / "model", "--format", "json").names == ["image"]
    assert len(graphprobe(tmp_path / "model", "--all", "--format", "json").names) == 4
    table = graphprobe(tmp_path / "model").out
    assert "1 of 4 variables" in table and "py_reader" not in table


def test_the_table_at_80_columns(graphprobe: Any, model: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = graphprobe(model)
    lines = result.out.splitlines()
    assert lines[0] == str(model)
    assert lines[1] == (
        "  programdesc, Paddle 1.8.4, 2 blocks, 18 ops, 4 convolutions, 30 of 30 variables"
    )
    assert lines[3].split() == ["name", "shape", "dtype", "producer", "consumers"]
    assert max(map(len, lines[2:])) <= 80
    row = next(line for line in lines if line.startswith("conv2d_0.tmp_0"))
    assert row.split()[:3] == ["conv2d_0.tmp_0", "-1x8x32x32", "float32"]
    assert "1 conv2d" in row and "2 batch" in row
    # In the order of first use: the filter before what it makes.
    assert result.out.index("conv2d_0.w_0") < result.out.index("conv2d_0.tmp_0")


@pytest.mark.parametrize("columns", ["40", "60", "80", "200"])
def test_two_programs_side_by_side(
    graphprobe: Any, model: Path, pir: Path, monkeypatch: Any, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = graphprobe(model, "--teacher", pir).out.splitlines()
    assert [line.split(":")[0] for line in (lines[0], lines[2])] == ["student", "teacher"]
    table = lines[5:]
    assert max(map(len, table)) <= int(columns)
    halves = [line.split(" | ") for line in table]
    assert halves[0][0].split()[0] == halves[0][1].split()[0] == "name"
    assert any("conv2d_0.w_0" in half[0] for half in halves)


def test_long_and_odd_names_stay_whole_and_harmless(
    graphprobe: Any, tmp_path: Path, corpus: ModuleType, monkeypatch: Any
) -> None:
    from graphprobe.ir.builder import Builder

    monkeypatch.setenv("COLUMNS", "80")
    b = Builder()
    long, odd = "stage." * 12 + "w", "red\x1b[31m\nname"
    b.var(long, (1, 2))
    b.var(odd, (3,))
    (tmp_path / "model").write_bytes(corpus.programdesc(b.build()))
    table = graphprobe(tmp_path / "model").out
    assert long in table
    assert "\x1b" not in table and "red\\x1b[31m\\nname" in table
    assert graphprobe(tmp_path / "model", "--format", "json").names == sorted([long, odd])


def test_csv_and_files(graphprobe: Any, model: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(graphprobe(model, "--format", "csv").out.splitlines()))
    row = next(row for row in rows if row["name"] == "conv2d_0.tmp_0")
    assert (row["shape"], row["producer"], row["consumers"]) == (
        "-1x8x32x32", "1:conv2d", "2:batch_norm",
    )  # fmt: skip
    out = tmp_path / "vars.json"
    result = graphprobe(model, "-o", out)
    assert (result.status, result.out) == (0, "")
    assert out.read_text() == graphprobe(model, "--format", "json").out
    graphprobe(model, "-o", tmp_path / "vars.txt")
    assert "conv2d_0.tmp_0" in (tmp_path / "vars.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--op-type", "conv3d"), "no op of type 'conv3d'; did you mean conv2d?"),
        (("--op-type", "erf"), "no op of type 'erf'"),
        (("--match", "nothing like it"), "no variable matches"),
        (("--params", "--match", "tmp"), "no variable matches"),
    ],
)
def test_nothing_matches(graphprobe: Any, model: Path, arguments: Any, message: str) -> None:
    result = graphprobe(model, *arguments, "--format", "json")
    assert result.status == 1
    assert result.names == []
    assert result.err.rstrip().endswith(message) and result.err.count("\n") == 1


def test_a_type_that_no_operator_has(graphprobe: Any, model: Path) -> None:
    result = graphprobe(model, "--op-type", "con2d")
    assert result.status == 2
    assert result.err.startswith("error: --op-type con2d: no operator of ")
    assert result.err.endswith("did you mean conv2d?\n")


def test_names_that_nobody_declares_are_reported(
    graphprobe: Any, tmp_path: Path, corpus: ModuleType
) -> None:
    from dataclasses import replace

    program = corpus.detector()
    main = program.blocks[0]
    kept = {name: var for name, var in main.vars.items() if name != "relu_0.tmp_0"}
    broken = replace(program, blocks=(replace(main, vars=kept), *program.blocks[1:]))
    (tmp_path / "model").write_bytes(corpus.programdesc(broken))
    result = graphprobe(tmp_path / "model", "--format", "json")
    assert result.status == 0
    assert result.err.endswith("1 names are used but not declared: relu_0.tmp_0\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/none"], "none: no such file or folder; check the path"),
        (["{folder}/empty"], "the file is empty"),
        (["{folder}/random"], "neither a ProgramDesc nor a PIR json"),
        (["{folder}/cut"], "no whole ProgramDesc"),
        (["{folder}/cut.json"], "not a readable json"),
        (["{folder}/other.json"], "a json, but not of PIR"),
        (["{folder}"], "the folder holds"),
        (["no_such_module:build"], "no module named 'no_such_module'"),
        (["{folder}/good", "--match", "["], "--match '[': not a regular expression"),
        (["{folder}/good", "--teacher", "{folder}/none"], "no such file or folder"),
        (["{folder}/good", "--nonsense"], "--nonsense"),
        (["{folder}/good", "--format", "yaml"], "yaml"),
        (["{folder}/good", "-o", "{folder}/x.pdf"], "unknown suffix '.pdf'"),
        (["{folder}/good", "-o", "{folder}/no/x.json"], "its folder is not there"),
        ([], "PROGRAM"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    graphprobe: Any, corpus: ModuleType, tmp_path: Path, arguments: list[str], message: str
) -> None:
    good = corpus.programdesc(corpus.detector())
    files = {"good": good, "cut": good[: len(good) // 2], "empty": b"", "random": b"\xaa\xbb" * 50}
    files |= {"cut.json": corpus.pir_detector()[:-3], "other.json": b'{"a": [1]}'}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    result = graphprobe(*(argument.format(folder=tmp_path) for argument in arguments))
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert result.err.startswith("error: ") and result.err.count("\n") == 1
    assert {p.name for p in tmp_path.iterdir()} == set(files)


POISON = """
import sys
for name in ("paddle", "paddleslim", "pydantic", "networkx", "numpy", "reportlab", "sklearn"):
    sys.modules[name] = None
sys.argv = ["graphprobe", *{arguments!r}]
from graphprobe_cli.main import main
main()
"""


@pytest.mark.parametrize("kind", ["programdesc", "pir"])
def test_reading_files_needs_none_of_the_heavy_packages(model: Path, pir: Path, kind: str) -> None:
    path = str(model if kind == "programdesc" else pir)
    text = POISON.format(arguments=["vars", path, "--teacher", path])
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "conv2d_0.tmp_0" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["vars", "--help"], ["--version"]])
def test_help_needs_none_of_the_heavy_packages(arguments: list[str]) -> None:
    text = POISON.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "graphprobe" in done.stdout
