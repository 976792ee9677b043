"""graphprobe: distillation pairs and prunable convolutions of PaddlePaddle programs, with reasons.

Each command of the command line is one function here, with the same options. Importing this
package imports neither paddle nor anything heavy; a function's module is imported when the
function is first named.
"""

from __future__ import annotations

# Paddle's libraries bring a zlib of their own. Where Python's is loaded after them, it binds to
# theirs and crashes on the first gzip, zip or PNG file; loaded before them, both work.
import sys
import zlib  # noqa: F401
from importlib import import_module
from typing import TYPE_CHECKING, Any

from graphprobe.version import __version__

if TYPE_CHECKING:
    from graphprobe.api.catalog import Catalog, list_names
    from graphprobe.api.check import CheckFailed, CheckResult, check
    from graphprobe.api.conversion import ConvertedModel, convert
    from graphprobe.api.datasets import DataReport, inspect_data
    from graphprobe.api.doctor import Diagnosis, diagnose
    from graphprobe.api.draw import Picture, draw
    from graphprobe.api.evaluate import Evaluation, evaluate
    from graphprobe.api.export import ExportedModel, export
    from graphprobe.api.pairs import PairFindings, find_pairs
    from graphprobe.api.predict import ImageFindings, Predictions, predict
    from graphprobe.api.prunable import choose_ratios, find_prunable
    from graphprobe.api.prune_selection import PruneSelection
    from graphprobe.api.report import Report, report
    from graphprobe.api.run_info import RunInfo
    from graphprobe.api.runs import RunComparison, RunList, compare_runs, list_runs
    from graphprobe.api.sensitivity import SensitivityResult, sensitivity
    from graphprobe.api.train import TrainResult, train
    from graphprobe.api.variables import VariableListing, list_variables
    from graphprobe.errors import AnswerIsNo, GraphprobeError, LoadError, UsageError
    from graphprobe.ir.findings import Pair, PruneDecision
    from graphprobe.model import Model
    from graphprobe.programs import LoadedProgram, ProgramLike, load

if "paddle" in sys.modules:
    from graphprobe.compat.zlib_order import warn_of_late_zlib

    warn_of_late_zlib()

# Where each public name is defined.
_HOMES = {
    "AnswerIsNo": "graphprobe.errors",
    "Catalog": "graphprobe.api.catalog",
    "CheckFailed": "graphprobe.api.check",
    "CheckResult": "graphprobe.api.check",
    "ConvertedModel": "graphprobe.api.conversion",
    "DataReport": "graphprobe.api.datasets",
    "Diagnosis": "graphprobe.api.doctor",
    "Evaluation": "graphprobe.api.evaluate",
    "ExportedModel": "graphprobe.api.export",
    "GraphprobeError": "graphprobe.errors",
    "ImageFindings": "graphprobe.api.predict",
    "LoadError": "graphprobe.errors",
    "LoadedProgram": "graphprobe.programs",
    "Model": "graphprobe.model",
    "Pair": "graphprobe.ir.findings",
    "PairFindings": "graphprobe.api.pairs",
    "Picture": "graphprobe.api.draw",
    "Predictions": "graphprobe.api.predict",
    "ProgramLike": "graphprobe.programs",
    "PruneDecision": "graphprobe.ir.findings",
    "PruneSelection": "graphprobe.api.prune_selection",
    "Report": "graphprobe.api.report",
    "RunComparison": "graphprobe.api.runs",
    "RunInfo": "graphprobe.api.run_info",
    "RunList": "graphprobe.api.runs",
    "SensitivityResult": "graphprobe.api.sensitivity",
    "TrainResult": "graphprobe.api.train",
    "UsageError": "graphprobe.errors",
    "VariableListing": "graphprobe.api.variables",
    "check": "graphprobe.api.check",
    "choose_ratios": "graphprobe.api.prunable",
    "compare_runs": "graphprobe.api.runs",
    "convert": "graphprobe.api.conversion",
    "diagnose": "graphprobe.api.doctor",
    "draw": "graphprobe.api.draw",
    "evaluate": "graphprobe.api.evaluate",
    "export": "graphprobe.api.export",
    "find_pairs": "graphprobe.api.pairs",
    "find_prunable": "graphprobe.api.prunable",
    "inspect_data": "graphprobe.api.datasets",
    "list_names": "graphprobe.api.catalog",
    "list_runs": "graphprobe.api.runs",
    "list_variables": "graphprobe.api.variables",
    "load": "graphprobe.programs",
    "predict": "graphprobe.api.predict",
    "report": "graphprobe.api.report",
    "sensitivity": "graphprobe.api.sensitivity",
    "train": "graphprobe.api.train",
}

__all__ = [
    "AnswerIsNo",
    "Catalog",
    "CheckFailed",
    "CheckResult",
    "ConvertedModel",
    "DataReport",
    "Diagnosis",
    "Evaluation",
    "ExportedModel",
    "GraphprobeError",
    "ImageFindings",
    "LoadError",
    "LoadedProgram",
    "Model",
    "Pair",
    "PairFindings",
    "Picture",
    "Predictions",
    "ProgramLike",
    "PruneDecision",
    "PruneSelection",
    "Report",
    "RunComparison",
    "RunInfo",
    "RunList",
    "SensitivityResult",
    "TrainResult",
    "UsageError",
    "VariableListing",
    "__version__",
    "check",
    "choose_ratios",
    "compare_runs",
    "convert",
    "diagnose",
    "draw",
    "evaluate",
    "export",
    "find_pairs",
    "find_prunable",
    "inspect_data",
    "list_names",
    "list_runs",
    "list_variables",
    "load",
    "predict",
    "report",
    "sensitivity",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name on its first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'graphprobe' has no attribute {name!r}")
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
