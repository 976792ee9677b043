"""What is asked of Paddle on a card, held against a stand-in: none is here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.paddle


class Card:
    """A place on a card."""

    def __init__(self, number: int) -> None:
        self.number = number

    def get_device_id(self) -> int:
        return self.number


class Config:
    """Notes what Paddle's inference engine is told."""

    def __init__(self, *files: str) -> None:
        self.told: list[tuple[Any, ...]] = [("files", *files)]

    def __getattr__(self, name: str) -> Any:
        return lambda *given: self.told.append((name, *given))

    def pass_builder(self) -> Any:
        return self


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    """A card that works, for whatever asks whether a place is one."""
    import paddle

    from graphprobe.training.runtime import device, inference_engine

    monkeypatch.setattr(device.paddle, "CUDAPlace", Card)
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: True)
    monkeypatch.setattr(paddle.device.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(device, "_add_on", lambda number: None)
    monkeypatch.setattr(inference_engine.inference, "Config", Config)
    return Card(1)


@pytest.mark.parametrize("device", ["gpu", "auto"])
@pytest.mark.parametrize(("given", "number"), [(None, 0), ("1", 1)])
def test_a_process_runs_on_the_card_that_it_was_given(
    device: str, given: str | None, number: int, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    import paddle

    from graphprobe.training.runtime.device import choose_place, is_gpu

    monkeypatch.delenv("FLAGS_selected_gpus", raising=False)
    if given is not None:
        monkeypatch.setenv("FLAGS_selected_gpus", given)
    chosen: list[str] = []
    monkeypatch.setattr(paddle, "set_device", chosen.append)
    said: list[str] = []
    place = choose_place(device, said.append)
    assert isinstance(place, Card) and is_gpu(place)
    assert (place.number, chosen, said) == (number, [f"gpu:{number}"], [])


@pytest.mark.parametrize(("half", "precision"), [(True, "Half"), (False, "Float32")])
def test_the_engine_takes_a_card_its_memory_and_a_precision(
    half: bool, precision: str, card: Card
) -> None:
    from paddle import inference

    from graphprobe.training.runtime.inference_engine import GPU_MEMORY_MB, engine_settings

    told = engine_settings(Path("m"), Path("p"), card, half=half).told
    kind = getattr(inference.PrecisionType, precision)
    assert ("enable_use_gpu", GPU_MEMORY_MB, 1, kind) in told
    assert ("enable_memory_optim",) in told
    assert not any(name in ("enable_mkldnn", "disable_gpu") for name, *_ in told)


def test_the_engine_on_a_cpu_is_told_of_no_card(card: Card) -> None:
    import paddle

    from graphprobe.training.runtime.inference_engine import engine_settings

    told = engine_settings(Path("m"), Path("p"), paddle.CPUPlace(), half=True).told
    assert ("disable_gpu",) in told and ("enable_mkldnn",) in told
    assert not any(name == "enable_use_gpu" for name, *_ in told)


def test_a_teacher_on_a_card_computes_in_half_precision_and_without_onednn(card: Card) -> None:
    from paddle import inference

    from graphprobe.training.teacher.inference import _settings

    told = _settings("t", card).told
    assert told[0] == ("files", "t.pdmodel", "t.pdiparams")
    (taken,) = [given for name, *given in told if name == "enable_use_gpu"]
    assert taken[-1] == inference.PrecisionType.Half
    assert not any("mkldnn" in name for name, *_ in told)


def test_a_student_on_a_card_gets_no_onednn(
    card: Card, document: Any, make_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import paddle

    from graphprobe.training import assemble
    from graphprobe.training.networks.build import open_network

    config = make_config(document(tmp_path / "run"))
    student = open_network(config.student, "student")
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(assemble, "Engine", lambda *given, **named: made.append(named))
    for place in (card, paddle.CPUPlace()):
        assemble.make_engine(config, student, {}, place)
    assert made[0]["onednn"] is None and made[1]["onednn"] is not None


def test_norms_over_all_cards_are_those_that_learn(card: Card) -> None:
    import paddle

    from graphprobe.training.distributed.process_group import use_sync_norm

    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program, paddle.static.Program()):
        x = paddle.static.data("x", [2, 3, 4, 4])
        for fixed in ({}, {"is_test": True}, {"use_global_stats": True}):
            x = paddle.static.nn.batch_norm(x, **fixed)
    use_sync_norm(program, card)
    types = [op.type for op in program.global_block().ops]
    assert types == ["sync_batch_norm", "batch_norm", "batch_norm"]


def test_processes_on_cards_are_connected_by_nccl(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    import paddle

    from graphprobe.training.distributed import process_group

    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(process_group, "connect_gpus", lambda *given: asked.append(given))
    monkeypatch.setattr(process_group, "connect_cpus", lambda *given: asked.append(given))
    endpoints = ["127.0.0.1:1", "127.0.0.1:2"]
    for place in (card, paddle.CPUPlace()):
        process_group._connect(place, endpoints)
    assert asked == [(card, 0, endpoints), (0, endpoints)]
