"""Curves as VisualDL reads them."""

from __future__ import annotations

import importlib
import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from graphprobe.errors import TrainError
from graphprobe.training.reporting.metrics_log import CURVES, MetricsLog
from graphprobe.training.reporting.visualdl_log import ScalarLog, records

_TYPE = descriptor_pb2.FieldDescriptorProto


def record_class() -> Any:
    """The part of VisualDL's record.proto that scalars need, read by protobuf itself."""
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="here", syntax="proto3")
    record = file.message_type.add(name="Record")
    value = record.nested_type.add(name="Value")
    record.field.add(
        name="values",
        number=1,
        label=_TYPE.LABEL_REPEATED,
        type=_TYPE.TYPE_MESSAGE,
        type_name=".here.Record.Value",
    )
    fields = (("id", 1, _TYPE.TYPE_INT64), ("tag", 2, _TYPE.TYPE_STRING))
    fields += (("timestamp", 3, _TYPE.TYPE_INT64), ("value", 4, _TYPE.TYPE_FLOAT))
    for name, number, kind in (*fields, ("meta_data", 10, _TYPE.TYPE_BYTES)):
        value.field.add(name=name, number=number, type=kind, label=_TYPE.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("here.Record"))


def read(path: Path) -> list[Any]:
    make = record_class()
    return [make.FromString(record[8:]).values[0] for record in records(path.read_bytes())]


def test_points_come_back_as_protobuf_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "visualdl" / "vdlrecords.0.log"
    log = ScalarLog(path, 0)
    log.add(1, {"loss/total": 2.5})
    log.add(300, {"loss/total": 1.25, "learning_rate": 0.001})
    log.close()
    head, *points = read(path)
    assert head.tag == "meta_data_tag"
    assert [(p.id, p.tag, p.value) for p in points] == [
        (1, "loss/total", 2.5),
        (300, "loss/total", 1.25),
        (300, "learning_rate", pytest.approx(0.001)),
    ]
    assert all(p.timestamp > 1_600_000_000_000 for p in points)


def test_a_resumed_run_has_each_point_once(tmp_path: Path) -> None:
    path = tmp_path / "vdlrecords.0.log"
    for start, steps in ((0, range(1, 200)), (150, range(151, 160))):
        log = ScalarLog(path, start)
        for step in steps:
            log.add(step, {"loss/total": float(step)})
        log.close()
        path.write_bytes(path.read_bytes() + struct.pack("<Q", 40) + b"cut")
    assert [p.id for p in read(path)] == list(range(160))


def test_what_visualdl_itself_reads(tmp_path: Path) -> None:
    pytest.importorskip("visualdl", reason="needs visualdl, which is not installed with graphprobe")
    reader = importlib.import_module("visualdl").LogReader
    log = MetricsLog(tmp_path / "metrics.jsonl", 0)
    log.step({"iter": 7, "lr": 0.5, "loss/total": 1.5, "images": 8, "seconds": 2.0})
    log.metric(7, "mIoU", 0.25)
    log.close()
    found = reader(file_path=str(tmp_path / CURVES))
    for tag, value in (
        ("loss/total", 1.5),
        ("learning_rate", 0.5),
        ("images_per_second", 4.0),
        ("metric/mIoU", 0.25),
    ):
        assert [(p.id, p.value) for p in found.get_data("scalar", tag)] == [(7, value)]


def test_a_full_disk_ends_the_run_with_one_line(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl", 0)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    log._lines.close()
    log._lines = full.open("w", buffering=1)
    line = {"iter": 1, "lr": 0.5, "loss/total": 1.5, "images": 8, "seconds": 2.0}
    with pytest.raises(TrainError, match=r"No space left on device.*go on with resume='auto'"):
        log.step(line)
    log.close()
