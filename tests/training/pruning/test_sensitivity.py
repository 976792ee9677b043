"""What pruning a group costs: the masked metric is the pruned network's; a stop loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.config import DataSection, PruneConfig
from graphprobe.emit import prune_config
from graphprobe.errors import CheckpointError, GraphprobeError, TrainError, UsageError
from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import choose

pytestmark = pytest.mark.paddle

PROGRAM = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
DATA = "digits?count=24&size=64&classes=2&max_digits=6"
KEPT = ("conv1_weights", "conv5_3_sep_weights", "yolo_block.1.0.1.conv.weights")
Make = Callable[..., PruneConfig]


@pytest.fixture(scope="module")
def make(finding_weights: Path) -> Make:
    """The config of three groups of the network: a first, a middle one, one behind a concat."""
    program = load_program(PROGRAM)
    choice = choose(find_prunable(program, "coupled"), 0.9)

    def config(**update: Any) -> PruneConfig:
        made = prune_config(choice, program, "", weights=str(finding_weights))
        groups = tuple(g for g in made.prune.groups if g.convs[0] in KEPT)
        train = {"data": DataSection(train=DATA, val=DATA), "image_size": 64, **update}
        return made.model_copy(
            update={
                "prune": made.prune.model_copy(update={"groups": groups}),
                "train": made.train.model_copy(update=train),
            }
        )

    return config


def measure(config: PruneConfig, record: Path, ratios: tuple[float, ...], **more: Any) -> Any:
    import paddle

    from graphprobe.training.pruning.sensitivity import measure_sensitivity

    lines: list[str] = []
    program = load_program(config.student.program)
    found = measure_sensitivity(
        config, program, ratios, record, paddle.CPUPlace(), log=lines.append, **more
    )
    return found, lines


def cut_value(config: PruneConfig, name: str, ratio: float) -> tuple[float, int]:
    """The metric of the network that is really cut, and the channels that it has left."""
    import paddle

    from graphprobe.training.evaluate import make_evaluator
    from graphprobe.training.feeding.feeding import open_validation
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.cutter import apply_prune
    from graphprobe.training.pruning.masking import open_subject

    group = next(g for g in config.prune.groups if g.convs[0] == name)
    alone = group.model_copy(update={"ratio": ratio})
    section = config.prune.model_copy(update={"groups": (alone,), "engine": "own"})
    source = Networks().source(PROGRAM)
    subject = open_subject(config, load_program(PROGRAM), paddle.CPUPlace(), source)
    summary = apply_prune(subject.built.main, None, subject.scope, section)
    data = open_validation(config.train, subject.built)
    evaluator = make_evaluator(config.train, subject.built, data, paddle.CPUPlace())
    return evaluator.run(subject.scope).value, summary.plan.channels[name][1]


def test_the_masked_metric_is_that_of_the_cut_network(make: Make, tmp_path: Path) -> None:
    config = make()
    found, _ = measure(config, tmp_path / "s.json", (0.5, 0.9))
    assert 0 < found.baseline <= 1 and [g.convs[0] for g in found.groups] == list(KEPT)
    values = set()
    for group in found.groups:
        for point in group.points:
            value, kept = cut_value(config, group.convs[0], point.ratio)
            assert point.kept == kept < group.channels
            assert point.value == pytest.approx(value, rel=1e-4)
            assert point.loss == pytest.approx(1 - value / found.baseline, abs=1e-3)
            assert 0 < point.flops < 0.5
            values.add(f"{value:.3g}")
    assert len(values) > 3  # pruning does change what is found


def test_the_weights_are_as_before_after_all_of_it(make: Make, tmp_path: Path) -> None:
    first, _ = measure(make(), tmp_path / "a.json", (0.9,))
    again, _ = measure(make(), tmp_path / "b.json", (0.9,))
    turned = make()
    groups = tuple(reversed(turned.prune.groups))
    turned = turned.model_copy(update={"prune": turned.prune.model_copy(update={"groups": groups})})
    other, _ = measure(turned, tmp_path / "c.json", (0.9,))
    assert first == again == other


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int | None], list[int]]]:
    """Interrupt after some measurements; counts those that were made."""
    from graphprobe.training.pruning import sensitivity

    true = sensitivity.masked_value

    def arm(after: int | None) -> list[int]:
        made = [0]

        def counted(*words: Any) -> float:
            if made[0] == after:
                raise KeyboardInterrupt
            made[0] += 1
            return true(*words)

        monkeypatch.setattr(sensitivity, "masked_value", counted)
        return made

    yield arm


def test_a_stopped_run_goes_on_to_an_equal_file(
    make: Make, tmp_path: Path, stop: Callable[[int | None], list[int]]
) -> None:
    whole, part = tmp_path / "whole.json", tmp_path / "part.json"
    made = stop(None)
    measure(make(), whole, (0.3, 0.6, 0.9))
    total = made[0]
    assert total <= 9
    stop(2)
    with pytest.raises(KeyboardInterrupt):
        measure(make(), part, (0.3, 0.6, 0.9))
    assert part.read_bytes() != whole.read_bytes()
    made = stop(None)
    found, lines = measure(make(), part, (0.3, 0.6, 0.9))
    assert made[0] == total - 2 and f"{part}: going on" in lines[0]
    assert part.read_bytes() == whole.read_bytes()
    made = stop(None)
    assert measure(make(), part, (0.6,))[0] == found and made[0] == 0


def test_other_ratios_are_added(make: Make, tmp_path: Path) -> None:
    record = tmp_path / "s.json"
    measure(make(), record, (0.5,))
    found, _ = measure(make(), record, (0.9,))
    assert found.ratios == [0.5, 0.9]
    both, _ = measure(make(), tmp_path / "t.json", (0.5, 0.9))
    assert found == both


def test_the_record_says_on_how_many(written: bytes) -> None:
    assert json.loads(written)["measured"]["samples"] == 12


@pytest.fixture(scope="module")
def written(make: Make, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A record of one ratio on twelve pictures."""
    record = tmp_path_factory.mktemp("record") / "s.json"
    measure(make(), record, (0.9,), samples=12)
    return record.read_bytes()


