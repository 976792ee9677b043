"""What tools/compat_matrix.py runs: the rows of the table, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STUDENT = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
TEACHER = "zoo:yolov3_r34?num_classes=2&scale=0.05"
BOTH = f"--student {STUDENT} --teacher {TEACHER}"
SCENES = "digits?count=8&size=64&classes=2"
VAL = "digits?split=val&count=4&size=64&classes=2"
SHORT = (
    "-o train.max_iters=3 -o train.snapshot_iter=2 -o train.batch_size=2 -o train.workers=0 "
    "-o train.learning_rate.warmup_steps=1 -o train.learning_rate.milestones=[2]"
)
BOXES = f"{SHORT} -o train.image_size=64 -o train.data.val={VAL}"
DETECTORS = {
    "yolov3_mobilenet_v1": "scale=0.05",
    "yolov3_r34": "scale=0.05",
    "retinanet_r50": "scale=0.05&frozen=false",
    "retinanet_r101": "scale=0.05&frozen=false",
    "gfl_r18vd": "scale=0.05&frozen=false",
    "gfl_r101vd": "scale=0.05&frozen=false",
    **{f"picodet_{size}": "scale=0.05" for size in ("xs", "s", "m", "l")},
    **{f"ppyoloe_{size}": "scale=0.1" for size in ("s", "m", "l", "x")},
}
SEGMENTERS = ("deeplabv3p_mobilenetv2", "deeplabv3p_xception65")
LABELS = "digits_seg?count=8&size=65"
# The launcher imports Paddle before graphprobe is there, and Paddle 3 warns of a missing ccache.
LAUNCH = "python -W ignore -m paddle.distributed.launch --nproc_per_node 2 --log_dir logs"


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        name: as it stands there.
        commands: run one after the other; words are parted by spaces.
        writes: patterns of files that are there afterwards.
        needs: names of rows whose files it reads.
        refused: Paddle's version -> what stands there in place of a run.
    """

    name: str
    commands: tuple[str, ...]
    writes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def _train(program: str, data: str, output: str, more: str) -> str:
    return f"graphprobe train --student {program} --data {data} -o train.output={output} {more}"


def _bundled() -> tuple[Row, ...]:
    """`check` and a few iterations of every bundled model."""
    rows = []
    for name, options in DETECTORS.items():
        program, out = f"zoo:{name}?num_classes=2&{options}", f"runs/{name}"
        rows.append(
            Row(
                f"`train` of {name}",
                (_train(program, SCENES, out, BOXES),),
                (f"{out}/result.json",),
            )
        )
    for name in SEGMENTERS:
        program, out = f"zoo:{name}?num_classes=4&scale=0.1&size=65", f"runs/{name}"
        more = (
            f"{SHORT} -o train.image_size=65 -o train.data.val={LABELS.replace('?', '?split=val&')}"
        )
        rows.append(
            Row(
                f"`train` of {name}", (_train(program, LABELS, out, more),), (f"{out}/result.json",)
            )
        )
    return tuple(rows)


