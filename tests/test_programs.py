"""Every form of a PROGRAM argument."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from graphprobe.errors import GraphprobeError, LoadError, MissingDependency
from graphprobe.programs import load, load_program
from graphprobe.user_code import is_code


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("package.module:build", True),
        ("module:Nets.build", True),
        ("zoo:yolov3_r34", False),
        ("model.pdmodel", False),
        ("folder/model:x", False),
        ("C:\\model", False),
        ("", False),
        (":x", False),
        ("x:", False),
        ("1x:y", False),
    ],
)
def test_what_would_run_code(here: Path, text: str, answer: bool) -> None:
    assert is_code(text) is answer


def test_a_file_wins_over_code_of_its_name(here: Path) -> None:
    (here / "net:build").write_bytes(b"not a program")
    assert not is_code("net:build")
    with pytest.raises(LoadError, match="neither a ProgramDesc"):
        load_program("net:build")


@pytest.mark.parametrize(
    ("source", "text", "message"),
    [
        ("", "nowhere_at_all:build", "no module named 'nowhere_at_all'"),
        ("", "{name}.inner:build", "no module named '{name}.inner'"),
        ("def build(): pass", "{name}:biuld", "has no 'biuld'; did you mean build?"),
        ("x = 1", "{name}:x", "x is a int, not a callable"),
        ("import nothing_like_it", "{name}:x", "your code raised ModuleNotFoundError"),
        ("raise ValueError('bad\\nnews')", "{name}:x", "your code raised ValueError: news"),
        ("def x(): return {}['k']", "{name}:x", "KeyError: 'k' ({name}.py, line 1)"),
        ("def x(y): pass", "{name}:x", "your code raised TypeError"),
        ("import sys; sys.exit(3)", "{name}:x", "your code raised SystemExit: 3"),
        ("a b", "{name}:x", "your code raised SyntaxError"),
    ],
)
def test_code_that_fails_is_told_in_one_line(
    here: Path, source: str, text: str, message: str, request: pytest.FixtureRequest
) -> None:
    name = f"net_{abs(hash(request.node.name))}"
    (here / f"{name}.py").write_text(source)
    with pytest.raises(LoadError) as caught:
        load_program(text.format(name=name))
    assert message.format(name=name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_code_without_paddle(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paddle", None)
    monkeypatch.setitem(sys.modules, "paddle.static", None)
    (here / "net_plain.py").write_text("def build(): return 1")
    (here / "net_paddle.py").write_text("import paddle\ndef build(): return 1")
    for text in ("net_plain:build", "net_paddle:build"):
        with pytest.raises(MissingDependency, match=r"graphprobe\[cpu\]"):
            load_program(text)


def test_a_bundled_model_that_does_not_exist() -> None:
    with pytest.raises(GraphprobeError, match="did you mean"):
        load_program("zoo:yolov3_mobilenet_v2")


@pytest.mark.paddle
def test_code_that_builds_a_program(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net_good.py").write_text(
        "import paddle\n"
        "paddle.enable_static()\n"
        "def build():\n"
        "    print('building')\n"
        "    program = paddle.static.Program()\n"
        "    with paddle.static.program_guard(program, paddle.static.Program()):\n"
        "        with paddle.utils.unique_name.guard():\n"
        "            x = paddle.static.data('x', [-1, 3, 32, 32])\n"
        "            paddle.static.nn.conv2d(x, 8, 3, padding=1)\n"
        "    return program\n"
        "def wrong(): return 'a text'\n"
    )
    program = load_program("net_good:build")
    printed = capsys.readouterr()
    assert [op.type for op in program.ops] == ["conv2d", "elementwise_add"]
    assert program.shape("conv2d_0.w_0") == (8, 3, 3, 3)
    assert program.feeds == ("x",)
    assert (program.origin.source, program.origin.version) == ("net_good:build", "2.6.2")
    assert printed.out == "building\n"
    with pytest.raises(LoadError, match="returned a builtins.str; return a paddle.static.Program"):
        load_program("net_good:wrong")


@pytest.mark.parametrize(
    ("wrong", "kind"), [(3, "builtins.int"), (None, "builtins.NoneType"), (len, "builtins.")]
)
def test_what_is_no_program_is_said_to_be_none(wrong: Any, kind: str) -> None:
    with pytest.raises(LoadError, match=f"^not a program but a {kind}.*; give a file, a folder, "):
        load(wrong)


@pytest.mark.paddle
def test_what_paddle_says_of_its_own_program(here: Path) -> None:
    import paddle

    paddle.enable_static()
    main = paddle.static.Program()
    with (
        paddle.static.program_guard(main, paddle.static.Program()),
        paddle.utils.unique_name.guard(),
    ):
        x = paddle.static.data("x", [-1, 3, 32, 32])
        y = paddle.static.nn.batch_norm(paddle.static.nn.conv2d(x, 8, 3, stride=2, groups=1))
        loss = paddle.mean(paddle.nn.functional.relu(y))
        paddle.optimizer.Momentum(0.1).minimize(loss)
    (here / "model").write_bytes(main.desc.serialize_to_string())
    program = load_program("model")
    assert [op.type for op in program.ops] == [op.type for op in main.global_block().ops]
    for mine, theirs in zip(program.ops, main.global_block().ops, strict=True):
        assert list(mine.input_names()) == [n for s in mine.inputs for n in theirs.input(s)]
        assert list(mine.output_names()) == [n for s in mine.outputs for n in theirs.output(s)]
        for name, value in mine.attrs.items():
            expected = theirs.attr(name)
            assert value == (tuple(expected) if isinstance(expected, list) else expected), name
    for var in main.list_vars():
        mine_var = program.var(var.name)
        assert mine_var is not None
        assert mine_var.shape == tuple(var.shape)
        assert mine_var.persistable == var.persistable
    roles = [op.role for op in program.ops]
    assert roles.count("optimizer") >= 3 and roles.index("backward") > roles.index("forward")
    norm = {f"batch_norm_0.{name}" for name in ("w_0", "b_0", "w_1", "w_2")}
    assert {v.name for v in program.parameters} == {"conv2d_0.w_0", "conv2d_0.b_0", *norm}


def test_an_empty_name_is_not_this_folder(here):
    with pytest.raises(LoadError, match="name is empty"):
        load_program("")


SHARED_DEFAULT = """
import paddle
paddle.enable_static()
{at_import}
def net(width):
    image = paddle.static.data("image", [-1, 1, 8, 8], "float32")
    x = paddle.nn.functional.relu(paddle.static.nn.conv2d(image, width, 3, bias_attr=False))
    return paddle.static.default_main_program()
