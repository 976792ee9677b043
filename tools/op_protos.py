"""Write graphprobe/formats/programdesc/op_protos.json from the operators of the installed Paddle.

    .venv/bin/python tools/op_protos.py

The writer of ProgramDesc reads in it which slots an operator has, the types and defaults of its
attributes, and the version of its definition. One operator a line:
``"conv2d": ["Input Filter", "Output", "dilations:3 groups:0 ...", 1, {"groups": 1, ...}]``: input
slots, output slots, attributes with their AttrType, version, defaults. A slot that may be absent
ends in ``?``. Attributes that only choose a kernel have no default here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "graphprobe/formats/programdesc/op_protos.json"
# Attributes that every operator has; the writer knows them.
COMMON = {"op_role", "op_role_var", "op_namescope", "op_callstack", "op_device", "with_quant_attr"}


def main() -> None:
    import paddle
    from paddle.base import core
    from paddle.base.framework import OpProtoHolder

    protos = OpProtoHolder.instance().op_proto_map
    versions = core.get_op_version_map()
    rows = {name: row(name, protos[name], core, versions) for name in sorted(protos)}
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in rows.items()]
    head = f'{{"": {json.dumps(paddle.__version__)},\n'
    TARGET.write_text(head + ",\n".join(lines) + "\n}\n")
    print(f"{TARGET}: {len(rows)} operators of Paddle {paddle.__version__}")


def row(name: str, proto: Any, core: Any, versions: Any) -> list[Any]:
    attrs = {a.name: int(a.type) for a in proto.attrs if a.name not in COMMON}
    own = set(attrs)
    defaults = core.get_op_attrs_default_value(name.encode())
    for attr, default in core.get_op_extra_attrs(name).items():
        kind = attr_type(default)
        if kind is not None and attr not in COMMON:
            attrs.setdefault(attr, kind)
    known = versions[name].version_id() if name in versions else 0
    return [
        " ".join(s.name + "?" * s.dispensable for s in proto.inputs),
        " ".join(s.name + "?" * (s.dispensable or s.intermediate) for s in proto.outputs),
        " ".join(f"{attr}:{kind}" for attr, kind in sorted(attrs.items())),
        known,
        {a: v for a, v in sorted(defaults.items()) if a in own},
    ]


def attr_type(value: Any) -> int | None:
    """The AttrType of a default value; an empty list does not show its own."""
    if isinstance(value, list):
        return {int: 3, float: 4, str: 5, bool: 7}.get(type(value[0])) if value else None
    return {bool: 6, int: 0, float: 1, str: 2}.get(type(value))


if __name__ == "__main__":
    main()
