"""What Paddle 2.6.2 registers of each operator: slots, attribute types, defaults, version.

``op_protos.json`` is written by ``tools/op_protos.py`` from the registry of an installed Paddle.
Only writing a program reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphprobe.formats.programdesc.types import BOOLEAN, INT, STRING, STRINGS
from graphprobe.ir import Attr

# Attributes that every operator has.
COMMON = {
    "op_role": INT,
    "op_role_var": STRINGS,
    "op_namescope": STRING,
    "op_callstack": STRINGS,
    "op_device": STRING,
    "with_quant_attr": BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class OpProto:
    """One registered operator.

    Args:
        inputs: slot -> whether it must be given.
        outputs: the same; results that only a gradient needs may be absent.
        attrs: attribute -> AttrType, without those that every operator has.
        version: of its definition; 0 where it has never changed.
        defaults: attribute -> value that Paddle takes where it is absent.
    """

    inputs: Mapping[str, bool]
    outputs: Mapping[str, bool]
    attrs: Mapping[str, int]
    version: int
    defaults: Mapping[str, Attr]


@cache
def op_proto(type: str) -> OpProto | None:
    """The operator of that type, or None where Paddle 2.6.2 has none."""
    row = _table().get(type)
    if row is None or not type:
        return None
    inputs, outputs, attrs, version, defaults = row
    types = (word.rpartition(":") for word in attrs.split())
    return OpProto(
        _slots(inputs),
        _slots(outputs),
        {name: int(kind) for name, _, kind in types},
        version,
        {n: tuple(v) if isinstance(v, list) else v for n, v in defaults.items()},
    )


def paddle_version() -> str:
    """The version of Paddle that the table was taken from."""
    version: str = _table()[""]
    return version


def _slots(text: str) -> dict[str, bool]:
    return {word.rstrip("?"): not word.endswith("?") for word in text.split()}


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(Path(__file__).with_name("op_protos.json").read_bytes())
    return table