@pytest.mark.parametrize("change", ["data", "image", "samples", "policy", "weights"])
def test_a_record_of_something_else_is_refused(
    change: str, make: Make, tmp_path: Path, finding_weights: Path, written: bytes
) -> None:
    record = tmp_path / "s.json"
    record.write_bytes(written)
    config, more = make(), {"samples": 12}
    if change == "data":
        config = make(data=DataSection(train=DATA, val=DATA + "&seed=1"))
    elif change == "image":
        config = make(image_size=96)
    elif change == "samples":
        more = {"samples": 13}
    elif change == "policy":
        prune = config.prune.model_copy(update={"policy": "seeds"})
        config = config.model_copy(update={"prune": prune})
    else:
        values = dict(np.load(finding_weights))
        values["conv1_weights"] = values["conv1_weights"] * 2
        np.savez(tmp_path / "other.npz", **values)
        student = config.student.model_copy(update={"weights": str(tmp_path / "other.npz")})
        config = config.model_copy(update={"student": student})
    with pytest.raises(UsageError, match=rf"s\.json: {change}.* is .*, not ") as caught:
        measure(config, record, (0.5,), **more)
    assert "\n" not in str(caught.value) and record.read_bytes() == written


def test_a_damaged_record_is_refused_and_left_alone(
    make: Make, tmp_path: Path, written: bytes
) -> None:
    record = tmp_path / "s.json"
    record.write_bytes(written[:-40])
    with pytest.raises(GraphprobeError, match=r"s\.json: not json"):
        measure(make(), record, (0.9,), samples=12)
    assert record.read_bytes() == written[:-40]


def test_a_network_that_finds_nothing_has_nothing_to_lose(
    make: Make, tmp_path: Path, finding_weights: Path
) -> None:
    values = dict(np.load(finding_weights))
    for name in values:
        if name.startswith("yolo_output"):  # no box is likely
            values[name] = np.full_like(values[name], -50.0 if values[name].ndim == 1 else 0.0)
    np.savez(tmp_path / "zero.npz", **values)
    config = make()
    student = config.student.model_copy(update={"weights": str(tmp_path / "zero.npz")})
    with pytest.raises(TrainError, match="before any pruning"):
        measure(config.model_copy(update={"student": student}), tmp_path / "s.json", (0.9,))
    assert not (tmp_path / "s.json").exists()


def test_weights_that_are_not_there(make: Make, tmp_path: Path) -> None:
    config = make()
    student = config.student.model_copy(update={"weights": str(tmp_path / "none.npz")})
    with pytest.raises(CheckpointError, match="no such weights"):
        measure(config.model_copy(update={"student": student}), tmp_path / "s.json", (0.9,))


def test_weights_that_were_cut_before(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.training.pruning import masking
    from graphprobe.training.weights.read import Weights

    monkeypatch.setattr(masking, "read_weights", lambda *_: Weights({}, prune={"axes": {}}))
    with pytest.raises(CheckpointError, match="were pruned before; name the weights of the whole"):
        measure(make(), tmp_path / "s.json", (0.9,))
