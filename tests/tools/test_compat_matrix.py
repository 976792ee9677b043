"""What the table of docs/compat.md is made by, without running a command of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from graphprobe_cli.main import COMMANDS

from graphprobe.zoo import zoo_names
from tools.compat_matrix import Column, chosen, columns, run_column, run_row
from tools.compat_rows import DEMO, ROWS, Row

SCRIPT = """\
#!{python}
import sys
from pathlib import Path
word = sys.argv[1]
if word == "fails":
    sys.exit("error: no memory; take less")
if word == "warns":
    print("UserWarning: No ccache found", file=sys.stderr)
Path("done-" + word).write_text(" ".join(sys.argv[2:]))
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The python of an environment whose graphprobe notes what it is called with."""
    command = tmp_path / "bin" / "graphprobe"
    command.parent.mkdir()
    command.write_text(SCRIPT.format(python=sys.executable))
    command.chmod(0o755)
    return command.with_name("python")


def test_a_row_needs_rows_before_it() -> None:
    seen: set[str] = set()
    for row in (*ROWS, DEMO):
        assert row.name not in seen
        assert seen.issuperset(row.needs), row.name
        seen.add(row.name)


def test_every_command_and_every_bundled_model_runs() -> None:
    words = [command.split() for row in ROWS for command in row.commands]
    called = {w[i + 1] for w in words for i, word in enumerate(w[:-1]) if word == "graphprobe"}
    assert called == set(COMMANDS)
    trained = {word.partition("?")[0] for w in words if "train" in w for word in w}
    assert {f"zoo:{name}" for name in zoo_names()} <= trained


def test_what_is_asked_for_brings_what_it_needs() -> None:
    rows = (Row("a", ()), Row("b", (), needs=("a",)), Row("c", ()), Row("d of c", (), needs=("b",)))
    assert [row.name for row in chosen(rows, ["d"])] == ["a", "b", "d of c"]
    assert [row.name for row in chosen(rows, ["c"])] == ["a", "b", "c", "d of c"]
    assert chosen(rows, None) == list(rows)


def test_the_commands_of_a_row_run_in_its_folder(python: Path, tmp_path: Path) -> None:
    row = Row("x", ("graphprobe one a --b=c", "graphprobe two"), ("done-*",))
    assert run_row(row, python, tmp_path) == "yes"
    assert (tmp_path / "done-one").read_text() == "a --b=c"
    assert (tmp_path / "done-two").exists()


@pytest.mark.parametrize(
    ("word", "writes", "said"),
    [
        ("fails", (), "no: `graphprobe fails` ends with 1: error: no memory; take less"),
        ("warns", (), "no: `graphprobe warns` shows 'UserWarning'"),
        ("one", ("run/*.json",), "no: run/*.json is not written"),
    ],
)
def test_what_goes_wrong_stands_in_the_table(
    word: str, writes: tuple[str, ...], said: str, python: Path, tmp_path: Path
) -> None:
    row = Row("x", (f"graphprobe {word}", "graphprobe after"), writes)
    assert run_row(row, python, tmp_path) == said
    assert (tmp_path / "done-after").exists() == (word == "one")


def environment(root: Path, name: str, python: str, **packages: str) -> None:
    site = root / name / "lib" / f"python{python[:4]}" / "site-packages"
    for package, version in packages.items():
        info = site / f"{package}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        )
    (root / name / "pyvenv.cfg").write_text(f"home = /opt\nversion_info = {python}\n")


def test_a_column_is_the_first_environment_of_each_paddle_and_python(tmp_path: Path) -> None:
    environment(tmp_path, ".venv", "3.11.7", paddlepaddle="2.6.2", numpy="1.26.4")
    environment(tmp_path, ".venv-2.6.2", "3.11.7", paddlepaddle="2.6.2", numpy="1.26.4")
    environment(tmp_path, ".venv-2.6.2-3.10", "3.10.13", paddlepaddle="2.6.2", numpy="1.26.4")
    environment(tmp_path, ".venv-3.3.1", "3.13.0", paddlepaddle="3.3.1", numpy="2.5.1")
    environment(tmp_path, ".venv-none-3.13", "3.13.0", numpy="2.5.1")
    found = columns(tmp_path)
    assert list(found) == ["2.6.2-3.10", "2.6.2-3.11", "3.3.1-3.13"]
    assert found["2.6.2-3.11"].binary == tmp_path / ".venv" / "bin" / "python"
    assert found["3.3.1-3.13"].head == "3.3.1, Python 3.13, numpy 2.5"


def test_a_row_that_ended_well_does_not_run_again(python: Path, tmp_path: Path) -> None:
    column = Column("9.9", "3.13.0", "2.5.1", python)
    rows = [
        Row("good", ("graphprobe one",)),
        Row("bad", ("graphprobe fails",)),
        Row("after", ("graphprobe two",), needs=("bad",)),
        Row("cannot", ("graphprobe three",), refused={"9.9": "refused in one line"}),
    ]
    folder = tmp_path / "kept"
    first = run_column(column, rows, folder)
    assert first["good"] == "yes" and first["bad"].startswith("no: ")
    assert first["after"] == "not run: needs bad"
    assert first["cannot"] == "refused in one line" and not (folder / "done-three").exists()
    (folder / "done-one").unlink()
    (folder / "runs" / "bad").mkdir(parents=True)
    mended = [rows[0], Row("bad", ("graphprobe mended -o train.output=runs/bad",)), *rows[2:]]
    again = run_column(column, mended, folder)
    assert [again[row.name] for row in rows] == ["yes", "yes", "yes", "refused in one line"]
    assert (folder / "done-mended").exists() and not (folder / "done-one").exists()
    assert not (folder / "runs" / "bad").exists(), "what the first try left"
