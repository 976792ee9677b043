"""What is wrong with a command's words is said before Paddle is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from graphprobe_cli.main import COMMANDS

import graphprobe

ZOO = "zoo:yolov3_mobilenet_v1"
QUICK = f"train --student {ZOO} --data digits"
SENSITIVE = f"sensitivity {ZOO} --data digits"
LINES = f"""
vars nosuch
vars zoo:nosuch
vars {ZOO} --match (
vars {ZOO} -o x.foo
pairs --student {ZOO} --teacher nosuch
pairs --student {ZOO} --teacher {ZOO} -o x.foo
pairs --student {ZOO} --teacher {ZOO} --emit nosuch
prune-regex {ZOO} -o x.pdf
pairs --student {ZOO} --teacher {ZOO} --data nosuch:x
prune-regex {ZOO} --ratio 2
prune-regex {ZOO} --emit nosuch
{SENSITIVE} --weights nosuch
{SENSITIVE} --policy nosuch
{SENSITIVE} --keep (
{SENSITIVE} --mean 1
{SENSITIVE} -o x.foo
sensitivity {ZOO} --data nosuch:x
sensitivity nosuch --data digits
draw {ZOO} -o x.foo
draw nosuch -o x.pdf
report --student nosuch -o x.html
report --student {ZOO} -o x.foo
data nosuch:x
data digits --sheet x.foo
list nosuch
check nosuch.yaml
check c.yaml -o train.nosuch=1
check c.yaml --data yolo:nosuch
train
train c.yaml -o batch_size=4
train c.yaml -r nosuch
train --student {ZOO} --data yolo:nosuch
train --student zoo:nosuch --data digits
train --student nosuch --data digits
{QUICK} --teacher nosuch
{QUICK} --teacher {ZOO} --teacher-weights nosuch
{QUICK} --prune 2
{QUICK} --epochs 0
{QUICK} --engine nosuch
{QUICK} --mean 1
{QUICK} -o train.nosuch=1
eval nosuch
eval c.yaml
eval c.yaml -r nosuch
eval c.yaml --weights nosuch
infer c.yaml
infer c.yaml nosuch.jpg
infer c.yaml --samples 2 -r nosuch
export c.yaml
export c.yaml --weights nosuch
export nosuch --form pdmodel --output y
runs nosuch
compare nosuch
doctor nosuch
""".strip().splitlines()
SCRIPT = """
import contextlib, importlib.machinery, io, json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "paddle" else None
    def create_module(self, spec):
        raise RuntimeError("paddle was imported")
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Refuse())
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app
found = {}
for line in json.loads(sys.stdin.read()):
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        status = run(build_app(line.split()[0]), line.split())
    found[line] = [status, error.getvalue()]
print(json.dumps(found))
"""


def test_each_command_is_tried() -> None:
    assert {line.split()[0] for line in LINES} == set(COMMANDS)


@pytest.mark.paddle
def test_a_wrong_word_ends_without_paddle(tmp_path: Path) -> None:
    graphprobe.load(ZOO)  # into the cache: what is built for the first time needs Paddle
    text = f"version: 1\nkind: train\nstudent: {{program: '{ZOO}?num_classes=3'}}\n"
    (tmp_path / "c.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(LINES), capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == LINES
    wrong = {line: said for line, (status, said) in found.items() if status != 2}
    assert wrong == {}
    # What else is written is said of the data, which are looked at first.
    assert all(said.splitlines()[-1].startswith("error: ") for _, said in found.values())
