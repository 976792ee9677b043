"""Write docs/tour.md and docs/zh/tour.md: from photographs to a small exported model.

    python tools/tour.py                              the pages of the documentation
    python tools/tour.py --count 24 --epochs 1 --folder F --docs D    a small one elsewhere

Every command is run, in a folder that holds nothing but a user's pictures; what it printed and drew
goes onto the pages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.photographs import write_photographs
from tools.transcript import Call, Transcript, call_program

ROOT = Path(__file__).resolve().parents[1]
STUDENT = "zoo:yolov3_mobilenet_v1?scale=0.1&size=64"
TEACHER = "zoo:yolov3_r34?scale=0.15&size=64"
# Networks that start from random weights learn faster with these: docs/training.md says why.
RATE = ("-o", "train.batch_size=16", "-o", "train.learning_rate.base=0.02",
        "-o", "train.clip_norm=35", "-o", "train.augment.flip=false")  # fmt: skip


def write_tour(call: Call, folder: Path, docs: Path, *, count: int, epochs: int) -> None:
    """Make the pictures, run every command and write both pages.

    Args:
        call: runs graphprobe in `folder`.
        folder: is there, and empty.
        docs: the pages go here and into zh/, small pictures into images/.
        count: of photographs.
        epochs: of each training.
    """
    write_photographs(folder / "photos", count)
    page = Transcript(call, folder, docs / "images")
    begin(page, count)
    look(page)
    pair(page)
    train(page, str(epochs))
    prune(page, str(epochs))
    use(page)
    (docs / "zh").mkdir(parents=True, exist_ok=True)
    for path, text in zip((docs / "tour.md", docs / "zh" / "tour.md"), page.pages(), strict=True):
        path.write_text(text, "utf-8")


def begin(page: Transcript, count: int) -> None:
    """What is needed, and how the folder of pictures looks."""
    page.say(
        "# A tour: from photographs to a small exported model", "# 完整的一天：从图片到导出的小模型"
    )
    page.say(
        "Every command below was run by `tools/tour.py`, which wrote this page; its output is as it "
        "was printed, at 80 columns, with longer lines folded, and times left out (`...`).",
        "本页由 `tools/tour.py` 运行每条命令后写成：输出原样显示，宽 80 列，过长的行折行，时间写作 `...`。",
    )  # fmt: skip
    page.say(
        "The pictures and epochs are few, so that all of it takes minutes on two cores: the figures "
        "show what is printed, not how good a network becomes ([measured runs](benchmarks.md)).",
        "图片和 epoch 都很少，两个核心几分钟就能跑完：数字只说明输出的样子，不代表效果（[实测结果](../benchmarks.md)）。",
    )
    page.say("## Install", "## 安装")
    page.shown(["$ git clone <this repository> graphprobe && cd graphprobe",
                "$ make install && . .venv/bin/activate"])  # fmt: skip
    page.say("## The photographs", "## 图片")
    page.say(
        f"A folder `photos` with {count} pictures and a text file of YOLO's for each, which are to be "
        "replaced by your own ([other layouts](data.md)). These are scenes of real handwritten digits.",
        f"文件夹 `photos` 里有 {count} 张图片，每张一个 YOLO 格式的 txt 标注；换成自己的即可"
        "（[别的格式](own-data.md)）。这里用的是真实手写数字拼成的场景。",
    )  # fmt: skip
    names = sorted(file.name for file in (page.folder / "photos" / "labels").iterdir())
    label = (page.folder / "photos" / "labels" / names[0]).read_text().strip().splitlines()
    page.shown(["$ ls photos", "classes.txt  images  labels",
                "$ cat photos/classes.txt",
                *(page.folder / "photos" / "classes.txt").read_text().split(),
                f"$ cat photos/labels/{names[0]}", *label])  # fmt: skip
    page.run("data", "yolo:photos?split=all", "--sheet", "sheet.png", "--rows", "4",
             "--image", "128")  # fmt: skip
    page.picture("sheet.png", "tour-sheet.png", "Pictures with their boxes, as stored and augmented",
                 width=480)  # fmt: skip


def look(page: Transcript) -> None:
    """The student's tensors."""
    page.say("## The student and the teacher", "## 学生和教师")
    page.say(
        "A narrow YOLOv3 with MobileNetV1 is to learn from a wider one with ResNet34. These are the "
        "outputs of the student's three heads.",
        "学生是窄的 YOLOv3-MobileNetV1，教师是宽一些的 YOLOv3-ResNet34。下面是学生三个检测头的输出。",
    )
    page.run("vars", STUDENT, "--match", r"^conv2d_(20|28|36)\.tmp_1$")


def pair(page: Transcript) -> None:
    """The pairs, and the config."""
    page.say("## What to compare", "## 比较哪些张量")
    page.say(
        "`pairs` finds what the two networks have in common and writes a config; with `--data` it has "
        "your classes and a length that suits the number of pictures.",
        "`pairs` 找出两个网络的对应张量并写出配置；加上 `--data`，类别数和训练长度就按你的数据设定。",
    )
    page.run("pairs", "--student", STUDENT, "--teacher", TEACHER, "--data", "yolo:photos",
             "-o", "distill.yaml")  # fmt: skip


