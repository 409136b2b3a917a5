"""The data flow of a plan as a drawing: Mermaid for pages, DOT for Graphviz.

Names of tools, arguments and keys come from logs, so none of them reaches a drawing as anything but
the text of a label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolguild.cli.console import plain
from toolguild.synth.plans import (
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    calls_of,
    leaves,
    render_path,
    spoken,
    spoken_call,
)

__all__ = ["dot", "mermaid"]

_MAX_LABEL = 60
_CALLER = "caller"


@dataclass(frozen=True, slots=True)
class _Edge:
    """What one step takes from another, or from the caller."""

    source: str
    target: str
    label: str


def mermaid(plans: Sequence[Plan]) -> str:
    """Return one flowchart in which each plan is a subgraph (https://mermaid.js.org/syntax/flowchart.html).

    Args:
        plans: What to draw.
    """
    lines = ["flowchart LR"]
    for number, plan in enumerate(plans, 1):
        lines.append(f'  subgraph plan{number} ["{_mermaid_text(f"plan {number}")}"]')
        for name, label in _nodes(plan, f"p{number}_"):
            lines.append(f'    {name}["{_mermaid_text(label)}"]')
        for edge in _edges(plan, f"p{number}_"):
            lines.append(f'    {edge.source} -->|"{_mermaid_text(edge.label)}"| {edge.target}')
        lines.append("  end")
    return "\n".join(lines) + "\n"


def dot(plans: Sequence[Plan]) -> str:
    """Return one directed graph with a cluster a plan (https://graphviz.org/doc/info/lang.html).

    Args:
        plans: What to draw.
    """
    lines = ["digraph plans {", "  rankdir=LR;", "  node [shape=box];"]
    for number, plan in enumerate(plans, 1):
        lines += [f"  subgraph cluster_{number} {{", f'    label="plan {number}";']
        for name, label in _nodes(plan, f"p{number}_"):
            lines.append(f'    {name} [label="{_dot_text(label)}"];')
        for edge in _edges(plan, f"p{number}_"):
            lines.append(f'    {edge.source} -> {edge.target} [label="{_dot_text(edge.label)}"];')
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _nodes(plan: Plan, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield an identifier of ours and a label for the caller and for each step."""
    yield f"{prefix}{_CALLER}", _CALLER
    for number, step in enumerate(plan):
        fixed = [
            f"{name}={origin.value!r}"
            for name, origin in step.arguments
            if isinstance(origin, Constant)
        ]
        what = " or else ".join(map(spoken_call, calls_of(step)))
        if isinstance(step, LoopStep):
            what += " for each"
        if step.wanted:
            what += f" if {step.wanted}"
        yield f"{prefix}{number}", " ".join([what, *fixed])


def _edges(plan: Plan, prefix: str) -> Iterator[_Edge]:
    for number, step in enumerate(plan):
        target = f"{prefix}{number}"
        over = step.over if isinstance(step, LoopStep) else None
        if over is not None:
            yield from _edges_of(over, target, prefix, f"each of {_what(over)}")
        for name, origin in [pair for call in calls_of(step) for pair in call.arguments]:
            if isinstance(origin, FromItem) and over is not None:
                of_item = render_path(origin.path) or "the item"
                yield from _edges_of(over, target, prefix, f"{name} = {of_item}")
            else:
                yield from _edges_of(origin, target, prefix, f"{name} = {_what(origin)}")


def _edges_of(origin: Origin, target: str, prefix: str, label: str) -> Iterator[_Edge]:
    """Yield an edge from each node that a value is made of."""
    sources = {
        f"{prefix}{_CALLER if isinstance(leaf, Parameter) else leaf.step}": None
        for leaf in leaves(origin)
        if isinstance(leaf, Parameter | FromResult)
    }
    for source in sources:
        yield _Edge(source, target, label)


def _what(origin: Origin) -> str:
    if isinstance(origin, FromResult):
        return render_path(origin.path) or "the result"
    return spoken(origin)


def _short(text: str) -> str:
    shown = plain(text).plain
    return shown if len(shown) <= _MAX_LABEL else f"{shown[: _MAX_LABEL - 3]}..."


def _mermaid_text(text: str) -> str:
    """Return text for between double quotes, everything but letters and digits as an entity."""
    return "".join(
        sign if sign.isalnum() or sign in " _=.-" else f"#{ord(sign)};" for sign in _short(text)
    )


def _dot_text(text: str) -> str:
    return _short(text).replace("\\", "\\\\").replace('"', '\\"')
