"""A short name for a program's forward structure, to bind a config to the program it is for."""

from __future__ import annotations

from graphprobe.ir.program import Program


def fingerprint(program: Program) -> str:
    """Hash the forward ops (types and variables) and the parameters with their shapes.

    Backward and optimizer ops do not count, so the program a user lists and the one that is
    trained later share a fingerprint. Neither do attributes: running a network at another size
    does not make it another network. Nor does the order in which an op that runs a block names
    what it hands in and out, which Paddle makes anew in each process.

    Returns:
        ``sha256:`` and 16 hexadecimal digits.
    """
    import hashlib  # listing a program needs neither
    import json

    digest = hashlib.sha256()
    for op in program.ops:
        if op.role == "forward":
            inputs, outputs = dict(op.inputs), dict(op.outputs)
            if "sub_block" in op.attrs:
                for slots in (inputs, outputs):
                    slots.update({slot: tuple(sorted(names)) for slot, names in slots.items()})
            line = (op.type, sorted(inputs.items()), sorted(outputs.items()))
            digest.update(json.dumps(line).encode())
    for var in sorted(program.parameters, key=lambda v: v.name):
        digest.update(json.dumps((var.name, var.shape)).encode())
    return f"sha256:{digest.hexdigest()[:16]}"