def train(page: Transcript, epochs: str) -> None:
    """Teacher, student alone, student with the teacher; side by side."""
    page.say("## Train", "## 训练")
    page.say(
        "The teacher first (or name weights that you have), then the student alone, to compare with. "
        "The four settings are for networks that start from random weights; "
        "[published](training.md) ones start from ImageNet.",
        "先训练教师（已有权重就不用），再单独训练学生作比较。四个设置是为随机初始化的网络准备的。",
    )
    common = ("--data", "yolo:photos", "--epochs", epochs, *RATE)
    page.run("train", "--student", TEACHER, *common, "-o", "train.output=runs/teacher",
             ends=(12, 22))  # fmt: skip
    page.run("train", "--student", STUDENT, *common, "-o", "train.output=runs/alone",
             ends=(0, 18))  # fmt: skip
    page.say(
        "`check` tries the distillation on one batch. It shows that the usual weight, 100, is far too "
        "much here, so the weights are set to `auto`: measured, and measured again through the run.",
        "`check` 用一个 batch 试一遍蒸馏。它说默认权重 100 在这里太大，所以把权重设为 `auto`：训练中测量、调整。",
    )
    page.run("check", "distill.yaml", "-o", "teacher.weights=runs/teacher")
    auto = (word for index in range(3) for word in ("-o", f"pairs[{index}].weight=auto"))
    page.run("train", "distill.yaml", "--teacher-weights", "runs/teacher", "--epochs", epochs, *RATE,
             *auto, "-o", "train.output=runs/distilled", ends=(10, 20))  # fmt: skip
    page.run("compare", "runs/alone", "runs/distilled", "-o", "curves.png")
    page.picture("curves.png", "tour-curves.png", "Metric and loss of both runs", width=720)


def prune(page: Transcript, epochs: str) -> None:
    """What can go, what it costs, and the smaller student."""
    page.say("## Prune", "## 剪枝")
    page.say(
        "Which convolutions can lose channels, and why the others cannot:",
        "哪些卷积可以剪通道，其余的为什么不行：",
    )
    page.run("prune-regex", "runs/distilled", "--policy", "coupled", ends=(14, 8))
    page.say(
        "What each group costs is measured on held-out pictures; a third of the multiply-adds is then "
        "taken where it costs least, and the rest trained on, with the teacher.",
        "在留出的图片上测量每一组的代价，再从代价最小处剪掉三分之一的乘加，然后在教师指导下继续训练。",
    )
    page.run("sensitivity", "runs/distilled", "--data", "yolo:photos?split=val", "--policy",
             "coupled", "--ratios", "0.3,0.6", "-o", "sensitivity.json", ends=(4, 12))  # fmt: skip
    page.run("prune-regex", "runs/distilled", "--data", "yolo:photos", "--sensitivity",
             "sensitivity.json", "--target-flops", "0.33", "-o", "prune.yaml",
             ends=(12, 6))  # fmt: skip
    page.run("train", "prune.yaml", "-o", "student.weights=runs/distilled", "--epochs", epochs,
             *RATE, "-o", "train.output=runs/pruned", ends=(6, 26))  # fmt: skip
    page.run("draw", "runs/distilled", "--diff", "runs/pruned", "-o", "pruned.png")
    drawn = sorted(page.folder.glob("pruned*.png"))
    page.picture(drawn[0].name, "tour-pruned.png", "The student before and after its pruning",
                 width=800, height=1400)  # fmt: skip
    page.say(
        "All in one line instead, pruned first and then distilled:",
        "也可以一行完成，先剪枝再蒸馏：",
    )
    page.run("train", "--student", STUDENT, "--teacher", TEACHER, "--teacher-weights",
             "runs/teacher", "--data", "yolo:photos", "--prune", "0.33", "--epochs", epochs, *RATE,
             "-o", "train.output=runs/both", ends=(8, 26))  # fmt: skip


def use(page: Transcript) -> None:
    """Measure, look, export and hand over."""
    page.say("## Use it", "## 使用")
    page.run("eval", "runs/pruned")
    names = [f"photos/images/{number:04}.jpg" for number in range(3)]
    page.run("infer", "runs/pruned", *names, "--threshold", "0.3", "--output", "found")
    found = sorted((page.folder / "found").glob("*.png"))
    if found:
        page.picture(f"found/{found[0].name}", "tour-found.png", "What the pruned student finds",
                     width=320)  # fmt: skip
    page.run("export", "runs/pruned", "--output", "small")
    sizes = [(file.name, file.stat().st_size) for file in sorted((page.folder / "small").iterdir())]
    page.shown(["$ ls small", *(name for name, _ in sizes)])
    page.run("runs")
    page.run("report", "--student", "runs/pruned", "--teacher", "runs/teacher", "-o",
             "report.html")  # fmt: skip
    page.say(
        "`report.html` is one page to hand to a colleague. How the exported model is run elsewhere: "
        "[exported models](howto-exported.md).",
        "`report.html` 可以直接发给同事。导出的模型怎样在别处运行，见[导出的模型](exported-models.md)。",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=160, help="photographs")
    parser.add_argument("--epochs", type=int, default=20, help="of each training")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "tour")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
    }  # the same figures on every run
    program = Path(sys.executable).with_name("graphprobe")
    call = call_program(program, given.folder, environment)
    write_tour(call, given.folder, given.docs, count=given.count, epochs=given.epochs)


if __name__ == "__main__":
    main()