RUN, PAIRED, FILE = "`train` of yolov3_mobilenet_v1", "`pairs`, `prune-regex`", "`export RUN`"
ROWS = (
    Row("`doctor`, `list`", ("graphprobe doctor", "graphprobe list zoo", "graphprobe list ops")),
    Row("`vars`, `draw`, `report`", (
        f"graphprobe vars {STUDENT} --teacher {TEACHER}",
        f"graphprobe draw {STUDENT} --teacher {TEACHER} -o d.pdf",
        f"graphprobe report {BOTH} -o r.html",
    ), ("d.pdf", "r.html")),
    Row(PAIRED, (
        f"graphprobe pairs {BOTH} --data {SCENES} -o distill.yaml",
        f"graphprobe prune-regex {STUDENT} --ratio 0.5 -o prune.yaml",
    ), ("distill.yaml", "prune.yaml")),
    Row("`data`", (f"graphprobe data {SCENES} --sheet s.png",), ("s.png",)),
    *_bundled(),
    Row("`check`, `train` of distill.yaml", (
        f"graphprobe check distill.yaml --data {SCENES} -o train.image_size=64 "
        "-o train.batch_size=2",
        f"graphprobe train distill.yaml --data {SCENES} -o train.output=runs/distill {BOXES}",
    ), ("runs/distill/result.json",), (PAIRED,)),
    Row("`train` of prune.yaml", (
        f"graphprobe train prune.yaml --data {SCENES} -o train.output=runs/pruned {BOXES}",
    ), ("runs/pruned/result.json",), (PAIRED,)),
    Row("`train --student --teacher --prune`", (
        f"graphprobe train {BOTH} --prune 0.3 --data {SCENES} -o train.output=runs/line {BOXES}",
    ), ("runs/line/result.json",)),
    Row("`train --resume`", (
        "graphprobe train runs/yolov3_mobilenet_v1/config.yaml --resume auto -o train.max_iters=5",
    ), ("runs/yolov3_mobilenet_v1/checkpoints/000005",), (RUN,)),
    Row("`eval RUN`, `infer RUN`", (
        "graphprobe eval runs/yolov3_mobilenet_v1",
        "graphprobe infer runs/yolov3_mobilenet_v1 --samples 2 --output found",
    ), ("found/found.json",), (RUN,)),
    Row("`runs`, `compare`", (
        "graphprobe runs",
        "graphprobe compare runs/yolov3_mobilenet_v1 runs/yolov3_r34 -o curves.svg",
    ), ("curves.svg",), (RUN, "`train` of yolov3_r34")),
    Row(FILE, (
        "graphprobe export runs/yolov3_mobilenet_v1 --output small",
        "graphprobe export runs/yolov3_mobilenet_v1 --output old --legacy",
        "graphprobe vars small", "graphprobe prune-regex small",
    ), ("small/model.pdmodel", "small/infer_cfg.yml", "old/__model__"), (RUN,)),
    Row("`export FILE --form pdmodel`, `legacy`", (
        "graphprobe export old --form pdmodel --output form-pdmodel",
        "graphprobe export small --form legacy --output form-legacy",
    ), ("form-pdmodel/*.pdmodel", "form-legacy/__model__"), (FILE,)),
    Row("`export FILE --form json`", (
        "graphprobe export small --form json --output form-json", "graphprobe vars form-json",
        "graphprobe export form-json --form pdmodel --output form-back",
    ), ("form-json/*.json", "form-back/*.pdmodel"), (FILE,),
        {"2.6.2": "refused in one line: needs Paddle 3"}),
    Row("`train` of an exported file", (
        "python tools/tiny_export.py tiny",
        _train("tiny/model --teacher tiny/model", "images:tiny/images", "runs/file", SHORT),
    ), ("runs/file/result.json",)),
    Row("`train --prune` of an exported file", (
        _train("tiny/model", "images:tiny/images", "runs/file-pruned", f"--prune 0.3 {SHORT}"),
    ), ("runs/file-pruned/result.json",), ("`train` of an exported file",)),
    Row("`eval`, `infer`, `export` of its run", (
        "graphprobe eval runs/file-pruned",
        "graphprobe infer runs/file-pruned tiny/images --output file-found",
        "graphprobe export runs/file-pruned --output file-small",
    ), ("file-found", "file-small/*.pdmodel"), ("`train --prune` of an exported file",)),
    Row("`sensitivity` of a bundled model", (
        f"graphprobe sensitivity {STUDENT} --weights runs/yolov3_mobilenet_v1 --data {VAL} "
        "--ratios 0.3,0.6 --image 64 -o sensitivity.json",
        f"graphprobe prune-regex {STUDENT} --target-flops 0.3 --sensitivity sensitivity.json",
    ), ("sensitivity.json",), (RUN,)),
    Row("`sensitivity` of an exported file", (
        "graphprobe sensitivity tiny/model --data images:tiny/images --ratios 0.5 -o file.json",
    ), ("file.json",), ("`train` of an exported file",)),
    Row("two processes (`paddle.distributed.launch`)", (
        f"{LAUNCH} graphprobe train runs/yolov3_mobilenet_v1/config.yaml "
        "-o train.output=runs/two -o train.max_iters=2",
    ), ("runs/two/result.json",), (RUN,)),
    Row("two processes, an exported file", (
        f"{LAUNCH} graphprobe train runs/file/config.yaml -o train.output=runs/two-file "
        "-o train.max_iters=2",
    ), ("runs/two-file/result.json",), ("`train` of an exported file",)),
    Row("`tools/gpu_check.py --device cpu`", ("python tools/gpu_check.py --device cpu",)),
)  # fmt: skip
DEMO = Row("the demo, a tenth of its training", ("python tools/demo.py --share 0.1",))
