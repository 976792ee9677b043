"""The rules of docs/architecture.md that no linter holds."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphprobe_cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
# The folder of each installed package; cli/ installs as graphprobe_cli.
FOLDERS = {"graphprobe": "graphprobe", "graphprobe_cli": "cli", "tools": "tools"}
LONGEST, SHORTEST = 300, 40
# Modules below SHORTEST lines that define nothing public.
SHORT = {
    "graphprobe/version.py": "holds __version__, which setuptools and the library read",
}
PADDLE = ("paddle", "paddleslim")


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Dotted name, path from the root and syntax tree of every module."""
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = (package, *path.relative_to(ROOT / folder).with_suffix("").parts)
            yield ".".join(parts), path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def private_imports(name: str, tree: ast.Module) -> list[str]:
    """The modules called ``_x`` of other packages that a module imports."""
    package = name.rpartition(".")[0]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from package import name` may import a module called name.
            targets = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for target in targets:
            parts = target.split(".")
            hidden = next((i for i, part in enumerate(parts) if re.match("_[^_]", part)), None)
            if parts[0] not in FOLDERS or hidden is None:
                continue
            owner = ".".join(parts[:hidden])
            if not f"{package}.".startswith(f"{owner}."):
                found.append(target)
    return found


def runs_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that importing a module runs: not what is inside functions or TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from runs_at_import(node)


def paddle_imports(tree: ast.Module) -> list[str]:
    """What a module imports of paddle when it is imported itself."""
    found = []
    for node in runs_at_import(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
        found += [name for name in names if name.partition(".")[0] in PADDLE]
    return found


def defined(tree: ast.Module) -> set[str]:
    """The public names that a module defines itself."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def lines(path: Path) -> int:
    return len((ROOT / path).read_text("utf-8").splitlines())


def test_no_package_imports_another_ones_private_module() -> None:
    found = {name: private_imports(name, tree) for name, _, tree in modules()}
    assert {name: targets for name, targets in found.items() if targets} == {}


def test_paddle_is_imported_with_training_and_zoo_alone() -> None:
    allowed = ("graphprobe.training.", "graphprobe.zoo.", "tools.")
    found = {
        name: paddle_imports(tree) for name, _, tree in modules() if not name.startswith(allowed)
    }
    assert {name: targets for name, targets in found.items() if targets} == {}


def test_no_module_is_longer_than_a_chapter() -> None:
    assert [str(path) for _, path, _ in modules() if lines(path) > LONGEST] == []


def test_no_module_is_a_fragment() -> None:
    short = {
        str(path)
        for _, path, tree in modules()
        if lines(path) < SHORTEST and path.name != "__init__.py" and not defined(tree)
    }
    assert short - SHORT.keys() == set()


def test_what_is_excused_is_still_there() -> None:
    assert [path for path in SHORT if not (ROOT / path).is_file()] == []


ALIASES = ("Arrays", "Feed", "Say", "Shape", "Stride")


def assigned(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives a value itself, aliases of types among them."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_an_alias_of_a_type_is_defined_once() -> None:
    found = Counter(name for _, _, tree in modules() for name in assigned(tree))
    assert {name: found[name] for name in ALIASES if found[name] > 1} == {}
    assert found["Arrays"] == found["Feed"] == found["Shape"] == 1
    twice = ast.parse("Shape: TypeAlias = int\nShape = int\ndef f():\n    Shape = 1\n")
    assert list(assigned(twice)) == ["Shape", "Shape"]


def test_packages_are_installed() -> None:
    listed = (ROOT / "pyproject.toml").read_text("utf-8")
    folders = {path.parent for _, path, _ in modules() if path.parts[0] == "graphprobe"}
    missing = [d for d in sorted(folders) if f'"{".".join(d.parts)}"' not in listed]
    assert missing == []


def test_the_architecture_names_every_room_and_layer() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    tree = text.split("```")[1]
    rooms = {path.parts[1] for _, path, _ in modules() if path.parts[0] == "graphprobe"}
    rooms = {room if room.endswith(".py") else f"{room}/" for room in rooms}
    assert {room for room in rooms - {"__init__.py"} if f"  {room} " not in tree} == set()
    listed = (ROOT / "pyproject.toml").read_text("utf-8").split("layers = [")[1].split("]")[0]
    layers = " > ".join(["cli", *re.findall(r'"([^"]+)"', listed)])
    assert layers in " ".join(text.split())


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_paths_that_docs_name_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    named = re.findall(r"`((?:graphprobe|cli|tests|tools|templates)/[\w./-]*)`", text)
    named += ["CONTRIBUTING.md"]
    missing = [path for path in named if "NAME" not in path and not (ROOT / path).exists()]
    assert missing == []
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "README_cn.md", "CONTRIBUTING.md"])
def test_links_of_the_front_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", (ROOT / page).read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_rules_find_what_they_forbid() -> None:
    bad = ast.parse(
        "import paddle.nn\n"
        "from graphprobe.zoo import _conv\n"
        "from graphprobe.ops._x import y\n"
        "import graphprobe.ir._z\n"
        "def f():\n    import paddle\n"
    )
    assert private_imports("graphprobe.ops.families.pool", bad) == [
        "graphprobe.zoo._conv",
        "graphprobe.ir._z",
    ]
    assert paddle_imports(bad) == ["paddle.nn"]
    assert defined(bad) == {"f"}


