"""Read the arrays of a ``.pdparams`` file without running anything of it.

The file is a pickle, whose opcodes can call any function. Here they are only listed (pickletools)
and followed by a machine that knows containers, numbers, text, bytes and numpy arrays, and no
function at all; whatever else a file asks for is named and refused. Its bounds hold before memory
is taken: the bytes of the file, the number of opcodes, and the bytes of all arrays together, which
are never more than a few times those of the file.

Source of the layout: what ``paddle.save`` of Paddle 1.8 to 2.6 writes, and the pickle protocols
2 to 4 of Python's ``pickletools``.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.data.npz_reader import refuse_special_files
from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError

MOST_BYTES = 4_000_000_000
MOST_OPCODES = 5_000_000
# How often the bytes of a file may be copied: text -> bytes -> array.
MOST_TIMES = 4
FREE_BYTES = 1 << 20
# Paddle's own entries beside the parameters.
_NAMES = "StructuredToParameterName@@"
_DTYPE = re.compile(r"^[<>|=]?([fiu][1248]|b1|\?)$")
_MARK = object()
_DAMAGED = (
    *(ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError),
    *(MemoryError, RecursionError, EOFError),
)


@dataclass(frozen=True, slots=True)
class _Global:
    """A function or class that the file names; it is compared and never looked up."""

    name: str


@dataclass(slots=True)
class _Dtype:
    text: str

    def fill(self, state: Any) -> None:
        """Take the byte order of a pickled dtype's state."""
        if state[1] in ("<", ">"):
            self.text = state[1] + self.text.lstrip("<>|=")


@dataclass(slots=True)
class _Array:
    value: Any = None

    def fill(self, state: Any) -> None:
        """Make the array from a pickled state: version, shape, dtype, Fortran order, bytes."""
        _, shape, dtype, fortran, data = state
        numbers = _dtype(dtype)
        found = np.frombuffer(_bytes(data), numbers)
        if not all(isinstance(side, int) for side in shape):
            raise TypeError("a shape is no list of numbers")
        if found.size != prod(shape):
            raise ValueError(f"an array of {shape} has {found.size} numbers")
        self.value = found.reshape(shape, order="F" if fortran else "C").copy()


def read_pdparams(path: Path) -> tuple[Arrays, dict[str, str]]:
    """The parameters of a file that ``paddle.save`` or ``fluid.save`` wrote.

    Returns:
        the arrays by name, for a layer's by its place in the layer (``conv1._conv.weight``); and
        of those what the parameters themselves are called (``conv1_weights``), where Paddle 2.x
        wrote that beside them.

    Raises:
        CheckpointError: it is damaged, holds anything else than arrays, or wants to run code.
    """
    try:
        refuse_special_files(path)
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES:,} bytes")
        found = _Machine().run(path.read_bytes())
        arrays = _parameters(found)
        return arrays, _names(found, arrays)
    except OSError as error:
        raise CheckpointError(
            f"cannot be read ({error.strerror or error})", where=str(path)
        ) from error
    except _DAMAGED as error:
        raise CheckpointError(
            f"cannot be read as parameters ({error})",
            where=str(path),
            hint="if you trust it: numpy.savez('weights.npz', **paddle.load(path))",
        ) from error


def _parameters(found: Any) -> Arrays:
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not names and arrays")
    arrays = {}
    for name, value in found.items():
        if name == _NAMES:
            continue
        # Paddle 2.1 and later may write a pair of the variable's name and its value.
        inner = value[1] if isinstance(value, tuple) and len(value) == 2 else value
        if not isinstance(inner, _Array):
            raise ValueError(f"{name[:60]} is no array")
        arrays[name] = inner.value
    return arrays


def _names(found: dict[str, Any], arrays: Arrays) -> dict[str, str]:
    table = found.get(_NAMES, {})
    if not isinstance(table, dict):
        raise ValueError(f"{_NAMES} is no table of names")
    return {key: _text(name) for key, name in table.items() if key in arrays}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} in the place of a name")
    return value


def _bytes(data: Any) -> bytes:
    if isinstance(data, str):  # protocol 2 of Python 2
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise TypeError(f"an array's content is a {type(data).__name__}")
    return bytes(data)


def _dtype(dtype: Any) -> np.dtype[Any]:
    if not isinstance(dtype, _Dtype) or not _DTYPE.match(dtype.text):
        raise ValueError(f"numbers of the kind {getattr(dtype, 'text', dtype)!s:.40}")
    return np.dtype(dtype.text)


