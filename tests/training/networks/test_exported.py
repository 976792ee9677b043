"""Exported programs that train: outputs, gradients, refusals, whole runs and their exports."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import GraphprobeError
from graphprobe.formats import load_file, write_program
from graphprobe.ir.builder import Builder
from graphprobe.training.weights.lod_tensor import tensor_bytes

pytestmark = pytest.mark.paddle

Export = Callable[..., Path]
# Small enough for a test.
FAST = {
    "train.image_size": 32,
    "train.batch_size": 2,
    "train.workers": 0,
    "train.max_iters": 4,
    "train.snapshot_iter": 2,
    "train.learning_rate.warmup_steps": 0,
    "train.learning_rate.base": 0.01,
}
SETTINGS = """\
Preprocess:
- type: Resize
  interp: 2
  keep_ratio: false
  target_size: [32, 32]
- type: NormalizeImage
  is_scale: true
  mean: [0.5, 0.4, 0.3]
  std: [0.25, 0.25, 0.2]
- type: Permute
label_list: [a, b]
"""


@pytest.fixture(scope="module")
def model(export_small: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = export_small(tmp_path_factory.mktemp("model") / "small", name="inference")
    (folder / "infer_cfg.yml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def pruned_run(
    model: Path, small_pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str], Counter[str]]:
    """A whole run of the model pruned by 30%, what it said, and how often it did what."""
    import graphprobe
    from graphprobe import programs
    from graphprobe.training.networks import exported
    from graphprobe.training.teacher import inference

    count: Counter[str] = Counter()
    said: list[str] = []
    output = tmp_path_factory.mktemp("run") / "pruned"
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (programs, "load_program"),
            (exported, "parse_program"),
            (exported, "read_beside"),
            (inference, "_start"),
        ):
            patch.setattr(module, name, _counting(module, name, count))
        graphprobe.train(
            student=str(model),
            data=f"images:{small_pictures}",
            prune=0.3,
            device="cpu",
            override={**FAST, "train.output": str(output)},
            progress=said.append,
        )
    return output, said, count


def _counting(module: Any, name: str, count: Counter[str]) -> Callable[..., Any]:
    original = getattr(module, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        count[name] += 1
        return original(*args, **kwargs)

    return counted


def predict(folder: Path, names: tuple[str, str], image: Any) -> list[Any]:
    """The outputs of two files in Paddle's inference engine with its usual settings."""
    from paddle import inference

    settings = inference.Config(*(str(folder / name) for name in names))
    settings.disable_glog_info()
    predictor = inference.create_predictor(settings)
    predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(image)
    predictor.run()
    return [predictor.get_output_handle(n).copy_to_cpu() for n in predictor.get_output_names()]


