"""Write a program as ProgramDesc, whatever it was read from."""

from __future__ import annotations

from dataclasses import replace

from graphprobe.errors import ExportError
from graphprobe.ir import Block, Op, Program, Var


def write_program(program: Program) -> bytes:
    """The bytes of a ``.pdmodel`` or ``__model__`` file.

    A program that was read from a ProgramDesc comes back as it was, in its own version. One that
    was read from PIR json gets what Paddle 2.6.2 needs to run it.

    Raises:
        ExportError: operators that cannot be translated, all of them in one message; or a program
            without ops.
    """
    if not program.ops:
        raise ExportError("the program has no ops", where=program.origin.source)
    from graphprobe.formats.programdesc.write import encode

    return encode(as_programdesc(program))


def as_programdesc(program: Program) -> Program:
    """The program with what ProgramDesc wants of its ops; one that was read from it is unchanged.

    Raises:
        ExportError: operators that cannot be translated, all of them in one message.
    """
    if program.origin.kind != "pir":
        return program
    from graphprobe.formats.pir.complete import complete

    return complete(program)


def add_ports(program: Program) -> Program:
    """The program with feed and fetch ops for its inputs and outputs, which inference needs.

    A program that has them already comes back unchanged.
    """
    main = program.blocks[0]
    types = {op.type for op in main.ops}
    feeds = () if "feed" in types else program.feeds
    fetches = () if "fetch" in types else program.fetches
    if not feeds and not fetches:
        return program
    known = dict(main.vars)
    for kind, names in (("feed", feeds), ("fetch", fetches)):
        if names:
            known[kind] = Var(kind, None, "unknown", persistable=True, kind=kind)
    before = [
        Op(0, "feed", {"X": ("feed",)}, {"Out": (n,)}, {"col": i}) for i, n in enumerate(feeds)
    ]
    after = [
        Op(0, "fetch", {"X": (n,)}, {"Out": ("fetch",)}, {"col": i}) for i, n in enumerate(fetches)
    ]
    blocks: list[Block] = []
    first = 0
    for block in program.blocks:
        ops = (*before, *block.ops, *after) if block.index == 0 else block.ops
        ops = tuple(replace(op, id=first + i) for i, op in enumerate(ops))
        first += len(ops)
        blocks.append(replace(block, ops=ops, vars=known if block.index == 0 else block.vars))
    return replace(program, blocks=tuple(blocks))