# Words that start so are arguments of other programs, written into files for them.
OTHERS_OPTIONS = (
    "python -m paddle.distributed.launch",
    "python slim/prune/prune.py -c CONFIG ",
    "python tools/train.py -c configs/",
    "pip install 'paddlepaddle-gpu>=3.3,<3.4' -i ",
    "--slim_config",
    "--pruned_params",
    "--pruned_ratios",
    "--query-gpu",
    "--format=csv",
)


def library() -> Iterator[tuple[str, ast.Module]]:
    """Name and syntax tree of every module of the library."""
    return ((name, tree) for name, _, tree in modules() if name.startswith("graphprobe."))


def docstrings(tree: ast.Module) -> set[int]:
    """The nodes that are docstrings."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def texts_of(tree: ast.Module) -> list[str]:
    """The texts of a module; docstrings are no messages."""
    prose = docstrings(tree)
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


def commands_in_texts(tree: ast.Module) -> list[str]:
    """Texts of a module that send the reader to a command."""
    wanted = re.compile(rf"\bgraphprobe ({'|'.join(COMMANDS)})\b")
    return [text for text in texts_of(tree) if wanted.search(text)]


def options_in_texts(tree: ast.Module) -> list[str]:
    """Texts of a module that name an option of a command line."""
    return [
        text
        for text in texts_of(tree)
        if re.search(r"(?:^|[\s(\[/'\"`])(?:--[a-z]|-[A-Za-z](?![\w-]))", text)
        and not any(option in text for option in OTHERS_OPTIONS)
    ]


def prints(tree: ast.Module) -> list[str]:
    """What a module prints, or writes to the process's own streams."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo"):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"):
            found.append(f"{ast.unparse(node)} in line {node.lineno}")
    return found


def test_messages_of_the_library_name_no_option() -> None:
    found = {name: options_in_texts(tree) for name, tree in library()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_messages_of_the_library_send_nobody_to_a_command() -> None:
    found = {name: commands_in_texts(tree) for name, tree in library()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_the_library_writes_to_no_stream() -> None:
    found = {name: prints(tree) for name, tree in library()}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_the_library_imports_neither_typer_nor_rich() -> None:
    texts = {str(path): path.read_text("utf-8") for path in (ROOT / "graphprobe").rglob("*.py")}
    wanted = re.compile(r"^\s*(?:import|from) (?:typer|rich)\b", re.MULTILINE)
    assert [path for path, text in texts.items() if wanted.search(text)] == []


def test_the_rules_for_texts_find_what_they_forbid() -> None:
    bad = ast.parse(
        '"""Use --this."""\nimport sys\nraise ValueError("take --ratio", "a--b")\n'
        'raise ValueError("resume with -r auto", "-o", "an n-m one, 3 -x_", "x[-k]")\n'
        "print(1)\nsys.stderr.write('')\n"
    )
    assert options_in_texts(bad) == ["take --ratio", "resume with -r auto", "-o", "x[-k]"]
    bad_hint = ast.parse('"""graphprobe train"""\nuse("or graphprobe train", "graphprobe trains")')
    assert commands_in_texts(bad_hint) == ["or graphprobe train"]
    assert prints(bad) == ["print(1)", "sys.stderr in line 6"]
