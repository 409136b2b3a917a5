"""Good tools must pass: as they are, and when nothing but their wording is another.

The same function in other words is given other generated inputs; a tool that passes by luck is
refused here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from benchmarks.validation.tools import SETTINGS, RealTool
from toolguild.sandbox import Sandbox
from toolguild.synth.validation import ValidationSettings, validate

__all__ = ["refused_originals", "reworded"]


def refused_originals(
    tools: Sequence[RealTool],
    sandbox: Sandbox,
    executor: Executor,
    settings: ValidationSettings = SETTINGS,
) -> Mapping[str, str]:
    """Return the tools that validation refuses, as they are or reworded, with the reason.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """

    def reason(tool: RealTool) -> str:
        for how, source in (
            ("as it is", tool.draft.source),
            ("reworded", reworded(tool.draft.source)),
        ):
            report = validate(replace(tool.draft, source=source), sandbox, settings)
            if not report.passed:
                return f"{how}: {'; '.join(report.reasons)}"
        return ""

    reasons = zip(tools, executor.map(reason, tools), strict=True)
    return {tool.name: why for tool, why in reasons if why}


def reworded(source: str) -> str:
    """Return a text that does the same: laid out anew, with other names for its local variables."""
    module = ast.parse(source)
    for function in module.body:
        if isinstance(function, ast.FunctionDef):
            _rename_locals(function)
    return f"{ast.unparse(module)}\n"


def _rename_locals(function: ast.FunctionDef) -> None:
    inner = [node for node in ast.walk(function) if node is not function]
    if any(isinstance(n, ast.FunctionDef | ast.Lambda | ast.Global | ast.Nonlocal) for n in inner):
        return
    stored = {
        node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    given = {argument.arg for argument in function.args.args}
    for node in inner:
        if isinstance(node, ast.Name) and node.id in stored - given and node.id != "_":
            node.id = f"{node.id}_here"
