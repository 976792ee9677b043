"""From the ops of a PIR json to the blocks of a Program."""

from __future__ import annotations

from dataclasses import replace

from graphprobe.formats.pir.drafts import Draft, Drafts
from graphprobe.formats.pir.values import (
    Json,
    Malformed,
    get_dict,
    get_id,
    get_list,
    get_text,
    is_absent,
    named_attributes,
    shown,
    variables,
)
from graphprobe.ir import Attr, Block, Op, Var
from graphprobe.ops.pir_names import OpNames, op_names

_CONSTANTS = {"full": "fill_constant", "full_int_array": "assign_value"}
# Inputs: a network that was saved has ``data``; a ProgramDesc that Paddle 3 translated, ``feed``.
_FEEDS = ("data", "feed")
_ELEMENTWISE = "elementwise_"
_CONDITION = Var("", (1,), "bool")
_SCOPE = Var("", None, "unknown", kind="scope")


class Translator:
    """Translates one program. Values are known by their number, across all blocks."""

    def __init__(self) -> None:
        self._drafts = Drafts()
        self._constants: dict[str, Attr] = {}

    def translate(self, main: dict[str, Json]) -> tuple[Block, ...]:
        """The blocks of a program, the main one first.

        Raises:
            Malformed: the json is not what PIR writes.
        """
        self._block(main, -1, 0, (), ())
        drafts = self._drafts.blocks
        read = {n for draft in drafts for op in draft.ops for n in op.input_names()}
        idle = self._constants.keys() - read  # they went into attributes everywhere
        blocks = []
        first = 0
        for draft in drafts:
            kept = [op for op in draft.ops if not _makes_only(op, idle)]
            ops = tuple(replace(op, id=first + i) for i, op in enumerate(kept))
            known = {name: var for name, var in draft.vars.items() if name not in idle}
            blocks.append(Block(draft.index, draft.parent, known, ops))
            first += len(ops)
        return tuple(blocks)

    def _block(
        self,
        block: dict[str, Json],
        parent: int,
        depth: int,
        arguments: tuple[str, ...],
        results: tuple[str, ...],
    ) -> int:
        """Translate a block and those inside it; returns its index. Depth is bounded."""
        draft = self._drafts.open(parent, depth)
        for value, given in zip(get_list(block, "args"), arguments, strict=False):
            names = self._declare(draft, get_dict(value), "argument")
            self._drafts.emit(draft, Op(0, "assign", {"X": (given,)}, {"Out": names}))
        for item in get_list(block, "ops"):
            self._op(draft, get_dict(item), results)
        return draft.index

    def _op(self, draft: Draft, item: dict[str, Json], results: tuple[str, ...]) -> None:
        name = get_text(item, "#")
        dialect, _, short = name.rpartition(".")
        if name == "p":
            self._parameter(item)
        elif short in _FEEDS and not get_list(item, "I"):
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
        self._drafts.parameter(name, var, get_id(result))

    def _feed(self, draft: Draft, item: dict[str, Json]) -> None:
        """An input: its op knows its name, and one that was ``feed`` before knows its column."""
        attrs = self._attrs(item, op_names("data"))
        result = get_dict((get_list(item, "O") or [None])[0])
        name = self._drafts.fresh(str(attrs.get("name") or "feed"))
        draft.vars[name] = replace(variables(name, result.get("TT"))[0], stop_gradient=True)
        self._drafts.names[get_id(result)] = (name,)
        holder, column = self._drafts.holder("feed"), self._drafts.next_number("feed")
        known = attrs.get("col", column)
        self._drafts.emit(draft, Op(0, "feed", {"X": (holder,)}, {"Out": (name,)}, {"col": known}))

    def _regroup(self, item: dict[str, Json], kind: str) -> None:
        """Tie values to a vector or take them out: names only, no op in ProgramDesc."""
        given = self._drafts.read_all(get_list(item, "I"))
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
        self._drafts.names.update(zip(results, groups, strict=True))

    def _yield(self, draft: Draft, item: dict[str, Json], results: tuple[str, ...]) -> None:
        """What a region gives back is assigned to the results of the op around it."""
        values = self._drafts.read_all(get_list(item, "I"))
        for value, result in zip(values, results, strict=False):
            self._drafts.emit(draft, Op(0, "assign", {"X": (value,)}, {"Out": (result,)}))

    def _regions(self, draft: Draft, item: dict[str, Json], kind: str) -> None:
        """An op with regions becomes one op for each, with the region as its sub-block."""
        reads = self._drafts.read_all(get_list(item, "I"))
        results = tuple(
            name for v in get_list(item, "O") for name in self._declare(draft, get_dict(v), kind)
        )
        blocks = [
            get_dict(block)
            for region in get_list(item, "regions")
            for block in get_list(get_dict(region), "blocks")
        ]
        if kind == "while" and reads:
            self._while(draft, reads, results, blocks)
        elif kind == "if" and reads:
            self._if(draft, reads[0], results, blocks)
        else:
            for block in blocks:
                inner = self._block(block, draft.index, draft.depth + 1, reads, results)
                given = {"X": reads} if reads else {}
                op = Op(0, kind, given, {"Out": results}, {"sub_block": inner})
                self._drafts.emit(draft, op)

    def _while(
        self,
        draft: Draft,
        reads: tuple[str, ...],
        results: tuple[str, ...],
        blocks: list[dict[str, Json]],
    ) -> None:
        """A loop of ProgramDesc changes its variables and its condition in place.

        So its results start as what PIR passes in, and each turn assigns the next values to them.
        """
        condition = self._drafts.new_var(draft, "while_condition", _CONDITION)
        state = (condition, *results)
        for given, kept in zip(reads, state, strict=False):
            self._drafts.emit(draft, Op(0, "assign", {"X": (given,)}, {"Out": (kept,)}))
        for block in blocks[:1]:
            inner = self._block(block, draft.index, draft.depth + 1, results, state)
            inputs = {"Condition": (condition,), "X": self._outer_reads(inner)}
            scope = self._drafts.new_var(draft, "while_scope", _SCOPE)
            outputs = {"Out": state, "StepScopes": (scope,)}
            op = Op(0, "while", inputs, outputs, {"sub_block": inner, "is_test": True})
            self._drafts.emit(draft, op)

    def _if(
        self,
        draft: Draft,
        condition: str,
        results: tuple[str, ...],
        blocks: list[dict[str, Json]],
    ) -> None:
        """The two branches are two conditional blocks, the second under the negated condition."""
        for number, block in enumerate(blocks[:2]):
            given = condition
            if number == 1:
                given = self._drafts.new_var(draft, "logical_not", _CONDITION)
                op = Op(0, "logical_not", {"X": (condition,)}, {"Out": (given,)})
                self._drafts.emit(draft, op)
            inner = self._block(block, draft.index, draft.depth + 1, (), results)
            inputs = {"Cond": (given,), "Input": self._outer_reads(inner)}
            scope = self._drafts.new_var(draft, "conditional_block_scope", _SCOPE)
            outputs = {"Out": results, "Scope": (scope,)}
            attrs: dict[str, Attr] = {"sub_block": inner, "is_scalar_condition": True}
            self._drafts.emit(draft, Op(0, "conditional_block", inputs, outputs, attrs))

    def _outer_reads(self, index: int) -> tuple[str, ...]:
        """What the ops of a block read of the blocks around it, by first use."""
        block = self._drafts.blocks[index]
        names = dict.fromkeys(name for op in block.ops for name in op.input_names())
        return tuple(name for name in names if name not in block.vars)

    def _plain(self, draft: Draft, item: dict[str, Json], short: str) -> None:
        names = op_names(short)
        attrs = self._attrs(item, names)
        inputs = self._inputs(item, names, attrs)
        if names.type.startswith(_ELEMENTWISE):
            attrs.setdefault("axis", -1)
        outputs: dict[str, tuple[str, ...]] = {}
        stem = f"{names.type}_{self._drafts.next_number(names.type)}"
        for i, value in enumerate(get_list(item, "O")):
            if short == "fetch":
                outputs["Out"] = (self._drafts.holder("fetch"),)
                continue
            if is_absent(value):
                continue
            written = self._drafts.declare(draft, get_dict(value), f"{stem}.tmp_{i}")
            slot = names.output(i)
            outputs[slot] = outputs.get(slot, ()) + written
        if short in _CONSTANTS:
            self._remember(short, attrs, outputs)
        self._drafts.emit(draft, Op(0, names.type, inputs, outputs, attrs))

    def _inputs(
        self, item: dict[str, Json], names: OpNames, attrs: dict[str, Attr]
    ) -> dict[str, tuple[str, ...]]:
        """Slots of the operands; constants that have an attribute go there instead."""
        inputs: dict[str, tuple[str, ...]] = {}
        for i, value in enumerate(get_list(item, "I")):
            read = self._drafts.read(value)
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

    def _declare(self, draft: Draft, value: dict[str, Json], kind: str) -> tuple[str, ...]:
        """Declare a result or an argument that is numbered for itself."""
        if get_id(value) == 0:
            return ()
        stem = f"{kind}_{self._drafts.next_number(kind)}.tmp_0"
        return self._drafts.declare(draft, value, stem)


def _makes_only(op: Op, constants: set[str]) -> bool:
    """Whether an op makes one of these constants and nothing else."""
    return op.type in _CONSTANTS.values() and constants.issuperset(op.output_names())