def arrays(run: Path, iteration: int, name: str = "weights") -> dict[str, Any]:
    with np.load(run / "checkpoints" / f"{iteration:06d}" / f"{name}.npz") as found:
        return {key: found[key] for key in found.files}


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_every_mode_gives_the_outputs_of_the_export(model: Path, mode: str) -> None:
    import paddle

    from graphprobe.training.networks.source import Networks
    from graphprobe.training.runtime.programs import set_values

    source = Networks().source(str(model))
    built = source.build(mode)
    assert built.feeds == (("image", (-1, 3, -1, -1), "float32"),)
    assert source.exported is not None
    scope = paddle.static.Scope()
    set_values(scope, paddle.CPUPlace(), source.exported.values)
    image = np.random.default_rng(1).normal(size=(2, 3, 32, 40)).astype(np.float32)
    found = paddle.static.Executor(paddle.CPUPlace()).run(
        built.main, feed={"image": image}, fetch_list=list(built.outputs.values()), scope=scope
    )
    for one, other in zip(
        found, predict(model, ("inference.pdmodel", "inference.pdiparams"), image), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_run_cuts_trains_and_says_who_teaches(
    pruned_run: tuple[Path, list[str], Counter[str]], model: Path
) -> None:
    output, said, _ = pruned_run
    pixels = "bicubic to 32x32, RGB / 255, mean 0.5 0.4 0.3, std 0.25 0.25 0.2 (from infer_cfg.yml)"
    assert f"images of {model}: {pixels}" in said
    assert any(line.startswith("prune: at 32 x 32 pixels, ") for line in said)
    assert any(
        line.startswith("before training: agreement with the teacher (mIoU) 0.") for line in said
    )
    assert f"teacher: {model} itself, unpruned" in said
    assert not any("untrained" in line or "random first values" in line for line in said)
    assert any(
        line.startswith("norms: statistics of 2 moved by what pruning changes on 4 images")
        for line in said
    )
    assert (output / "checkpoints" / "000004").is_dir() and (output / "distill.yaml").is_file()
    two, four = (arrays(output, iteration) for iteration in (2, 4))
    changed = {name for name in two if not np.array_equal(two[name], four[name])}
    same = two.keys() - changed
    assert "conv2d_0.w_0" in changed
    assert same == {n for n in two if n.startswith("batch_norm") and n[-1] in "12"}


@pytest.mark.parametrize(
    ("beside", "override", "size"),
    [
        ("32, 32", (), "32x32"),
        ("24, 80", (), "24x80"),
        ("24, 80", ("train.preparation.size=[40, 64]",), "40x64"),
        ("32, 32", ("train.image_size=48",), "48x48"),
        ("32, 32", ("train={image_size: 64}",), "64x64"),
    ],
)
def test_the_size_that_is_said_is_that_of_the_run(
    model: Path, small_pictures: Path, tmp_path: Path, beside: str, override: Any, size: str
) -> None:
    from graphprobe.api.quick_config import QuickTrainRequest, make_config
    from graphprobe.training.networks.source import Networks

    copy = shutil.copytree(model, tmp_path / "model")
    (copy / "infer_cfg.yml").write_text(SETTINGS.replace("32, 32", beside))
    said: list[str] = []
    words = (*override, f"train.output={tmp_path / 'run'}")
    request = QuickTrainRequest(str(copy), None, 0.3, f"images:{small_pictures}", words)
    _, config = make_config(request, Networks(), devices=1, resume=False, log=said.append)
    assert any(f"images of {copy}: bicubic to {size}, RGB / 255" in line for line in said)
    assert config.train.input_size == tuple(map(int, size.split("x")))
    counted = f"prune: at {size.replace('x', ' x ')} pixels, ratio"
    assert any(line.startswith(counted) for line in said)


def test_nothing_is_read_or_built_twice(
    pruned_run: tuple[Path, list[str], Counter[str]],
) -> None:
    # To train (shared by student and teacher), to evaluate, for the latency, and the file that is
    # cut: pairs are found in it, and it stays in the run's folder. One engine makes the tensors of
    # the pairs in each step, one the outputs of the whole teacher in each evaluation.
    assert pruned_run[2] == {"load_program": 1, "read_beside": 1, "parse_program": 4, "_start": 2}


def test_ops_that_name_no_role_and_no_device_train(
    model: Path, small_pictures: Path, tmp_path: Path
) -> None:
    """As those of Paddle 1.x and of a json that is read."""
    import graphprobe

    bare = tmp_path / "bare"
    shutil.copytree(model, bare)
    program = load_file(bare)
    unsaid = ("op_role", "op_device", "op_namescope")
    blocks = tuple(
        replace(block, ops=tuple(replace(op, attrs=_without(op.attrs, unsaid)) for op in block.ops))
        for block in program.blocks
    )
    content = write_program(replace(program, blocks=blocks))
    assert b"op_device" not in content
    (bare / "inference.pdmodel").write_bytes(content)
    run = graphprobe.train(
        student=str(bare),
        teacher=str(model),
        data=f"images:{small_pictures}",
        device="cpu",
        override={**FAST, "train.output": str(tmp_path / "run")},
        progress=lambda _: None,
    )
    assert run.run.iterations == 4


def _without(attrs: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in attrs.items() if name not in names}


def test_a_resumed_run_ends_bit_equal(
    pruned_run: tuple[Path, list[str], Counter[str]], tmp_path: Path
) -> None:
    import graphprobe

    output = pruned_run[0]
    again = tmp_path / "again"
    graphprobe.train(
        output / "distill.yaml",
        resume=str(output / "checkpoints" / "000002"),
        override={"train.output": str(again)},
        device="cpu",
        progress=lambda _: None,
    )
    for name in ("weights", "optimizer"):
        one, other = arrays(output, 4, name), arrays(again, 4, name)
        assert one.keys() == other.keys() and len(one) > 10
        for key, value in one.items():
            np.testing.assert_array_equal(value, other[key], err_msg=key)


def test_agreement_with_the_teacher_is_the_metric(
    pruned_run: tuple[Path, list[str], Counter[str]],
) -> None:
    import graphprobe

    found = graphprobe.evaluate(pruned_run[0], device="cpu")
    assert found.metric == "agreement" and 0 < found.value < 1
    assert 0 < (dict(found.score.more)["relative l2"] or 0) < 2
    assert found.agreement is not None
    kinds = [output.kind for output in found.agreement.outputs]
    assert kinds == ["map labels", "map scores", "values"]
    assert found.to_dict()["agreement"]["miou"] == found.value
    logged = json.loads((pruned_run[0] / "result.json").read_text())
    assert logged["best"] == pytest.approx(found.value, abs=1e-5)


def test_a_map_of_classes_is_drawn_in_the_size_of_the_image(
    pruned_run: tuple[Path, list[str], Counter[str]], small_pictures: Path, tmp_path: Path
) -> None:
    from PIL import Image

    import graphprobe

    found = graphprobe.predict(
        str(pruned_run[0]), [small_pictures], output=tmp_path / "drawn", device="cpu"
    )
    assert len(found.images) == 6 and not found.skipped
    first = found.to_dict()["images"][0]
    assert set(first["classes"]) <= {"a", "b", "2", "3"} and first["height"] == 40
    with Image.open(tmp_path / "drawn" / first["mask"]) as mask:
        assert mask.size == (48, 40)


def test_sensitivity_of_a_file_is_measured_against_itself(
    model: Path, small_pictures: Path, tmp_path: Path
) -> None:
    import graphprobe

    record = tmp_path / "s.json"
    found = graphprobe.sensitivity(
        str(model),
        data=f"images:{small_pictures}",
        ratios=(0.5,),
        image=32,
        device="cpu",
        output=record,
        progress=lambda _: None,
    )
    assert found.record.measured.metric == "agreement"
    assert found.record.baseline == pytest.approx(1.0)
    losses = [point.loss for group in found.record.groups for point in group.points]
    assert losses and all(0 < loss < 1 for loss in losses)
    chosen = graphprobe.find_prunable(str(model), sensitivity=record, target_flops=0.2, image=32)
    assert chosen.to_config().student.weights is None


def test_weights_of_the_whole_network_are_not_taken_for_those_of_the_run(
    pruned_run: tuple[Path, list[str], Counter[str]], model: Path
) -> None:
    import graphprobe

    said: list[str] = []
    found = graphprobe.evaluate(
        pruned_run[0],
        weights=str(model / "inference.pdiparams"),
        device="cpu",
        progress=said.append,
    )
    assert found.value == pytest.approx(1.0)
    assert any("is not pruned, so the whole network was measured" in line for line in said)


def test_the_export_has_the_form_of_the_original(
    pruned_run: tuple[Path, list[str], Counter[str]], model: Path, tmp_path: Path
) -> None:
    import graphprobe

    made = graphprobe.export(pruned_run[0] / "distill.yaml", tmp_path, device="cpu")
    names = ["inference.pdmodel", "inference.pdiparams", "infer_cfg.yml"]
    assert [path.name for path in made.files] == names
    assert made.difference is not None and made.difference <= 1e-5
    assert (tmp_path / names[2]).read_bytes() == (model / names[2]).read_bytes()
    assert b"op_callstack" not in (tmp_path / names[0]).read_bytes()
    whole, small = load_file(model), load_file(tmp_path)
    assert small.feeds == ("x",) and small.fetches == whole.fetches
    assert small.origin.version == whole.origin.version
    assert (small.shape("conv2d_0.w_0") or ())[0] < (whole.shape("conv2d_0.w_0") or ())[0]
    image = np.zeros((1, 3, 32, 32), np.float32)
    assert predict(tmp_path, (names[0], names[1]), image)[0].shape == (1, 4, 8, 8)


def test_another_program_teaches_in_either_engine(
    model: Path, export_small: Export, small_pictures: Path, tmp_path: Path
) -> None:
    import graphprobe

    teacher = export_small(tmp_path / "teacher", channels=12, seed=1)
    values = {}
    for engine in ("inference", "own"):
        run = graphprobe.train(
            student=str(model / "inference.pdmodel"),
            teacher=str(teacher),
            data=f"images:{small_pictures}",
            device="cpu",
            override={
                **FAST,
                "train.teacher_engine": engine,
                "train.max_iters": 2,
                "train.output": str(tmp_path / engine),
            },
            progress=lambda _: None,
        )
        values[engine] = arrays(tmp_path / engine, 2)
        assert run.stopped is None
    for name, value in values["own"].items():
        np.testing.assert_allclose(value, values["inference"][name], atol=2e-4, err_msg=name)


def test_a_program_of_paddle_1_with_a_file_each(small_pictures: Path, tmp_path: Path) -> None:
    import graphprobe

    b = Builder()
    y = b.feed("pixel", (-1, 3, 32, 32))
    rng = np.random.default_rng(0)
    y = b.conv(y, 8, 3, name="a")
    norm = {"X": y}
    for slot in ("Scale", "Bias", "Mean", "Variance"):
        norm[slot] = b.param(f"bn.{slot}", (8,))
    written = {"Y": "bn.tmp", "MeanOut": "bn.Mean", "VarianceOut": "bn.Variance"}
    saved = {"SavedMean": "bn.saved0", "SavedVariance": "bn.saved1"}
    y = b.op(
        "batch_norm", norm, written | saved, {"is_test": True, "momentum": 0.9}, (-1, 8, 32, 32)
    )
    y = b.op("relu", {"X": y}, shape=(-1, 8, 32, 32))
    y = b.conv(y, 4, 1, name="b")
    y = b.op("reshape", {"X": y}, attrs={"shape": (-1, 4096)}, shape=(-1, 4096))
    program = b.build([y])
    from graphprobe.formats import add_ports

    source = tmp_path / "old"
    source.mkdir()
    (source / "__model__").write_bytes(write_program(add_ports(program)))
    for var in program.parameters:
        value = rng.uniform(0.5, 1.5, var.shape or ()).astype(np.float32)
        (source / var.name).write_bytes(tensor_bytes(value))
    run = graphprobe.train(
        student=str(source),
        prune=0.4,
        data=f"images:{small_pictures}",
        device="cpu",
        override={
            **FAST,
            "train.max_iters": 2,
            "train.output": str(tmp_path / "run"),
            "train.preparation.mean": [0],
            "train.preparation.std": [1],
        },
        progress=lambda _: None,
    )
    made = graphprobe.export(Path(run.output) / "distill.yaml", tmp_path / "new", device="cpu")
    names = {"__model__", *(var.name for var in program.parameters)}
    assert {path.name for path in made.files} == names
    assert made.difference is not None and made.difference <= 1e-5


def train_with(student: Path, pictures: Path, **more: Any) -> None:
    import graphprobe

    graphprobe.train(
        student=str(student),
        data=f"images:{pictures}",
        device="cpu",
        override={**FAST, "train.output": str(student.parent / "run")},
        progress=lambda _: None,
        **more,
    )


def test_without_a_teacher_and_a_cut_there_is_nothing_to_learn(
    model: Path, small_pictures: Path
) -> None:
    with pytest.raises(GraphprobeError, match="no loss of its own, so it learns from a teacher"):
        train_with(model, small_pictures)


def test_weights_that_are_missing_or_of_another_program(
    model: Path, export_small: Export, small_pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(model, folder)
    params = folder / "inference.pdiparams"
    other = export_small(tmp_path / "other", channels=6)
    shutil.copy(other / "m.pdiparams", params)
    with pytest.raises(GraphprobeError, match=r"conv2d_1\.w_0 is \(6, 6, 3, 3\), not \(8, 8, 3"):
        train_with(folder, small_pictures, prune=0.3)
    params.unlink()
    with pytest.raises(GraphprobeError, match=r"its 12 parameters are not beside it: neither inf"):
        train_with(folder, small_pictures, prune=0.3)


def test_programs_that_cannot_be_trained_say_all_reasons(
    small_pictures: Path, tmp_path: Path
) -> None:
    b = Builder()
    x = b.feed("x", (-1, 3, 32, 32))
    y = b.op("fake_quantize_dequantize_moving_average_abs_max", {"X": x}, shape=(-1, 3, 32, 32))
    (tmp_path / "__model__").write_bytes(write_program(b.build([b.op("relu", {"X": y})])))
    from graphprobe.training.networks.source import Networks

    with pytest.raises(GraphprobeError) as caught:
        Networks().source(str(tmp_path)).build("train")
    said = str(caught.value)
    assert "it is quantised (first: op 1 fake_quantize" in said
    assert "it has no parameters to train" in said and "\n" not in said


def test_an_op_without_a_gradient_is_named() -> None:
    import paddle

    from graphprobe.errors import TrainError
    from graphprobe.training.runtime.gradients import refuse_without_gradient

    paddle.enable_static()
    main = paddle.static.Program()
    with paddle.static.program_guard(main, paddle.static.Program()):
        x = paddle.static.data("x", [1, 3, 4, 4])
        y = paddle.static.nn.conv2d(x, 2, 1)
        refuse_without_gradient(main, where="m")
        block = main.global_block()
        product = block.create_var(name="product", dtype="float32")
        weight = paddle.static.create_parameter([32, 2], "float32")
        slots = {"Input": y, "W": weight}
        block.append_op(type="fc", inputs=slots, outputs={"Out": product})
    with pytest.raises(TrainError, match=r"no gradient for fc \(1, first writes product\)"):
        refuse_without_gradient(main, where="m")


def test_a_pruning_config_of_a_file_is_trained_by_the_unpruned_file(
    model: Path, small_pictures: Path, tmp_path: Path
) -> None:
    import graphprobe

    found = graphprobe.find_prunable(str(model), policy="coupled", target_flops=0.3, image=32)
    config = found.write(tmp_path / "prune.yaml")
    said: list[str] = []
    words = {**FAST, "train.max_iters": 2, "train.output": str(tmp_path / "run")}
    run = graphprobe.train(
        config,
        data=f"images:{small_pictures}",
        override=words,
        device="cpu",
        progress=said.append,
    )
    assert f"teacher: {model} itself, unpruned" in said
    assert run.run.data is not None and run.run.data.val == f"images:{small_pictures}?split=val"
    made = tmp_path / "run" / "distill.yaml"
    assert made.is_file() and (tmp_path / "run" / "prune.yaml").is_file()
    more = graphprobe.train(
        config,
        data=f"images:{small_pictures}",
        override={**words, "train.max_iters": 3},
        resume="auto",
        device="cpu",
        progress=said.append,
    )
    assert more.run.iterations == 3 and more.output == run.output
    assert any(line.startswith("resuming ") for line in said)


def test_a_pruning_config_of_a_file_asks_for_images(model: Path, tmp_path: Path) -> None:
    import graphprobe

    config = graphprobe.find_prunable(str(model), policy="coupled", image=32).write(
        tmp_path / "prune.yaml"
    )
    with pytest.raises(GraphprobeError, match="the images to train on are not named"):
        graphprobe.train(config, override=FAST, device="cpu", progress=lambda _: None)
