"""Latency: what is timed is the exported network, and a disturbed machine is said."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.paddle


def test_both_networks_run_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    import paddle

    from graphprobe.training.runtime import latency
    from graphprobe.zoo import build_zoo, parse_zoo

    networks = [
        build_zoo(parse_zoo(f"zoo:{name}&mode=infer"))
        for name in ("yolov3_mobilenet_v1?scale=0.05", "deeplabv3p_mobilenetv2?scale=0.05")
    ]
    turns: list[int] = []
    prepare = latency._prepare

    def counted(built: Any, size: tuple[int, int], place: Any) -> Any:
        step, number = prepare(built, size, place), networks.index(built)
        return lambda: (turns.append(number), step())

    monkeypatch.setattr(latency, "_prepare", counted)
    monkeypatch.setattr(latency, "RUNS", 4)
    times = latency.latencies(networks, (64, 64), paddle.CPUPlace(), lambda _: None)
    assert len(times) == 2 and min(times) > 0
    assert turns == [0, 1] * (4 + latency.WARM_UP)


@pytest.mark.parametrize(("seconds", "unsteady"), [([1.0] * 9, False), ([1, 2, 3, 4.0], True)])
def test_a_disturbed_machine_is_noticed(seconds: list[float], unsteady: bool) -> None:
    from graphprobe.training.runtime.latency import _unsteady

    assert _unsteady(seconds) is unsteady
