"""What graphprobe knows of operators: one table, one file a family.

Each file of `graphprobe.ops.families` defines FAMILY: op types with every facet of each (see
`graphprobe.ops.facets`). To add an operator, add its type to the row that it works like, or write
a new row or file. `graphprobe.ops.kinds` answers what other packages ask.

The rules that the rows name have a room for each facet: `channels`, `spatial`, `shapes`, `work`.
"""

from __future__ import annotations

from graphprobe.ops.facets import OpSpec
from graphprobe.ops.table import op_spec, op_specs

__all__ = ["OpSpec", "op_spec", "op_specs"]
