"""From the ops of a PIR json to the blocks of a Program."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from graphprobe.formats._limits import MAX_BLOCKS, MAX_DEPTH, MAX_OPS
from graphprobe.formats.pir.op_names import OpNames, op_names
from graphprobe.formats.pir.values import (
    Json,
    Malformed,
    get_dict,
    get_id,
    get_list,
    get_text,
    named_attributes,
    shown,
    variables,
)
from graphprobe.ir import Attr, Block, Op, Var

_CONSTANTS = {"full": "fill_constant", "full_int_array": "assign_value"}
_ELEMENTWISE = "elementwise_"
_REGION_TYPES = {"if": "conditional_block", "while": "while"}
_REGION_CONDITION = {"if": "Cond", "while": "Condition"}


@dataclass(slots=True)
class _Draft:
    """A block in the making."""

    index: int
    parent: int
    depth: int
    vars: dict[str, Var] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)


class Translator:
    """Translates one program. Values are known by their number, across all blocks."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, ...]] = {}
        self._constants: dict[str, Attr] = {}
        self._counts: Counter[str] = Counter()
        self._taken: set[str] = set()
        self._drafts: list[_Draft] = []
        self._ops = 0

    def translate(self, main: dict[str, Json]) -> tuple[Block, ...]:
        """The blocks of a program, the main one first.

        Raises:
            Malformed: the json is not what PIR writes.
        """
        self._block(main, -1, 0, (), ())
        used = {n for draft in self._drafts for op in draft.ops for n in op.input_names()}
        blocks = []
        first = 0
        for draft in self._drafts:
            kept = [op for op in draft.ops if not self._is_idle_constant(op, used)]
            gone = {
                n for op in draft.ops for n in op.output_names()
            } & self._constants.keys() - used
            ops = tuple(replace(op, id=first + i) for i, op in enumerate(kept))
            known = {name: var for name, var in draft.vars.items() if name not in gone}
            blocks.append(Block(draft.index, draft.parent, known, ops))
            first += len(ops)
        return tuple(blocks)

    def _is_idle_constant(self, op: Op, used: set[str]) -> bool:
        """A constant that went into attributes everywhere."""
        names = set(op.output_names())
        return op.type in _CONSTANTS.values() and names <= self._constants.keys() - used

    def _block(
        self,
        block: dict[str, Json],
        parent: int,
        depth: int,
        arguments: tuple[str, ...],
        results: tuple[str, ...],
    ) -> int:
        """Translate a block and those inside it; returns its index. Depth is bounded."""
        if depth > MAX_DEPTH or len(self._drafts) >= MAX_BLOCKS:
            raise Malformed(f"blocks nested deeper than {MAX_DEPTH} or more than {MAX_BLOCKS}")
        draft = _Draft(len(self._drafts), parent, depth)
        self._drafts.append(draft)
        for value, given in zip(get_list(block, "args"), arguments, strict=False):
            names = self._declare(draft, get_dict(value), get_id(value), "argument")
            self._emit(draft, Op(0, "assign", {"X": (given,)}, {"Out": names}))
        for item in get_list(block, "ops"):
            self._op(draft, get_dict(item), results)
        return draft.index

    def _op(self, draft: _Draft, item: dict[str, Json], results: tuple[str, ...]) -> None:
        name = get_text(item, "#")
        dialect, _, short = name.rpartition(".")
        if name == "p":
            self._parameter(item)
        elif short == "data":
            self._feed(draft, item)
        elif dialect in ("0", "builtin") and short in ("combine", "split", "slice"):
            self._regroup(item, short)
        elif short == "yield":
            self._yield(draft, item, results)
        elif "regions" in item:
            self._regions(draft, item, short)
        else:
            self._plain(draft, item, short)

    def _parameter(self, item: dict[str, Json]) -> None:
        """Parameters: ``A`` is [is_distributed, is_parameter, need_clip, name] and ``OA``
        [persistable, stop_gradient, trainable]."""
        flags, own, result = get_list(item, "A"), get_list(item, "OA"), get_dict(item.get("O"))
        if not flags or not isinstance(flags[-1], str) or len(own) < 2:
            raise Malformed("a parameter without a name or flags")
        name = get_text({"name": flags[-1]}, "name")
        var = replace(
            variables(name, result.get("TT"))[0],
            persistable=bool(own[0]),
            stop_gradient=bool(own[1]),
            is_parameter=len(flags) > 1 and bool(flags[1]),
        )
        self._taken.add(name)
        self._drafts[0].vars[name] = var
        self._names[get_id(result)] = (name,)

    def _feed(self, draft: _Draft, item: dict[str, Json]) -> None:
        """An input: the ``data`` op knows its name."""
        attrs = self._attrs(item, op_names("data"))
        result = get_dict((get_list(item, "O") or [None])[0])
        name = self._fresh(str(attrs.get("name") or "feed"))
        draft.vars[name] = replace(variables(name, result.get("TT"))[0], stop_gradient=True)
        self._names[get_id(result)] = (name,)
        holder = self._holder("feed")
        op = Op(0, "feed", {"X": (holder,)}, {"Out": (name,)}, {"col": self._counts["feed"]})
        self._counts["feed"] += 1
        self._emit(draft, op)

    def _regroup(self, item: dict[str, Json], kind: str) -> None:
        """Tie values to a vector or take them out: names only, no op in ProgramDesc."""
        given = tuple(n for value in get_list(item, "I") for n in self._read(value))
        results = [get_id(value) for value in get_list(item, "O")]
        if kind == "combine":
            groups = [given]
        elif kind == "split":
            groups = [(name,) for name in given]
        else:
            index = self._attrs(item, op_names("slice")).get("index")
            if not isinstance(index, int) or not -len(given) <= index < len(given):
                raise Malformed(f"a slice takes member {shown(index)} of {len(given)}")
            groups = [(given[index],)]
        if len(results) != len(groups):
            raise Malformed(f"{kind} has {len(results)} results for {len(groups)}")
        self._names.update(zip(results, groups, strict=True))

    def _yield(self, draft: _Draft, item: dict[str, Json], results: tuple[str, ...]) -> None:
        """What a region gives back is assigned to the results of the op around it."""
        values = [n for value in get_list(item, "I") for n in self._read(value)]
        # A while yields its condition first, then its variables.
        values = values[max(0, len(values) - len(results)) :]
        for value, result in zip(values, results, strict=False):
            self._emit(draft, Op(0, "assign", {"X": (value,)}, {"Out": (result,)}))

    def _regions(self, draft: _Draft, item: dict[str, Json], kind: str) -> None:
        """An op with regions becomes one op for each, with the region as its sub-block."""
        reads = [n for value in get_list(item, "I") for n in self._read(value)]
        results = tuple(n for v in get_list(item, "O") for n in self._result(draft, v, kind))
        slot = _REGION_CONDITION.get(kind, "X")
        inputs = {slot: tuple(reads[:1]), "X" if slot != "X" else "Input": tuple(reads[1:])}
        outputs = {"Out": results}
        type = _REGION_TYPES.get(kind, kind)
        for region in get_list(item, "regions"):
            for block in get_list(get_dict(region), "blocks"):
                inner = self._block(
                    get_dict(block), draft.index, draft.depth + 1, tuple(reads[1:]), results
                )
                self._emit(draft, Op(0, type, inputs, outputs, {"sub_block": inner}))

    def _plain(self, draft: _Draft, item: dict[str, Json], short: str) -> None:
        names = op_names(short)
        attrs = self._attrs(item, names)
        inputs = self._inputs(item, names, attrs)
        if names.type.startswith(_ELEMENTWISE):
            attrs.setdefault("axis", -1)
        outputs: dict[str, tuple[str, ...]] = {}
        number = self._counts[names.type]
        self._counts[names.type] += 1
        for i, value in enumerate(get_list(item, "O")):
            if short == "fetch":
                outputs["Out"] = (self._holder("fetch"),)
                continue
            written = self._declare(draft, get_dict(value), get_id(value), names.type, number, i)
            slot = names.output(i)
            outputs[slot] = outputs.get(slot, ()) + written
        if short in _CONSTANTS:
            self._remember(short, attrs, outputs)
        self._emit(draft, Op(0, names.type, inputs, outputs, attrs))

    def _inputs(
        self, item: dict[str, Json], names: OpNames, attrs: dict[str, Attr]
    ) -> dict[str, tuple[str, ...]]:
        """Slots of the operands; constants that have an attribute go there instead."""
        inputs: dict[str, tuple[str, ...]] = {}
        for i, value in enumerate(get_list(item, "I")):
            read = self._read(value)
            slot, attr = names.input(i)
            if attr is not None and len(read) == 1 and read[0] in self._constants:
                attrs[attr] = self._constants[read[0]]
            elif read:
                inputs[slot] = inputs.get(slot, ()) + read
        return self._fixed_size(inputs, attrs)

    def _fixed_size(
        self, inputs: dict[str, tuple[str, ...]], attrs: dict[str, Attr]
    ) -> dict[str, tuple[str, ...]]:
        """An interpolation's constant OutSize is out_h and out_w in ProgramDesc."""
        size = self._constants.get((*inputs.get("OutSize", ()), "")[0])
        axes = {1: ("out_w",), 2: ("out_h", "out_w"), 3: ("out_d", "out_h", "out_w")}
        if isinstance(size, tuple) and len(size) in axes:
            attrs.update(zip(axes[len(size)], size, strict=True))
            inputs.pop("OutSize")
        return inputs

    def _remember(
        self, short: str, attrs: dict[str, Attr], outputs: dict[str, tuple[str, ...]]
    ) -> None:
        """Note what a constant holds: a tuple of integers, or one number."""
        written = outputs.get("Out", ())
        if len(written) != 1:
            return
        name = written[0]
        value = attrs.get("values" if short == "full_int_array" else "value")
        if short == "full_int_array":
            self._constants[name] = value if isinstance(value, tuple) else ()
        elif attrs.get("shape") in ((), (1,)) and isinstance(value, int | float):
            whole = "int" in str(attrs.get("dtype")) and value == value and abs(value) < 2**63
            self._constants[name] = int(value) if whole else value

    def _attrs(self, item: dict[str, Json], names: OpNames) -> dict[str, Attr]:
        lists = (item.get(key) for key in ("A", "DA", "QA"))
        found = named_attributes([a for items in lists if isinstance(items, list) for a in items])
        if "struct_name" in found:
            found["op_namescope"] = found.pop("struct_name")
        return {names.attrs.get(name, name): value for name, value in found.items()}

    def _read(self, value: Json) -> tuple[str, ...]:
        """Names of an operand; none where it is absent."""
        number = get_id(value)
        if number == 0:
            return ()
        if number not in self._names:
            # A value nobody writes: keep the op, with a name that says so.
            self._names[number] = (self._fresh(f"undefined_{number}"),)
        return self._names[number]

    def _result(self, draft: _Draft, value: Json, kind: str) -> tuple[str, ...]:
        return self._declare(draft, get_dict(value), get_id(value), kind)

    def _declare(
        self,
        draft: _Draft,
        value: dict[str, Json],
        number: int,
        stem: str,
        count: int | None = None,
        index: int = 0,
    ) -> tuple[str, ...]:
        """Name and declare what a result stands for."""
        if number == 0:
            return ()
        if count is None:
            count = self._counts[stem]
            self._counts[stem] += 1
        name = self._fresh(f"{stem}_{count}.tmp_{index}")
        found = variables(name, value.get("TT"))
        draft.vars.update((var.name, var) for var in found)
        self._names[number] = tuple(var.name for var in found)
        return self._names[number]

    def _fresh(self, name: str) -> str:
        """The name, or the name with a number where it is taken."""
        unique, count = name, 0
        while unique in self._taken:
            self._counts[f"{name}@"] += 1
            count = self._counts[f"{name}@"]
            unique = f"{name}@{count}"
        self._taken.add(unique)
        return unique

    def _holder(self, kind: str) -> str:
        self._drafts[0].vars.setdefault(kind, Var(kind, None, "unknown", True, kind))
        return kind

    def _emit(self, draft: _Draft, op: Op) -> None:
        self._ops += 1
        if self._ops > MAX_OPS:
            raise Malformed(f"more than {MAX_OPS} ops")
        draft.ops.append(replace(op, block=draft.index))
