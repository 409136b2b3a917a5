"""What the tool of a plan says of itself, in words of ours and plain words of the logs'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolguild.sandbox import JsonObject
from toolguild.synth.drafting.composite_names import path_of_list
from toolguild.synth.drafting.inlined_code import noun_of_code
from toolguild.synth.drafting.wording import (
    and_list,
    example,
    is_plain_word,
    plain_sentence,
    plain_value,
    snake_case,
    spoken,
)
from toolguild.synth.mining import (
    RepeatedSequence,
)
from toolguild.synth.plans import (
    MAX_BATCH,
    Computed,
    Constant,
    FromResult,
    JsonPath,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    calls_of,
    leaves,
    render_path,
)

__all__ = ["describe_parameter", "describe_result", "spoken_tool", "summary_of"]


def summary_of(plan: Plan, keys: Sequence[str]) -> str:
    """Return one sentence, without its full stop, on what the tool does."""
    if len({step.tool for step in plan}) == 1 and not isinstance(plan[-1], LoopStep):
        return f"Call {spoken_tool(plan[0])} {len(plan)} times and return all the results"
    parts = []
    for step in plan:
        called = " or else ".join(spoken_tool(call) + _fixed(call) for call in calls_of(step))
        if isinstance(step, LoopStep):
            called += f" for {_spoken_list(step.over, keys)}"
        parts.append(f"{called} if wanted" if step.wanted else called)
    return f"Call {', then '.join(parts)}, and return all their results"


def _fixed(call: PlanStep) -> str:
    """Say that a call has the same arguments each time: what it finds does not fit every task."""
    if call.code or not all(isinstance(origin, Constant) for _, origin in call.arguments):
        return ""
    names = [f"`{name}`" for name, _ in call.arguments if is_plain_word(name)]
    return f" with a fixed {and_list(names)}" if names else ""


def _spoken_list(over: Origin, keys: Sequence[str]) -> str:
    match over:
        case Parameter(name):
            return f"every item of `{snake_case(name)}`"
        case FromResult(step, path):
            return f"every item of `{keys[step]}{_dotted(path)}`"
    source = next(leaf for leaf in leaves(over) if isinstance(leaf, FromResult))
    place = f"`{keys[source.step]}{_dotted(path_of_list(over))}`"
    if isinstance(over, Computed) and over.function.startswith("rows_"):
        return f"the items of {place} {_spoken_choice(over)}"
    return f"every item of {place}"


_CHOICES = {
    "rows_with": "is truthy",
    "rows_without": "is falsy",
    "rows_where": "is",
    "rows_where_not": "is not",
    "rows_at_most": "is at most",
    "rows_at_least": "is at least",
    "rows_below": "is below",
    "rows_above": "is above",
}


def _spoken_choice(over: Computed) -> str:
    """Return which rows of a list are chosen, as far as it can be said in plain words."""
    _, key, *value = over.inputs
    said = [_spoken_value(one) for one in value]
    if not (isinstance(key, Constant) and is_plain_word(str(key.value)) and all(said)):
        return "that match"
    return " ".join([f"whose `{key.value}`", _CHOICES[over.function], *said])


def _spoken_value(origin: Origin) -> str:
    match origin:
        case Constant(value):
            return plain_value(value)
        case Parameter(name):
            return f"`{snake_case(name)}`"
    return ""


def spoken_tool(step: PlanStep) -> str:
    """Return the tool's name, which a log gave, unless it is more than a name."""
    if step.code:
        return f"code for {spoken(noun_of_code(step))}"
    return step.tool if is_plain_word(step.tool) else "another tool"


def describe_parameter(opportunity: RepeatedSequence, name: str) -> str:
    """Return the words of the tool that takes the parameter, or else its name and an example."""
    flagged = [spoken_tool(step) for step in opportunity.plan if step.wanted == name]
    if flagged:
        are = "is" if len(flagged) == 1 else "are"
        return f"Whether {and_list(flagged)} {are} called, too, as without it"
    for step in opportunity.plan:
        if isinstance(step, LoopStep) and step.over == Parameter(name):
            lists = [occurrence.bindings[name] for occurrence in opportunity.occurrences]
            most = f"at most {MAX_BATCH}"
            return f"What to call {spoken_tool(step)} with, in order, {most}{example(lists)}"
        for call, argument in _takers(step, name):
            declared = _declared_property(opportunity, call.tool, argument).get("description")
            if isinstance(declared, str) and (sentence := plain_sentence(declared)):
                return sentence
            values = [occurrence.bindings[name] for occurrence in opportunity.occurrences]
            return f"The {spoken(argument)} for {spoken_tool(call)}{example(values)}"
    return spoken(name)


def _takers(step: PlanStep, name: str) -> Iterator[tuple[PlanStep, str]]:
    """Yield the calls of a step that take a parameter as it is, and as which argument."""
    for call in calls_of(step):
        for argument, origin in call.arguments:
            if origin == Parameter(name):
                yield call, argument


def _declared_property(opportunity: RepeatedSequence, tool: str, argument: str) -> JsonObject:
    definition = opportunity.tools.get(tool)
    properties = definition.parameters.get("properties") if definition else None
    declared = properties.get(argument) if isinstance(properties, dict) else None
    return declared if isinstance(declared, dict) else {}


def describe_result(plan: Plan, keys: Sequence[str]) -> str:
    """Return what stands under each key of the tool's result."""
    parts = []
    for step, key in zip(plan, keys, strict=True):
        otherwise = ", or None" if step.wanted else ""
        told = "what was computed" if step.code else f"what {spoken_tool(step)} returns"
        if isinstance(step, LoopStep):
            parts.append(f"`{key}` (a list of {told} for each item{otherwise})")
        else:
            parts.append(f"`{key}` ({told}{otherwise})")
    return f"An object with {and_list(parts)}"


def _dotted(path: JsonPath) -> str:
    if not all(is_plain_word(part) for part in path if isinstance(part, str)):
        return ""
    text = render_path(path)
    return f".{text}" if text and not text.startswith("[") else text
