"""Which convolutions oneDNN runs."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.paddle

SIDE = 16


def three_kinds() -> Any:
    """A 3x3 convolution, a pointwise and a depthwise one with their gradients, H and W open."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        x = paddle.static.data("image", [-1, 64, -1, -1])
        for made, side, groups, stride in ((64, 3, 1, 2), (64, 1, 1, 1), (64, 3, 64, 1)):
            conv = paddle.nn.Conv2D(
                64, made, side, stride=stride, padding=side // 2, groups=groups, bias_attr=False
            )
            x = paddle.nn.functional.relu(conv(x))
        paddle.static.append_backward(paddle.mean(x))
    return main


def chosen(
    count: int,
    room: int,
    monkeypatch: pytest.MonkeyPatch,
    *,
    heavy: float = 0,
    sizes: tuple[int, ...] = (SIDE,),
) -> list[str]:
    """Types of the ops that run in oneDNN, with the sides of their filters."""
    from graphprobe.training.runtime import onednn

    monkeypatch.setattr(onednn, "WEIGHTS", 1)
    monkeypatch.setattr(onednn, "SHARE", 0)
    monkeypatch.setattr(onednn, "HEAVY", heavy)
    main = three_kinds()
    some = onednn.use_onednn(main, onednn.BatchGeometry(count, sizes, room))
    block = main.global_block()
    found = [
        f"{op.type} {block.var(op.input('Filter')[0]).shape[-1]}"
        for op in block.ops
        if op.has_attr("use_mkldnn") and op.attr("use_mkldnn")
    ]
    assert some == bool(found)
    return found


# Numbers of one picture: it comes with 64 * 16 * 16, and every map after it has 64 * 8 * 8.
WHOLE, MAP, FILTER = 64 * 256, 64 * 64, 64 * 64 * 9
NEEDS = {
    "conv2d 3": 2 * WHOLE + FILTER,
    "conv2d 1": 2 * MAP + 64 * 64,
    "depthwise_conv2d 3": 2 * MAP + 64 * 9,
    "depthwise_conv2d_grad 3": 6 * MAP + 64 * 9,
    "conv2d_grad 1": 6 * MAP + 64 * 64,
    "conv2d_grad 3": 2 * WHOLE + 4 * MAP + FILTER,
}


def test_with_room_for_all_every_op_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    room = 4 * sum(NEEDS.values())
    assert chosen(2, room, monkeypatch) == list(NEEDS)
    assert len(chosen(2, room - 1, monkeypatch)) == len(NEEDS) - 1


def test_without_room_all_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(2, 0, monkeypatch) == []


def test_what_saves_most_for_its_copies_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    work = {
        "conv2d 3": 2 * FILTER * 64,
        "conv2d 1": 2 * 64 * 64 * 64,
        "conv2d_grad 3": 4 * FILTER * 64,
        "conv2d_grad 1": 4 * 64 * 64 * 64,
    }
    best = max(work, key=lambda op: work[op] / NEEDS[op])
    small = min(work, key=lambda op: NEEDS[op])
    assert best != small
    # a call for each channel of so small maps: they cost most
    depthwise = ["depthwise_conv2d 3", "depthwise_conv2d_grad 3"]
    assert chosen(2, 4 * NEEDS[depthwise[0]], monkeypatch) == depthwise[:1]
    room = sum(NEEDS[op] for op in (*depthwise, best))
    assert set(chosen(2, 4 * room, monkeypatch)) == {*depthwise, best}


def test_light_convolutions_stay_however_much_room_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = chosen(2, 10**9, monkeypatch, heavy=10**6)
    assert found == ["depthwise_conv2d 3", "depthwise_conv2d_grad 3"]


def test_more_pictures_need_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    room = 4 * sum(NEEDS.values())
    assert len(chosen(2, room, monkeypatch)) > len(chosen(8, room, monkeypatch))


def test_where_sizes_vary_the_least_gain_outweighs_what_forgetting_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from graphprobe.training.runtime import onednn

    batch, places = 2, 64
    plain = 3 * batch * places * (FILTER + 64 * 64)  # forward, to the filter and to the input
    depthwise = onednn.DEPTHWISE * batch * 64 * 9 * (onednn.CALL + 2 * (places + onednn.CALL))
    saved = plain + depthwise
    room = 10**9
    for sizes, least in (((SIDE, SIDE // 2), saved // 4), ((SIDE, SIDE), saved)):
        monkeypatch.setattr(onednn, "FORGET", least + 1)
        every = chosen(batch, room, monkeypatch, sizes=sizes)
        assert every == ([] if len(set(sizes)) > 1 else list(NEEDS))
        monkeypatch.setattr(onednn, "FORGET", least - 1)
        assert chosen(batch, room, monkeypatch, sizes=sizes) == list(NEEDS)
