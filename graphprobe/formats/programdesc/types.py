"""The numbers of framework.proto's enums, for reading and for writing."""

from __future__ import annotations

# VarType.Type: what a variable is. 28 (feed list) and 9 are one kind here.
KINDS = {
    28: "feed",
    7: "tensor",
    8: "selected_rows",
    9: "feed",
    10: "fetch",
    11: "scope",
    13: "tensor_array",
    15: "reader",
    17: "raw",
}
# VarType.Type: what a tensor is made of. SIZE_T (19) is what Paddle calls it; numpy has uint64.
DTYPES = {
    0: "bool",
    1: "int16",
    2: "int32",
    3: "int64",
    4: "float16",
    5: "float32",
    6: "float64",
    19: "uint64",
    20: "uint8",
    21: "int8",
    22: "bfloat16",
    23: "complex64",
    24: "complex128",
    32: "float8_e4m3fn",
    33: "float8_e5m2",
}

# AttrType: the types of attributes.
INT, FLOAT, STRING, INTS, FLOATS, STRINGS, BOOLEAN, BOOLEANS = range(8)
BLOCK, LONG, BLOCKS, LONGS, FLOAT64S, VAR, VARS, FLOAT64, SCALAR, SCALARS = range(8, 18)

# AttrType -> the field of OpDesc.Attr that holds the value. SCALAR and SCALARS are messages.
ATTR_FIELDS = {
    INT: "i",
    FLOAT: "f",
    STRING: "s",
    INTS: "ints",
    FLOATS: "floats",
    STRINGS: "strings",
    BOOLEAN: "b",
    BOOLEANS: "bools",
    BLOCK: "block_idx",
    LONG: "l",
    BLOCKS: "blocks_idx",
    LONGS: "longs",
    FLOAT64S: "float64s",
    VAR: "var_name",
    VARS: "vars_name",
    FLOAT64: "float64",
}
# Scalar.Type -> the field of Scalar that holds the value; complex numbers have none here.
SCALAR_FIELDS = {1: "b", 2: "i", 3: "r"}
