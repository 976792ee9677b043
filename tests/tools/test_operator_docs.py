"""docs/operators.md says what the table says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from graphprobe.ops import op_specs
from graphprobe.ops.rows import operator_rows

ROOT = Path(__file__).parents[2]


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("operator_docs", ROOT / "tools/operator_docs.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text("utf-8") == tool.page(), "run make docs"


def test_every_operator_has_a_row_and_every_row_its_answers():
    rows = operator_rows()
    assert sorted(row.type for row in rows) == sorted(op_specs())
    for row in rows:
        assert all(
            (row.kind, row.family, row.label, row.channels, row.spatial, row.shapes, row.work)
        )
    conv = next(row for row in rows if row.type == "conv2d")
    assert (conv.kind, conv.label, conv.family) == ("convolution", "conv", "convolution")
    swish = next(row for row in rows if row.type == "hard_swish")
    assert (swish.pir, swish.label) == ("hardswish", "hswish")
