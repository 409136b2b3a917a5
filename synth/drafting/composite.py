"""From a repeated call sequence to a composite tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting.composite_body import body_of
from toolguild.synth.drafting.composite_names import (
    composite_name,
    parameter_spellings,
    result_keys,
)
from toolguild.synth.drafting.composite_wording import (
    describe_parameter,
    describe_result,
    spoken_tool,
    summary_of,
)
from toolguild.synth.drafting.draft import Case, Draft, DraftOrigin, OriginalCalls
from toolguild.synth.drafting.inlined_code import InlinedCode, inlined
from toolguild.synth.drafting.schemas import annotation_of, infer_schema, object_schema
from toolguild.synth.drafting.text import docstring, tool_text
from toolguild.synth.drafting.wording import (
    and_list,
    is_plain_word,
)
from toolguild.synth.mining import (
    RepeatedSequence,
    SequenceOccurrence,
    canonical,
)
from toolguild.synth.plans import (
    MAX_BATCH,
    LoopStep,
    Parameter,
    Plan,
    Scope,
    evaluate,
    flags_of,
    helpers,
    is_code,
    origins_of,
    tools_of,
)
from toolguild.synth.traces import ToolCall

__all__ = ["draft_composite"]


def draft_composite(opportunity: RepeatedSequence, name: str | None = None) -> Draft:
    """Write the tool that makes the calls of a plan and returns all their results.

    Args:
        opportunity: The plan and where it was found.
        name: The tool's name; one that follows from the plan unless given.
    """
    plan = opportunity.plan
    spellings = parameter_spellings(plan)
    keys = result_keys(plan, spellings)
    flags = {spellings[name] for name in flags_of(plan)}
    described = {spellings[name]: describe_parameter(opportunity, name) for name in spellings}
    schemas: dict[str, JsonObject] = {
        spellings[name]: _parameter_schema(opportunity, name) for name in spellings
    }
    cases, held_out = (
        tuple(_case(occurrence, plan, keys, spellings) for occurrence in occurrences)
        for occurrences in (opportunity.occurrences, opportunity.held_out)
    )
    name = name or composite_name(plan)
    summary = summary_of(plan, keys)
    code = _inlined_code(opportunity, [name, *keys, *spellings.values()])
    source = tool_text(
        name=name,
        parameters={
            parameter: annotation_of(schema) + (" = True" if parameter in flags else "")
            for parameter, schema in schemas.items()
        },
        returns="dict[str, object]",
        docs=docstring(summary, described, describe_result(plan, keys)),
        body=body_of(plan, keys, spellings, code),
        before=_before(plan, code),
    )
    return Draft(
        name=name,
        description=f"{summary}.",
        source=source,
        parameters=object_schema(
            {
                parameter: {**schema, "description": described[parameter]}
                for parameter, schema in schemas.items()
            },
            closed=True,
            optional=flags,
        ),
        returns=_result_schema(plan, keys, opportunity.occurrences),
        calls=tools_of(plan),
        origin=DraftOrigin.DETERMINISTIC,
        opportunity=opportunity,
        cases=cases,
        held_out=held_out,
        original=OriginalCalls(plan, opportunity.overfitted_why),
    )


def _inlined_code(opportunity: RepeatedSequence, taken: Sequence[str]) -> dict[int, InlinedCode]:
    """Return the function for each step of a plan that runs code."""
    found: dict[int, InlinedCode] = {}
    for number, step in enumerate(opportunity.plan):
        if step.code:
            runs = [run for one in opportunity.occurrences for run in one.steps[number]]
            names = [one.name for one in found.values()]
            found[number] = inlined(step, runs, [*taken, *names])
    return found


def _before(plan: Plan, code: Mapping[int, InlinedCode]) -> str:
    """Return what stands before a tool: imports, and the functions that it calls."""
    imports = dict.fromkeys(line for one in code.values() for line in one.imports)
    functions = [one.text.strip("\n") for one in code.values()]
    needed = helpers(chain.from_iterable(map(origins_of, plan)))
    return "\n\n\n".join(filter(None, ["\n".join(imports), needed, *functions]))


def _parameter_schema(opportunity: RepeatedSequence, name: str) -> JsonObject:
    if name in flags_of(opportunity.plan):
        return {"type": "boolean", "default": True}
    schema = infer_schema([occurrence.bindings[name] for occurrence in opportunity.occurrences])
    is_batch = any(
        isinstance(step, LoopStep) and step.over == Parameter(name) for step in opportunity.plan
    )
    return {**schema, "maxItems": MAX_BATCH} if is_batch else schema


def _result_schema(
    plan: Plan, keys: Sequence[str], occurrences: Sequence[SequenceOccurrence]
) -> JsonObject:
    """Return a schema that fixes the keys only: what other tools return is theirs to decide."""
    properties: JsonObject = {}
    for number, (step, key) in enumerate(zip(plan, keys, strict=True)):
        results = [call.result for occurrence in occurrences for call in occurrence.steps[number]]
        what = "What was computed" if step.code else f"What {spoken_tool(step)} returns"
        told = f"{what}{_known_fields(results)}"
        properties[key] = (
            {
                "type": ["array", "null"] if step.wanted else "array",
                "description": f"{told}, for each item",
            }
            if isinstance(step, LoopStep)
            else {"description": told}
        )
    return object_schema(properties, closed=False)


def _known_fields(results: Sequence[Json]) -> str:
    fields = infer_schema(results, depth=2).get("properties")
    names = [name for name in fields if is_plain_word(name)] if isinstance(fields, dict) else []
    return f" (an object with {and_list(names)})" if names else ""


def _case(
    occurrence: SequenceOccurrence,
    plan: Plan,
    keys: Sequence[str],
    spellings: Mapping[str, str],
) -> Case:
    """Return what the recording says that the tool returns for an occurrence's bindings."""
    results: list[Json] = []
    for step, calls in zip(plan, occurrence.steps, strict=True):
        if not calls and step.wanted:
            results.append(None)
        elif isinstance(step, LoopStep) and not isinstance(step.over, Parameter):
            scope = Scope(occurrence.bindings, results)
            results.append(_in_order_of_items(step, calls, scope))
        elif isinstance(step, LoopStep):
            results.append([call.result for call in calls])
        else:
            # The last is the one that did not fail.
            results.append(calls[-1].result)
    return Case(
        arguments={spellings[name]: bound for name, bound in occurrence.bindings.items()},
        value=dict(zip(keys, results, strict=True)),
        error=None,
        calls=tuple(call for call in occurrence.calls if not is_code(call.tool)),
        task_id=occurrence.task_id,
        place=occurrence.place,
        trace_id=occurrence.trace_id,
    )


def _in_order_of_items(step: LoopStep, calls: Sequence[ToolCall], scope: Scope) -> list[Json]:
    """Return the recorded results of a loop in the order of its list, not of the recording."""
    recorded = {canonical(call.arguments): call.result for call in calls}
    items = evaluate(step.over, scope)
    return [
        recorded[canonical({name: evaluate(origin, at) for name, origin in step.arguments})]
        for item in (items if isinstance(items, list) else [])
        for at in (replace(scope, item=item),)
    ]
