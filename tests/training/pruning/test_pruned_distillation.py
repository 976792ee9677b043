"""A student that is pruned and then taught: pruned first, then merged; pairs that no longer fit."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import ConfigError

pytestmark = pytest.mark.paddle


@pytest.fixture(scope="module")
def write_prune(document: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes the prune.yaml of the tests' student (or of another program); returns its path."""

    def write(program: str | None = None, keep: str | None = None) -> Path:
        from graphprobe.config import config_text
        from graphprobe.emit import prune_config
        from graphprobe.programs import load_program
        from graphprobe.pruning.decisions import find_prunable
        from graphprobe.pruning.ratios import Limits, choose

        name = program or document(Path())["student"]["program"]
        read = load_program(name)
        limits = Limits(keep=re.compile(keep) if keep else None)
        choice = choose(find_prunable(read, "coupled"), 0.5, limits=limits)
        path = tmp_path_factory.mktemp("prune") / "prune.yaml"
        path.write_text(config_text(prune_config(choice, read, name)))
        return path

    return write


def train(make_config: Any, plain: dict[str, Any], resume: str | None = None) -> Any:
    from graphprobe.training.run import run_training

    config = make_config(plain)
    return run_training(config, where="d.yaml", device="cpu", resume=resume, log=lambda _: None)


def probe(make_config: Any, plain: dict[str, Any]) -> Any:
    import paddle

    from graphprobe.training.check import probe_distillation

    config = make_config(plain)
    return probe_distillation(config, paddle.CPUPlace(), where="d.yaml", log=lambda _: None)


def checkpoint(folder: Path, iteration: int) -> Any:
    from graphprobe.training.weights.checkpoint import read_checkpoint

    return read_checkpoint(folder / "checkpoints" / f"{iteration:06d}")


def test_a_student_is_cut_then_merged_and_resumed(
    make_config: Any, distillation: Any, teacher_run: Path, write_prune: Any, tmp_path: Path
) -> None:
    cut = str(write_prune())
    plain = {**distillation(tmp_path / "whole", teacher_run, max_iters=4), "prune": cut}
    whole = train(make_config, plain)
    parts = {**distillation(tmp_path / "parts", teacher_run, max_iters=2), "prune": cut}
    train(make_config, parts)
    train(make_config, {**parts, "train": {**parts["train"], "max_iters": 4}}, resume="auto")
    ends = checkpoint(tmp_path / "whole", 4), checkpoint(tmp_path / "parts", 4)
    from graphprobe.pruning.plan_json import plan_from_json

    plan = ends[0].state["prune"]
    assert plan == ends[1].state["prune"]
    axes = plan_from_json(plan).axes
    for name, array in ends[0].weights.items():
        np.testing.assert_array_equal(array, ends[1].weights[name], err_msg=name)
        for axis, (size, kept) in axes.get(name, {}).items():
            assert array.shape[axis] == len(kept) < size
    assert whole.pruning.after.parameters == whole.parameters < whole.pruning.before.parameters
    assert whole.teacher_value is not None


def _conv_output(program: str, weights: str) -> str:
    """What the convolution with these weights writes."""
    from graphprobe.programs import load_program

    ops = load_program(program).ops
    return next(op.output("Output") or "" for op in ops if op.input("Filter") == weights)


def test_pairs_that_the_cut_leaves_alone_pass(
    make_config: Any, distillation: Any, teacher_run: Path, write_prune: Any, tmp_path: Path
) -> None:
    plain = {**distillation(tmp_path / "run", teacher_run), "prune": str(write_prune())}
    verdict = probe(make_config, plain)
    assert verdict.passed and len(verdict.rows) == 3
    assert all(row.reached and row.reached > 50 for row in verdict.rows)


def test_a_pair_that_the_cut_broke_is_named_with_what_to_do(
    make_config: Any, distillation: Any, write_prune: Any, tmp_path: Path
) -> None:
    """The teacher is the student before its cut, so every variable fits until it is cut."""
    plain = distillation(tmp_path / "run")
    program = plain["student"]["program"]
    name, other = (_conv_output(program, f"conv{n}_sep_weights") for n in ("4_2", "5_1"))
    pair = {"student": name, "teacher": name, "loss": "l2", "weight": 1.0}
    adapter = {"in_channels": 25, "out_channels": 25}
    adapted_pair = {**pair, "student": other, "teacher": other, "adapter": adapter}
    bad = {
        **plain,
        "teacher": {"program": program},
        "pairs": [
            {**plain["pairs"][0], "teacher": plain["pairs"][0]["student"]}, pair, adapted_pair
        ],
    }  # fmt: skip
    assert probe(make_config, bad).passed
    cut = {**bad, "prune": str(write_prune())}
    verdict = probe(make_config, cut)
    fits, plainly, adapted = verdict.rows
    assert not fits.problems and len(plainly.problems) == len(adapted.problems) == 1
    said = str(plainly.problems[0])
    assert said.startswith("pairs[1]: ") and f"13 of the 25 channels of {name}" in said
    assert "keep='^conv4_2_sep_weights$'" in said and "give the pair an adapter" in said
    said = str(adapted.problems[0])
    assert said.startswith("pairs[2].adapter: ") and "set its adapter.in_channels to 13" in said
    with pytest.raises(ConfigError, match=r"pairs\[1\].*keep=.*pairs\[2\]\.adapter"):
        train(make_config, cut)
    # What the message says helps.
    kept = {**bad, "prune": str(write_prune(keep="^conv(4_2|5_1)_sep_weights$"))}
    assert probe(make_config, kept).passed
    mended = [bad["pairs"][0], {**adapted_pair, "adapter": {**adapter, "in_channels": 13}}]
    assert probe(make_config, {**cut, "pairs": mended}).passed


def test_a_pair_behind_a_concat_names_every_group_that_it_needs_whole(
    make_config: Any, distillation: Any, write_prune: Any, tmp_path: Path
) -> None:
    from graphprobe.programs import load_program

    plain = distillation(tmp_path / "run")
    program = plain["student"]["program"]
    concat = next(op for op in load_program(program).ops if op.type == "concat")
    name = concat.output("Out")
    pair = {"student": name, "teacher": name, "loss": "l2", "weight": 1.0}
    bad = {**plain, "teacher": {"program": program}, "pairs": [pair]}
    verdict = probe(make_config, {**bad, "prune": str(write_prune())})
    (problem,) = verdict.rows[0].problems
    said = str(problem)
    (keep,) = map(ast.literal_eval, re.findall("keep=('[^']*')", said))
    assert keep == r"^(?:conv4_2_sep_weights|yolo_transition\.0\.conv\.weights)$"
    assert "\n" not in said
    for one in ("^yolo_transition", "^conv4_2_sep_weights$"):  # neither alone is enough
        assert not probe(make_config, {**bad, "prune": str(write_prune(keep=one))}).passed
    assert probe(make_config, {**bad, "prune": str(write_prune(keep=keep))}).passed


def test_a_line_does_not_name_every_group_of_a_dense_network() -> None:
    from graphprobe.training.pruning.pairs_after_pruning import _keep

    assert _keep([]) == ""
    assert "come from 9 pruned groups, from that of a to that of i" in _keep([*"abcdefghi"])


def test_a_cut_of_another_program_is_refused(
    make_config: Any, distillation: Any, teacher_run: Path, write_prune: Any, tmp_path: Path
) -> None:
    other = write_prune("zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.1")
    plain = {**distillation(tmp_path / "run", teacher_run), "prune": str(other)}
    with pytest.raises(ConfigError, match=re.escape(f"{other}: student.fingerprint")):
        probe(make_config, plain)
