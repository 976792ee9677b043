"""Build a bundled model: the only way into the modules that import paddle."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphprobe.compat import import_paddle
from graphprobe.errors import LoadError, MissingDependency, did_you_mean
from graphprobe.zoo._base import MODES, Built, Graph, ZooModel
from graphprobe.zoo._options import ZooSpec, zoo_plugin


def build_zoo(spec: ZooSpec, mode: str | None = None) -> Built:
    """Build a model under a fresh name scope, so that its names do not depend on what came before.

    Paddle is put in static mode.

    Args:
        spec: from `parse_zoo`.
        mode: ``train``, ``eval`` or ``infer`` instead of the one in `spec`.

    Raises:
        LoadError: an option that this model does not take, or a value that it refuses.
        MissingDependency: paddle is not installed.
    """
    model = load_model(spec)
    options = _complete(model, spec, mode or spec.mode)
    import paddle
    from paddle.base import unique_name

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with unique_name.guard(), paddle.static.program_guard(main, startup):
        graph = model.build(options)
        used = dict(unique_name.generator.ids)
    # Whatever is added to the program later must not take a name that it has already.
    for key, count in used.items():
        ids = unique_name.generator.ids
        ids[key] = max(ids[key], count)
    return _describe(model, options, main, startup, graph)


def with_classes(spec: ZooSpec, count: int) -> ZooSpec:
    """The same model with an output for each of `count` classes, where none were asked for.

    Raises:
        MissingDependency: as `load_model`.
    """
    if "num_classes" in spec.options or load_model(spec).defaults["num_classes"] == count:
        return spec
    return replace(spec, options={**spec.options, "num_classes": count})


def load_model(spec: ZooSpec) -> ZooModel:
    """Import one model's module.

    Raises:
        MissingDependency: paddle is not installed, or is broken.
        PluginError: an installed package's model cannot be used.
    """
    try:
        import_paddle()
    except ImportError as error:
        raise MissingDependency(
            f"building a bundled model needs PaddlePaddle, which cannot be imported ({error})",
            where=str(spec),
            hint="pip install 'graphprobe[cpu]'; for a GPU docs/compat.md has the command",
        ) from error
    plugin = zoo_plugin(spec.name)
    if plugin is not None:
        added: ZooModel = plugin.load("MODEL", ZooModel)
        return added
    model = importlib.import_module(f"graphprobe.zoo.{spec.name}").MODEL
    assert isinstance(model, ZooModel) and model.name == spec.name  # noqa: S101 - a defect
    return model


def _complete(model: ZooModel, spec: ZooSpec, mode: str) -> dict[str, Any]:
    """The model's defaults, overridden by the options given; ``size`` None where dynamic."""
    if mode not in MODES:
        raise LoadError(f"there is no mode {mode!r}", where=str(spec), hint="train, eval or infer")
    takes = {*model.defaults, "mode", "size"}
    for key in spec.options:
        if key not in takes:
            hint = did_you_mean(key, takes) or f"it takes {', '.join(sorted(takes))}"
            raise LoadError(f"{model.name} has no option {key}", where=str(spec), hint=hint)
    options: dict[str, Any] = {"size": None, **model.defaults, **spec.options, "mode": mode}
    if model.check is not None:
        _check(model, options, str(spec))
    return options


def _check(model: ZooModel, options: Mapping[str, Any], where: str) -> None:
    assert model.check is not None  # noqa: S101 - for the type checker
    try:
        model.check(options)
    except LoadError as error:
        raise LoadError(error.message, where=where, hint=error.hint) from None


def _describe(
    model: ZooModel, options: Mapping[str, Any], main: Any, startup: Any, graph: Graph
) -> Built:
    from graphprobe.zoo._emit import describe_feed

    return Built(
        main=main,
        startup=startup,
        feeds=tuple(describe_feed(var) for var in graph.feeds),
        loss=None if graph.loss is None else graph.loss.name,
        outputs={role: var.name for role, var in graph.outputs.items()},
        task=model.task,
        meta={**{key: options[key] for key in ("num_classes", "size", "mode")}, **graph.meta},
    )


def serialize(spec: ZooSpec) -> bytes:
    """The ProgramDesc of a model; an infer program carries its feed and fetch ops."""
    built = build_zoo(spec)
    program = built.main
    if spec.mode == "infer":
        import paddle
        from paddle.base import unique_name

        block = program.global_block()
        feeds = [block.var(name) for name, _, _ in built.feeds]
        fetches = [block.var(name) for name in built.outputs.values()]
        # It names the outputs that it adds by a counter of the whole process.
        with unique_name.guard():
            program = paddle.static.normalize_program(program, feeds, fetches)
    # Where each op was called from: folders of this machine, and most of the size.
    for op in (op for block in program.blocks for op in block.ops):
        op.desc.remove_attr("op_callstack")
    content: bytes = program.desc.serialize_to_string()
    return content
