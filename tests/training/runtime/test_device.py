"""Which place is chosen, and what is said where a GPU cannot be used."""

from __future__ import annotations

import pytest

from graphprobe.errors import UsageError

pytestmark = pytest.mark.paddle


@pytest.fixture
def one_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a card of capability 9.0, and the answer of Paddle's wheel on it."""
    import paddle

    from graphprobe.training.runtime import device

    def fail(_number: int) -> None:
        raise OSError(
            "(External) CUDA error(209), no kernel image is available for execution on the device."
            " \n  [Hint: 'cudaErrorNoKernelImageForDevice'.] (at gpu_info.cc:133)\n"
        )

    monkeypatch.setattr(device, "_add_on", fail)
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: True)
    monkeypatch.setattr(paddle.device.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(paddle.device.cuda, "get_device_capability", lambda _: (9, 0))


def test_a_card_that_the_build_cannot_use_is_refused(one_card: None) -> None:
    import paddle

    from graphprobe.training.runtime.device import choose_place

    with pytest.raises(UsageError) as caught:
        choose_place("gpu")
    line = str(caught.value)
    assert f"device='gpu': Paddle {paddle.__version__}" in line
    assert "cannot run on GPU 0 of compute capability 9.0" in line
    assert "(External) CUDA error(209), no kernel image is available" in line
    assert "install a build for this card" in line
    assert "or use device='cpu'" in line
    assert "\n" not in line


def test_auto_warns_and_takes_the_cpu(one_card: None, capsys: pytest.CaptureFixture[str]) -> None:
    import paddle

    from graphprobe.training.runtime.device import choose_place, is_gpu

    lines: list[str] = []
    place = choose_place("auto", lines.append)
    assert isinstance(place, paddle.CPUPlace)
    assert not is_gpu(place)
    (said,) = lines
    assert capsys.readouterr() == ("", "")
    assert said.startswith("warning: taking the CPU: Paddle ")


def test_without_any_card(monkeypatch: pytest.MonkeyPatch) -> None:
    import paddle

    from graphprobe.training.runtime.device import choose_place

    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: False)
    with pytest.raises(UsageError, match="built for the CPU only; docs/compat.md"):
        choose_place("gpu")
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: True)
    monkeypatch.setattr(paddle.device.cuda, "device_count", lambda: 0)
    with pytest.raises(UsageError, match="no GPU is visible"):
        choose_place("gpu")
    assert isinstance(choose_place("auto"), paddle.CPUPlace)
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        choose_place("tpu")


def test_each_process_takes_its_own_card(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphprobe.training.runtime import device

    monkeypatch.delenv("FLAGS_selected_gpus", raising=False)
    assert device._number() == 0
    monkeypatch.setenv("FLAGS_selected_gpus", "3")
    assert device._number() == 3
