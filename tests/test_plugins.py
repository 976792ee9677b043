"""What installed packages add: docs/extending.md as it stands, and packages that are broken."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphprobe.errors import PluginError
from graphprobe.formats import write_program
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.losses import Loss, all_losses
from graphprobe.plugins import plugins
from graphprobe.registry import GROUPS
from graphprobe.zoo import zoo_names

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/extending.md"
GOOD = "from graphprobe.losses import Loss\nLOSS = Loss({!r}, ('x',), 1.0, len, len)\n"


def install(folder: Path, package: str, points: str, modules: dict[str, str]) -> None:
    """What pip leaves behind, without pip."""
    info = folder / f"{package}-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(points)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def losses(module: str, export: str = ":LOSS") -> str:
    return f"[console_scripts]\nx = y:z\n\n[graphprobe.losses]\nmine = {module}{export}\n"


@pytest.mark.parametrize("export", [":LOSS", ""])
def test_an_object_or_a_module(site: Path, export: str) -> None:
    module = f"plug_good{len(export)}"
    install(site, "plug-good", losses(module, export), {module: GOOD.format("mine")})
    found = all_losses()
    assert isinstance(found["mine"], Loss)
    assert list(found)[-1] == "mine"
    (plugin,) = plugins("graphprobe.losses")
    assert (plugin.name, plugin.package) == ("mine", "plug-good 2.0")
    assert plugin.source() == site / f"{module}.py"


def test_nothing_is_left_when_the_package_goes(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "plug-gone", losses("plug_gone"), {"plug_gone": GOOD.format("gone")})
    assert "gone" in all_losses()
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(site)])
    assert "gone" not in all_losses()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise ValueError('no\\nluck')", r"cannot be imported \(ValueError: luck\)"),
        ("import sys; sys.exit(3)", r"cannot be imported \(SystemExit: 3\)"),
        ("import nothing_like_it", "No module named 'nothing_like_it'"),
        ("LOSS = 3", "must be a Loss, not a int"),
        ("LOSSES = 3", "AttributeError"),
        (GOOD.format("l2"), "called 'l2', as that of graphprobe is"),
    ],
)
def test_a_broken_package_is_named_in_one_line(site: Path, text: str, told: str) -> None:
    module = f"plug_bad_{abs(hash(text))}"
    install(site, "plug-bad", losses(module), {module: text})
    with pytest.raises(PluginError, match=told) as caught:
        all_losses()
    line = str(caught.value)
    assert line.startswith("package plug-bad 2.0: mine = ") and "\n" not in line
    assert "mend or uninstall the package" in line


def test_a_broken_package_of_one_kind_stops_no_other(site: Path) -> None:
    install(site, "plug-rule", "[graphprobe.pair_rules]\nx = plug_nowhere:RULE\n", {})
    assert "l2" in all_losses()


OPERATORS = (
    "from graphprobe.ops.facets import family, operators\n"
    "from graphprobe.ops.shapes.rules import like\n"
    "from graphprobe.ops.channels.rules import passes\n"
    "from graphprobe.ops.spatial.rules import same\n"
    "from graphprobe.ops.work.rules import ELEMENTS\n"
    "FAMILY = family({!r}, operators({!r}, kind={!r}, channels=passes('X'), spatial=same,\n"
    "    shapes=like('X'), work=ELEMENTS, move={!r}, computes={!r}))\n"
)


def told_of_operators(site: Path) -> subprocess.CompletedProcess[str]:
    """What the table of operators says, in a process of its own as it is read once in each."""
    code = (
        "from graphprobe.errors import PluginError\nfrom graphprobe.ops import op_spec\n"
        "try:\n    print(op_spec('acme_relu').kind, op_spec('relu').kind)\n"
        "except PluginError as error:\n    print(error)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("acme_relu", "activation", None, None), None),
        (
            ("acme_relu", "activatoin", None, None),
            "gives acme_relu the kind 'activatoin', which does not exist "
            "(did you mean activation?)",
        ),
        (
            ("acme_relu", "movement", "sideways", None),
            "gives acme_relu the move 'sideways', which does not exist",
        ),
        (
            ("acme_relu", "activation", None, "gelu"),
            "gives acme_relu the computation 'gelu', which does not exist",
        ),
        (
            ("acme_relu relu gelu", "activation", None, None),
            "defines what graphprobe defines too: gelu, relu",
        ),
    ],
)
def test_operators_of_an_installed_package(
    site: Path, given: tuple[str, str, str | None, str | None], told: str | None
) -> None:
    points = "[graphprobe.operators]\nmine = plug_ops:FAMILY\n"
    install(site, "plug-ops", points, {"plug_ops": OPERATORS.format("mine", *given)})
    said = told_of_operators(site).stdout
    if told is None:
        assert said == "activation activation\n"
        return
    place = "package plug-ops 2.0: mine = plug_ops:FAMILY in [graphprobe.operators] "
    assert said.startswith(place + told)
    assert said.endswith("; mend or uninstall the package\n") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("family", "told"),
    [
        ("'mine', 3", "must give its specs by op type, not as a int"),
        ("'mine', [('a', 1)]", "must give its specs by op type, not as a list"),
        ("'mine', {1: None}", "must name op types by text, not by 1"),
        ("'mine', {'acme_relu': 'relu'}", "must give acme_relu an OpSpec, not a str"),
        ("'mine', {}, None", "must give its names in PIR as text, not NoneType"),
        ("7, {}", "must have a text as its name, not 7"),
    ],
)
def test_a_family_of_another_form_is_named_in_one_line(site: Path, family: str, told: str) -> None:
    points = "[graphprobe.operators]\nmine = plug_form:FAMILY\n"
    text = f"from graphprobe.ops.facets import Family\nFAMILY = Family({family})\n"
    install(site, "plug-form", points, {"plug_form": text})
    place = "package plug-form 2.0: mine = plug_form:FAMILY in [graphprobe.operators] "
    assert told_of_operators(site).stdout == f"{place}{told}; mend or uninstall the package\n"


def test_two_installed_packages_that_define_one_operator_are_both_named(site: Path) -> None:
    for name in ("one", "two"):
        points = f"[graphprobe.operators]\n{name} = plug_ops_{name}:FAMILY\n"
        text = OPERATORS.format(name, "acme_relu", "activation", None, None)
        install(site, f"plug-{name}", points, {f"plug_ops_{name}": text})
    said = told_of_operators(site).stdout
    assert said.startswith("package plug-two 2.0: two = ")
    assert "defines what plug-one 2.0 defines too: acme_relu" in said


def test_a_model_is_listed_without_being_imported(site: Path) -> None:
    install(site, "plug-zoo", "[graphprobe.zoo]\nmy_model = plug_zoo\n", {"plug_zoo": "1 / 0"})
    assert "my_model" in zoo_names()


def test_metadata_are_read_only_where_graphprobe_is_named(site: Path) -> None:
    install(site, "plain", "[console_scripts]\ngraphprobe-like = x:y\n", {})
    code = (
        "import sys\nfrom graphprobe.losses import all_losses\nall_losses()\n"
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"


def test_the_page_names_every_group() -> None:
    text = PAGE.read_text("utf-8")
    assert [group for group in GROUPS.values() if f"| `{group}` |" not in text] == []


def test_the_types_that_the_page_names_are_there() -> None:
    named = re.findall(r"\| `graphprobe\.\w+` \| `([\w.]+)` \|", PAGE.read_text("utf-8"))
    assert len(named) == len(GROUPS)
    for name in named:
        module, _, kind = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), kind), type)


def network(filters: int) -> Program:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 64, 64)), filters, k=3, stride=2)
    x = b.op("hard_swish", {"X": x}, shape=(-1, filters, 32, 32))
    x = b.conv(x, filters, k=3, stride=2)
    x = b.op("hard_swish", {"X": x}, shape=(-1, filters, 16, 16))
    return b.build(fetches=[x])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page, built and installed into a folder; two programs beside it."""
    source, target = tmp_path_factory.mktemp("acme"), tmp_path_factory.mktemp("site")
    (source / "acme_distill").mkdir()
    (source / "acme_distill" / "__init__.py").write_text("")
    blocks = re.findall(
        r"```(?:toml|python)\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert len(blocks) == 3
    for name, text in blocks:
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    for name, filters in (("student", 8), ("teacher", 8)):
        (target / name).write_bytes(write_program(network(filters)))
    return target


def command(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "from graphprobe_cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=installed, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip


def test_a_rule_and_a_loss_of_an_installed_package(installed: Path) -> None:
    sides = ("pairs", "--student", "student", "--teacher", "teacher", "--format", "json")
    done = command(installed, *sides, "--rule", "acme_activations")
    assert done.returncode == 0, done.stderr
    pairs = json.loads(done.stdout)["pairs"]
    assert [(p["rule"], p["loss"], p["weight"], p["stride"]) for p in pairs] == [
        ("acme_activations", "acme_cosine", 2.0, 4),
        ("acme_activations", "acme_cosine", 2.0, 2),
    ]
    named = command(installed, *sides, "--rule", "backbone_stages", "--loss", "acme_cosine")
    assert named.returncode == 0, named.stderr
    assert {pair["loss"] for pair in json.loads(named.stdout)["pairs"]} == {"acme_cosine"}
    wrong = command(installed, *sides, "--loss", "acme_cosin")
    assert wrong.returncode == 2 and "did you mean acme_cosine" in wrong.stderr


def test_a_config_may_name_the_loss(installed: Path) -> None:
    done = command(
        installed, "pairs", "--student", "student", "--teacher", "teacher",
        "--rule", "acme_activations", "-o", "distill.yaml",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code = (
        "from pathlib import Path; from graphprobe.config import load_config\n"
        "print({p.loss for p in load_config(Path('distill.yaml')).pairs})"
    )
    read = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed)}, check=True,
    )  # fmt: skip
    assert read.stdout == "{'acme_cosine'}\n"


def test_help_and_lists_name_what_packages_add(site: Path) -> None:
    points = "".join(
        f"[graphprobe.{group}]\nacme = plug_parts:{name}\n"
        for group, name in (
            ("pair_emitters", "PAIRS"),
            ("prune_emitters", "PRUNING"),
            ("renderers", "RENDERER"),
            ("loaders", "LOADER"),
        )
    )
    text = """from graphprobe.drawing.renderer import Renderer
from graphprobe.emit.emitter import PairEmitter, PruneEmitter
from graphprobe.formats import Loader
PAIRS = PairEmitter("acme", "Acme", len)
PRUNING = PruneEmitter("acme", "Acme", len)
RENDERER = Renderer("acme", len)
LOADER = Loader("acme", lambda head: False, len)
"""
    install(site, "plug-parts", points, {"plug_parts": text})
    for words in ("pairs", "prune-regex"):
        told = command(site, words, "--help")
        assert "acme, of plug-parts 2.0" in " ".join(told.stdout.split()), told.stderr
    for kind, count in (("emitters", 2), ("renderers", 1), ("loaders", 1)):
        found = json.loads(command(site, "list", kind, "--format", "json").stdout)
        assert [e["name"] for e in found["entries"]].count("acme") == count
