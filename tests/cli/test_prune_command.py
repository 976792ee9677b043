"""graphprobe prune-regex as a user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.paddle

STUDENT = "zoo:yolov3_mobilenet_v1?scale=0.125&size=64"


def graphprobe(*words):
    return subprocess.run(
        [sys.executable, "-c", "from graphprobe_cli.main import main; main()", *words],
        capture_output=True,
        text=True,
    )


def test_json_is_the_contract():
    done = graphprobe("prune-regex", STUDENT, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["params"]) == 30 and len(found["convs"]) == 50
    matched = [c["param"] for c in found["convs"] if re.search(found["regex"], c["param"])]
    assert matched == found["params"]
    first = next(c for c in found["convs"] if c["param"] == "conv3_2_sep_weights")
    assert (first["status"], first["reason"], first["at"]["type"]) == (
        "blocked",
        "concat",
        "concat",
    )
    assert first["path"][-1].startswith("concat") and first["groups"] == 1


def test_a_config_is_written_and_read_again(tmp_path):
    path = tmp_path / "prune.yaml"
    done = graphprobe("prune-regex", STUDENT, "--policy", "coupled", "-o", str(path))
    assert done.returncode == 0, done.stderr
    from graphprobe.config import PruneConfig, config_text, load_config

    config = load_config(path)
    assert isinstance(config, PruneConfig)
    assert config.prune.policy == "coupled" and len(config.prune.groups) == 34
    assert {g.ratio for g in config.prune.groups} == {0.5}
    (tmp_path / "again.yaml").write_text(config_text(config))
    assert load_config(tmp_path / "again.yaml") == config


def test_the_table_fits_80_columns():
    done = graphprobe("prune-regex", STUDENT, "--keep", ".")
    assert done.returncode == 1 and "nothing to prune" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "blocked, concat (4)" in done.stdout and "not selected" in done.stdout


def test_a_layer_that_is_the_cause_itself_says_why(tmp_path):
    from graphprobe.formats import write_program
    from graphprobe.ir.builder import Builder

    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4, name="first")
    made = b.op("softmax", {"X": b.param("w", (4, 4, 1, 1))}, shape=(4, 4, 1, 1))
    x = b.op("conv2d", {"Input": x, "Filter": made}, {"Output": "second"}, shape=(-1, 4, 8, 8))
    file = tmp_path / "m.pdmodel"
    file.write_bytes(write_program(b.build(fetches=[b.conv(x, 2, name="last")])))
    done = graphprobe("prune-regex", str(file), "--policy", "coupled")
    lines = [line.strip() for line in done.stdout.splitlines()]
    at = next(i for i, line in enumerate(lines) if line.startswith("w "))
    assert lines[at + 1].startswith("at op 2 itself: its filter is")
    assert max(map(len, lines[1:])) <= 80


@pytest.mark.parametrize("form", ["slim1x", "ppdet1x", "ppdet2x", "act"])
def test_other_tools_forms(form):
    done = graphprobe("prune-regex", STUDENT, "--emit", form)
    assert done.returncode == 0, done.stderr
    assert "conv2_1_sep_weights" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--policy", "seed"), "did you mean seeds"),
        (("--ratio", "1.5"), "--ratio"),
        (("--target-flops", "0"), "--target-flops"),
        (
            ("--ratio", "0.5", "--target-flops", "0.5"),
            "--ratio 0.5: stands beside --target-flops 0.5",
        ),
        (("--keep", "("), "not a regular expression"),
        (("--round-to", "0"), "--round-to"),
        (("-o", "x.pdf"), "unknown suffix"),
    ],
)
def test_bad_usage_is_one_line(words, said):
    done = graphprobe("prune-regex", STUDENT, *words)
    assert done.returncode == 2
    # A slow machine also names what it waits for ("importing Paddle ...").
    lines = [line for line in done.stderr.splitlines() if not line.endswith(" ...")]
    assert len(lines) == 1 and said in lines[0]