def _call(function: Any, args: tuple[Any, ...]) -> Any:
    """What the few known functions of such files would return; none of them is called."""
    name = function.name if isinstance(function, _Global) else type(function).__name__
    core = name.replace("numpy._core.", "numpy.core.")
    if core == "numpy.core.multiarray _reconstruct":
        return _Array()
    if name == "numpy dtype":
        return _Dtype(_text(args[0]))
    if name == "_codecs encode" and len(args) == 2 and args[1] == "latin1":
        return args[0].encode("latin1")
    if name in ("builtins tuple", "__builtin__ tuple"):
        return tuple(args[0])
    if name == "collections OrderedDict" and not args:
        return {}
    raise ValueError(f"it wants to run {name[:80]}")


class _Machine:
    """Follows the opcodes of a pickle of plain data."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.left = 0

    def run(self, data: bytes) -> Any:
        """The object that the opcodes build."""
        self.left = MOST_TIMES * len(data) + FREE_BYTES
        for count, (opcode, arg, _) in enumerate(pickletools.genops(data)):
            if count > MOST_OPCODES:
                raise ValueError(f"more than {MOST_OPCODES:,} opcodes")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _CONSTANTS:
                self.stack.append(_CONSTANTS[opcode.name]())
            elif opcode.name in _VALUES:
                self.stack.append(arg)
            elif opcode.name in _STEPS:
                _STEPS[opcode.name](self, arg)
            elif opcode.name not in ("PROTO", "FRAME"):
                raise ValueError(f"the opcode {opcode.name}")
        raise ValueError("it ends in the middle")

    def cut(self) -> list[Any]:
        """Take what lies above the last mark, and the mark."""
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
        above = self.stack[at + 1 :]
        del self.stack[at:]
        return above

    def take(self, count: int) -> list[Any]:
        """Take the uppermost values, the lowest first."""
        if len(self.stack) < count:
            raise IndexError("a value is missing")
        above = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return above

    def put(self, arg: Any) -> None:
        """Remember the uppermost value."""
        self.memo[len(self.memo) if arg is None else arg] = self.stack[-1]

    def set_items(self, flat: list[Any]) -> None:
        """Put keys and values into the dict below."""
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError("items of what is no dict")
        # Text alone: hashing tuples of tuples of tuples may take for ever.
        target.update(zip(map(_text, flat[::2]), flat[1::2], strict=True))

    def make_dict(self) -> None:
        """Make a dict of what lies above the last mark."""
        flat = self.cut()
        self.stack.append({})
        self.set_items(flat)

    def extend(self, values: list[Any]) -> None:
        """Append to the list below."""
        if not isinstance(self.stack[-1], list):
            raise TypeError("values of what is no list")
        self.stack[-1].extend(values)

    def reduce(self) -> None:
        """Stand in for a call."""
        function, args = self.take(2)
        if isinstance(args, tuple) and args and isinstance(args[0], str):
            self.spend(len(args[0]))  # text that becomes bytes
        self.stack.append(_call(function, args))

    def build(self) -> None:
        """Give a state to the array or dtype below."""
        (state,) = self.take(1)
        target = self.stack[-1]
        if not isinstance(target, _Array | _Dtype):
            raise TypeError(f"a state for a {type(target).__name__}")
        if isinstance(target, _Array):
            self.spend(len(state[4]))
        target.fill(state)

    def spend(self, count: int) -> None:
        """Take so many bytes from what may be made of the file."""
        self.left -= count
        if self.left < 0:
            raise ValueError("it makes many arrays of the same bytes")

    def name(self, arg: Any) -> None:
        """Note a function or class that the file names."""
        text = arg if arg is not None else " ".join(map(_text, self.take(2)))
        self.stack.append(_Global(text))


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "MARK": lambda: _MARK,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}
_VALUES = frozenset(
    ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
    + ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE")
    + ("BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
)
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": lambda m, _: m.name(None),
    "REDUCE": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.build(),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "GET": lambda m, arg: m.stack.append(m.memo[arg]),
    "BINGET": lambda m, arg: m.stack.append(m.memo[arg]),
    "LONG_BINGET": lambda m, arg: m.stack.append(m.memo[arg]),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.cut())),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.take(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.take(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.take(3))),
    "DICT": lambda m, _: m.make_dict(),
    "LIST": lambda m, _: m.stack.append(m.cut()),
    "SETITEM": lambda m, _: m.set_items(m.take(2)),
    "SETITEMS": lambda m, _: m.set_items(m.cut()),
    "APPEND": lambda m, _: m.extend(m.take(1)),
    "APPENDS": lambda m, _: m.extend(m.cut()),
}