def student(): return net(4)
def teacher(mode="train"): return net(16)
def nothing(): return paddle.static.default_main_program()
"""


@pytest.mark.paddle
def test_functions_that_build_into_the_default_program_do_not_leak(here: Path) -> None:
    """Every function has programs and names of its own, whoever was called before it."""
    (here / "net_shared.py").write_text(SHARED_DEFAULT.format(at_import=""))
    for call, width in (("student", 4), ("teacher", 16), ("student", 4)):
        program = load_program(f"net_shared:{call}")
        assert [op.type for op in program.ops] == ["conv2d", "relu"]
        assert program.shape("conv2d_0.w_0") == (width, 1, 3, 3)
    assert not load_program("net_shared:nothing").ops


@pytest.mark.paddle
def test_what_a_module_builds_while_it_is_imported_is_its_own(here: Path) -> None:
    for name, width in (("net_import_a", 2), ("net_import_b", 3)):
        at_import = f"paddle.static.nn.fc(paddle.static.data('x', [-1, {width}]), 1)"
        (here / f"{name}.py").write_text(SHARED_DEFAULT.format(at_import=at_import))
    for name, width in (("net_import_a", 2), ("net_import_b", 3), ("net_import_a", 2)):
        assert load_program(f"{name}:nothing").shape("fc_0.w_0") == (width, 1)
        assert [op.type for op in load_program(f"{name}:student").ops] == ["conv2d", "relu"]
