"""Help that teaches: an example for every command, a word on every option, at 80 columns."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from graphprobe_cli import _complete, _pair_table
from graphprobe_cli.main import COMMANDS, build_app, build_list

from graphprobe.api.catalog import list_names
from graphprobe.ir import Pair

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(build_app())
    return dict(group.commands)


def test_the_list_of_commands_is_made_without_them(commands: dict[str, Any]) -> None:
    """`graphprobe --help` imports no command, so their lines stand in the list."""
    for name, about in COMMANDS.items():
        assert commands[name].help.splitlines()[0] == about, name
    listed: Any = typer.main.get_command(build_list())
    whole: Any = typer.main.get_command(build_app())
    context: Any = typer.Context(whole, info_name="graphprobe")
    assert listed.get_help(context) == whole.get_help(context)
    code = (
        "import sys; sys.argv = ['graphprobe', '--help']; from graphprobe_cli import main\n"
        "main._leave_at_once = lambda status: None\n"
        "try: main.main()\n"
        "finally: print(sorted(n for n in sys.modules if n.startswith('graphprobe.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = done.stdout.splitlines()[-1]
    assert "graphprobe.errors" in own and "graphprobe.api" not in own


@pytest.fixture(scope="module")
def command_docs() -> Any:
    spec = importlib.util.spec_from_file_location("command_docs", ROOT / "tools/command_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_every_option_a_word(
    name: str, commands: dict[str, Any]
) -> None:
    command = commands[name]
    assert f"Example: graphprobe {name} " in " ".join(command.help.split()) + " "
    silent = [param.name for param in command.params if not getattr(param, "help", None)]
    assert silent == []


def test_summaries_are_whole_at_80_columns(commands: dict[str, Any]) -> None:
    group: Any = typer.main.get_command(build_app())
    context = group.make_context("graphprobe", [], resilient_parsing=True)
    context.terminal_width = context.max_content_width = 80
    text = group.get_help(context)
    assert "..." not in text.partition("Commands:")[2]
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_page_of_commands_is_current(command_docs: Any) -> None:
    text = command_docs.page()
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == text
    inside = text.split("```")[1::2]
    assert len(inside) == len(COMMANDS)
    assert all(len(line) <= 80 for part in inside for line in part.splitlines())


@pytest.mark.parametrize(("kind", "option"), [("rules", "rule"), ("losses", "loss")])
def test_the_values_of_an_option_are_those_that_there_are(
    kind: str, option: str, commands: dict[str, Any]
) -> None:
    (param,) = (p for p in commands["pairs"].params if p.name == option)
    for name, _ in list_names(kind).entries:
        assert name in param.help or name == "custom"


def test_completion() -> None:
    assert _complete.programs("zoo:yolov3_r") == ["zoo:yolov3_r34"]
    assert _complete.rules("neck") == ["neck_levels"]
    assert "soft_label" in _complete.losses("s") and _complete.losses("x") == []
    assert "voc" in _complete.data("v")
    assert _complete.keys("train.learning_rate.b") == ["train.learning_rate.base="]
    assert "student.weights=" in _complete.keys("student.")


LONG = "detection_head_with_a_very_long_name.conv_norm_act_block_{}.batch_norm_0.tmp_3"


def pairs(count: int) -> list[Pair]:
    return [
        Pair(
            student=LONG.format(i),
            teacher=LONG.format(i) + "_of_the_teacher_which_is_longer",
            student_shape=(-1, 96, 40, 40),
            teacher_shape=(-1, 96, 40, 40),
            role="box distribution of the detection head, stride 16, level 2 of 4",
            loss="yolo_fine_grained",
            weight=1000.0,
            score=0.85,
            rule="distribution_heads",
            evidence=("X of a_loss_of_a_long_name", "stride 16", "equal shape"),
        )
        for i in range(count)
    ]


def test_long_names_make_a_block_a_pair() -> None:
    lines = "\n".join(_pair_table._pair_lines(pairs(2), 80)).splitlines()
    assert all(len(line) <= 80 for line in lines)
    first = lines[: lines.index("")]
    assert first[0].startswith("box distribution of the detection head")
    assert [line[2:10].strip() for line in first if line[2:10].strip()][1:] == [
        *("student", "teacher", "loss", "why")
    ]
    text = "".join(line.strip() for line in first)
    assert LONG.format(0) in text and "yolo_fine_grained x 1000, score 0.85" in text


def test_a_wide_screen_keeps_a_line_a_pair() -> None:
    lines = list(_pair_table._pair_lines(pairs(2), 400))
    assert lines[0].split() == ["student", "teacher", "role", "loss", "score"] and len(lines) == 5
