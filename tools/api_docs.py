"""Write docs/api.md from the docstrings of the public names, as griffe reads them.

Nothing of graphprobe is imported: griffe parses the source.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
HEAD = """\
# The Python library

<!-- Written by `make docs` from the docstrings; edit those. -->

Each command of the command line is one function, with the same options; [python.md](python.md)
leads through them. `import graphprobe` imports nothing heavy: what a function needs is imported
when it is first named. Wherever a program is asked for, a `ProgramLike` will do: a file, a folder,
`zoo:NAME`, `package.module:callable`, a `paddle.static.Program`, or what `load` gave.

"""
# The headings of the page, and what stands below each; other public names are an error.
FUNCTIONS = {
    "Read programs": ("load", "list_variables", "list_names"),
    "Find": ("find_pairs", "find_prunable", "choose_ratios"),
    "Data": ("inspect_data",),
    "Show": ("draw", "report"),
    "Convert": ("convert",),
    "Installation": ("diagnose",),
    "Runs": ("list_runs", "compare_runs"),
    "Train": ("check", "train", "evaluate", "predict", "export", "sensitivity"),
}
UNLISTED = ("ProgramLike", "__version__")


def page() -> str:
    """The whole page."""
    package = griffe.load(
        "graphprobe",
        search_paths=[str(ROOT)],
        docstring_parser="google",
        # The fields of a NamedTuple are no parameters to griffe.
        docstring_options={"warn_unknown_params": False, "warn_missing_types": False},
    )
    assert isinstance(package, griffe.Module)
    names = [str(name).strip("'") for name in package.exports or ()]
    listed = {name for group in FUNCTIONS.values() for name in group}
    types = sorted(name for name in names if name[0].isupper() and name not in UNLISTED)
    unknown = set(names) - listed - set(types) - set(UNLISTED)
    if unknown:
        sys.exit(f"tools/api_docs.py lists no heading for {', '.join(sorted(unknown))}")
    parts = [HEAD]
    for title, group in FUNCTIONS.items():
        parts.append(f"## {title}\n\n")
        parts += [_function(package, name) for name in group if name in names]
    parts.append("## Types\n\n")
    parts += [_class(package, name) for name in types]
    # In Markdown one backtick is enough.
    return re.sub(r"``([^`\n]+)``", r"`\1`", "".join(parts)).rstrip() + "\n"


def _target(package: griffe.Module, name: str) -> griffe.Object:
    found = package[name]
    return found.final_target if isinstance(found, griffe.Alias) else found


def _function(package: griffe.Module, name: str) -> str:
    function = _target(package, name)
    assert isinstance(function, griffe.Function)
    return f"### {name}\n\n```python\n{_signature(function)}\n```\n\n{_docs(function)}"


def _class(package: griffe.Module, name: str) -> str:
    found = _target(package, name)
    assert isinstance(found, griffe.Class)
    parts = [f"### {name}\n\n", _docs(found)]
    members = list(_members(found))
    if members:
        parts.append("Properties and methods:\n\n")
    for member in members:
        about = _summary(member)
        if isinstance(member, griffe.Function):
            parts.append(f"- `{_signature(member)}`: {about}\n")
        else:
            parts.append(f"- `{member.name}: {member.annotation}`: {about}\n")
    return "".join(parts).rstrip("\n") + "\n\n"


def _members(found: griffe.Class) -> Iterator[griffe.Function | griffe.Attribute]:
    """Public methods and properties that have a docstring, inherited ones too, by name."""
    for name, member in sorted(found.all_members.items()):
        target = member.final_target if isinstance(member, griffe.Alias) else member
        if name.startswith("_") or target.docstring is None:
            continue
        if isinstance(target, griffe.Function | griffe.Attribute):
            yield target


def _signature(function: griffe.Function) -> str:
    """As it stands in the source, a parameter a line where it is long."""
    parts, starred = [], False
    for parameter in function.parameters:
        if parameter.name == "self":
            continue
        if parameter.kind is griffe.ParameterKind.keyword_only and not starred:
            parts.append("*")
            starred = True
        text = parameter.name
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None:
            text += f" = {parameter.default}"
        parts.append(text)
    end = f" -> {function.returns}" if function.returns is not None else ""
    line = f"{function.name}({', '.join(parts)}){end}"
    if len(line) <= 88:
        return line
    return f"{function.name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


def _summary(found: griffe.Object) -> str:
    assert found.docstring is not None
    first = found.docstring.value.split("\n\n", 1)[0]
    return " ".join(first.split())


def _docs(found: griffe.Object) -> str:
    if found.docstring is None:
        sys.exit(f"{found.path} has no docstring")
    return "".join(_section(section) for section in found.docstring.parsed)


def _section(section: griffe.DocstringSection) -> str:
    if isinstance(section, griffe.DocstringSectionText):
        return f"{section.value}\n\n"
    if isinstance(section, griffe.DocstringSectionParameters):
        rows = [f"- `{item.name}`: {_flat(item.description)}\n" for item in section.value]
        return "".join(rows) + "\n"
    if isinstance(section, griffe.DocstringSectionReturns):
        return "Returns: " + " ".join(_flat(item.description) for item in section.value) + "\n\n"
    if isinstance(section, griffe.DocstringSectionRaises):
        rows = [f"- `{item.annotation}`: {_flat(item.description)}\n" for item in section.value]
        return "Raises:\n\n" + "".join(rows) + "\n"
    if isinstance(section, griffe.DocstringSectionExamples):
        text = "\n".join(value for _, value in section.value)
        return f"```python\n{text}\n```\n\n"
    if isinstance(section, griffe.DocstringSectionAdmonition):
        return f"{section.title}:\n\n```python\n{section.value.description}\n```\n\n"
    sys.exit(f"tools/api_docs.py does not know a section of kind {section.kind}")


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
