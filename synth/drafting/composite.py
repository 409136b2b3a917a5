"""From a repeated call sequence to a composite tool."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby

from toolguild.policies.parsing import parse_module
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.drafting.draft import Case, Draft, DraftOrigin, OriginalCalls
from toolguild.synth.drafting.inlined_code import InlinedCode, inlined, noun_of_code
from toolguild.synth.drafting.schemas import annotation_of, infer_schema, object_schema
from toolguild.synth.drafting.text import bracketed, docstring, tool_text
from toolguild.synth.drafting.wording import (
    MAX_NAME,
    and_list,
    example,
    is_plain_word,
    noun_of,
    plain_sentence,
    singular,
    snake_case,
    spoken,
    unique,
)
from toolguild.synth.mining import (
    RepeatedSequence,
    SequenceOccurrence,
    believed_read_only,
    canonical,
)
from toolguild.synth.plans import (
    MAX_BATCH,
    OWN_NAMES,
    CallStep,
    Code,
    Computed,
    Constant,
    FromItem,
    FromResult,
    JsonPath,
    Leaf,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    Scope,
    calls_of,
    evaluate,
    flags_of,
    helpers,
    is_code,
    leaves,
    literal,
    origins_of,
    parameters_of,
    render_path,
    subscripts,
    tools_of,
    written,
)
from toolguild.synth.traces import ToolCall

__all__ = ["composite_name", "draft_composite", "parameter_spellings", "result_keys"]


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
    described = {spellings[name]: _describe_parameter(opportunity, name) for name in spellings}
    schemas: dict[str, JsonObject] = {
        spellings[name]: _parameter_schema(opportunity, name) for name in spellings
    }
    cases, held_out = (
        tuple(_case(occurrence, plan, keys, spellings) for occurrence in occurrences)
        for occurrences in (opportunity.occurrences, opportunity.held_out)
    )
    name = name or _tool_name(plan, keys, spellings)
    summary = _summary(plan, keys)
    code = _inlined_code(opportunity, [name, *keys, *spellings.values()])
    source = tool_text(
        name=name,
        parameters={
            parameter: annotation_of(schema) + (" = True" if parameter in flags else "")
            for parameter, schema in schemas.items()
        },
        returns="dict[str, object]",
        docs=docstring(summary, described, _describe_result(plan, keys)),
        body=_body(plan, keys, spellings, code),
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


def composite_name(plan: Plan) -> str:
    """Return a name for the tool of a plan, of at most `MAX_NAME` characters."""
    spellings = parameter_spellings(plan)
    return _tool_name(plan, result_keys(plan, spellings), spellings)


def parameter_spellings(plan: Plan) -> dict[str, str]:
    """Return a Python name for each parameter, in the order in which the calls take them."""
    spellings: dict[str, str] = {}
    for name in parameters_of(plan):
        spellings[name] = unique(snake_case(name), [*spellings.values(), *_reserved(plan)])
    return spellings


def _reserved(plan: Plan) -> tuple[str, ...]:
    """Return the names that the text of a plan needs for itself."""
    computes = any(isinstance(origin, Computed) for step in plan for origin in origins_of(step))
    imported = tuple(name for step in plan if step.code for name in _imported_by(step.code))
    return ("call_tool", *(OWN_NAMES if computes else ()), *imported)


def _imported_by(code: Code) -> list[str]:
    """Return the names that code imports, and that of the function that copies, if it needs it."""
    imports = [one for one in parse_module(code.source).body if isinstance(one, _IMPORTS)]
    names = [alias for one in imports for alias in one.names]
    return [*(alias.asname or alias.name.split(".")[0] for alias in names), "deepcopy"]


_IMPORTS = (ast.Import, ast.ImportFrom)


def result_keys(plan: Plan, spellings: Mapping[str, str]) -> list[str]:
    """Name the result of each step: a loop's after its list, a call's after what it gives."""
    keys: list[str] = []
    for step in plan:
        wish = _list_name(step) if isinstance(step, LoopStep) else _noun(step)
        taken = [*keys, *spellings.values(), *_reserved(plan)]
        if isinstance(step, LoopStep) and wish in taken:
            wish = f"each_{singular(wish)}"
        keys.append(unique(wish, taken))
    return keys


def _noun(step: PlanStep) -> str:
    """Return what a step gives."""
    return noun_of_code(step) if step.code else noun_of(step.tool)


def _list_name(step: LoopStep) -> str:
    if isinstance(step.over, Parameter):
        return "results"
    names = [part for part in _path_of_list(step.over) if isinstance(part, str)]
    return snake_case(names[-1]) if names else f"{_noun(step)}_list"


def _path_of_list(over: Origin) -> JsonPath:
    """Return where the items of a list stand, as far as that is one place."""
    match over:
        case FromResult(path=path):
            return path
        case Computed("flattened", (source, *path)):
            keys = tuple(part.value for part in path if isinstance(part, Constant))
            return (*_path_of_list(source), *(key for key in keys if isinstance(key, str)))
        case Computed(inputs=(source, *_)):
            return _path_of_list(source)
    return ()


def _tool_name(plan: Plan, keys: Sequence[str], spellings: Mapping[str, str]) -> str:
    tools = [snake_case(step.tool) for step in plan if not step.code]
    last = plan[-1]
    if len(plan) == 1 and isinstance(last, CallStep):
        name = "_or_".join(snake_case(call.tool) for call in calls_of(last))
    elif last.code:
        name = f"{tools[0]}_with_{_joined(keys[1:])}"
    elif len(tools) == 1:
        name = f"{tools[0]}_for_each"
    elif len(set(tools)) == 1 and isinstance(last, CallStep):
        name = f"{tools[0]}_{'twice' if len(tools) == 2 else f'{len(tools)}_times'}"
    elif not all(believed_read_only(step.tool) for step in plan):
        name = _name_of_pipeline(plan, spellings) or "_then_".join(tools)
    elif isinstance(last, LoopStep) or not _takes_results(last):
        # What is got for each of a list is no further noun beside the list.
        nouns = [key for key in keys[1:] if not key.startswith("each_")] or keys[1:]
        name = f"{tools[0]}_with_{_joined(nouns)}"
    else:
        name = _name_of_pipeline(plan, spellings) or "_then_".join(tools)
    if len(name) <= MAX_NAME:
        return name
    if len(tools) == 1:
        return f"{tools[0][: MAX_NAME - len('_for_each')].rstrip('_')}_for_each"
    ending = f"_and_{len(tools) - 1}_more"
    return f"{tools[0][: MAX_NAME - len(ending)].rstrip('_')}{ending}"


def _name_of_pipeline(plan: Plan, spellings: Mapping[str, str]) -> str:
    """Name a plan after its last call, where that takes what the calls before it gave."""
    if not _takes_results(plan[-1]):
        return ""
    given = dict.fromkeys(spelling.rstrip("_0123456789") for spelling in spellings.values())
    last = snake_case(plan[-1].tool)
    return f"{last}_by_{_joined(list(given))}" if given else f"{last}_from_{noun_of(plan[0].tool)}"


def _joined(nouns: Sequence[str]) -> str:
    return "_and_".join(filter(None, ["_".join(nouns[:-1]), nouns[-1]]))


def _takes_results(step: PlanStep) -> bool:
    given = chain.from_iterable(leaves(origin) for _, origin in step.arguments)
    return any(isinstance(leaf, FromResult) for leaf in given)


def _spoken_list(over: Origin, keys: Sequence[str]) -> str:
    match over:
        case Parameter(name):
            return f"every item of `{snake_case(name)}`"
        case FromResult(step, path):
            return f"every item of `{keys[step]}{_dotted(path)}`"
    source = next(leaf for leaf in leaves(over) if isinstance(leaf, FromResult))
    place = f"`{keys[source.step]}{_dotted(_path_of_list(over))}`"
    chosen = isinstance(over, Computed) and over.function.startswith("rows_")
    return f"the items of {place} that match" if chosen else f"every item of {place}"


def _summary(plan: Plan, keys: Sequence[str]) -> str:
    """Return one sentence, without its full stop, on what the tool does."""
    if len({step.tool for step in plan}) == 1 and not isinstance(plan[-1], LoopStep):
        return f"Call {_spoken_tool(plan[0])} {len(plan)} times and return all the results"
    parts = []
    for step in plan:
        called = " or else ".join(_spoken_tool(call) for call in calls_of(step))
        if isinstance(step, LoopStep):
            called += f" for {_spoken_list(step.over, keys)}"
        parts.append(f"{called} if wanted" if step.wanted else called)
    return f"Call {', then '.join(parts)}, and return all their results"


def _spoken_tool(step: PlanStep) -> str:
    """Return the tool's name, which a log gave, unless it is more than a name."""
    if step.code:
        return f"code for {spoken(noun_of_code(step))}"
    return step.tool if is_plain_word(step.tool) else "another tool"


def _dotted(path: JsonPath) -> str:
    if not all(is_plain_word(part) for part in path if isinstance(part, str)):
        return ""
    text = render_path(path)
    return f".{text}" if text and not text.startswith("[") else text


def _describe_parameter(opportunity: RepeatedSequence, name: str) -> str:
    """Return the words of the tool that takes the parameter, or else its name and an example."""
    flagged = [_spoken_tool(step) for step in opportunity.plan if step.wanted == name]
    if flagged:
        are = "is" if len(flagged) == 1 else "are"
        return f"Whether {and_list(flagged)} {are} called, too, as without it"
    for step in opportunity.plan:
        if isinstance(step, LoopStep) and step.over == Parameter(name):
            lists = [occurrence.bindings[name] for occurrence in opportunity.occurrences]
            most = f"at most {MAX_BATCH}"
            return f"What to call {_spoken_tool(step)} with, in order, {most}{example(lists)}"
        for call, argument in _takers(step, name):
            declared = _declared_property(opportunity, call.tool, argument).get("description")
            if isinstance(declared, str) and (sentence := plain_sentence(declared)):
                return sentence
            values = [occurrence.bindings[name] for occurrence in opportunity.occurrences]
            return f"The {spoken(argument)} for {_spoken_tool(call)}{example(values)}"
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


def _parameter_schema(opportunity: RepeatedSequence, name: str) -> JsonObject:
    if name in flags_of(opportunity.plan):
        return {"type": "boolean", "default": True}
    schema = infer_schema([occurrence.bindings[name] for occurrence in opportunity.occurrences])
    is_batch = any(
        isinstance(step, LoopStep) and step.over == Parameter(name) for step in opportunity.plan
    )
    return {**schema, "maxItems": MAX_BATCH} if is_batch else schema


def _describe_result(plan: Plan, keys: Sequence[str]) -> str:
    parts = []
    for step, key in zip(plan, keys, strict=True):
        otherwise = ", or None" if step.wanted else ""
        told = "what was computed" if step.code else f"what {_spoken_tool(step)} returns"
        if isinstance(step, LoopStep):
            parts.append(f"`{key}` (a list of {told} for each item{otherwise})")
        else:
            parts.append(f"`{key}` ({told}{otherwise})")
    return f"An object with {and_list(parts)}"


def _result_schema(
    plan: Plan, keys: Sequence[str], occurrences: Sequence[SequenceOccurrence]
) -> JsonObject:
    """Return a schema that fixes the keys only: what other tools return is theirs to decide."""
    properties: JsonObject = {}
    for number, (step, key) in enumerate(zip(plan, keys, strict=True)):
        results = [call.result for occurrence in occurrences for call in occurrence.steps[number]]
        what = "What was computed" if step.code else f"What {_spoken_tool(step)} returns"
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


def _body(
    plan: Plan,
    keys: Sequence[str],
    spellings: Mapping[str, str],
    code: Mapping[int, InlinedCode],
) -> list[str]:
    lines: list[str] = []
    steps = [*zip(plan, keys, map(code.get, range(len(plan))), strict=True)]
    for wanted, together in groupby(steps, key=lambda one: one[0].wanted):
        optional = [*together]
        block = chain.from_iterable(
            _step_lines(step, key, plan, keys, spellings, run) for step, key, run in optional
        )
        if wanted:
            lines += [f"{key} = None" for _, key, _ in optional]
            lines += [f"if {spellings[wanted]}:", *(f"    {line}" for line in block)]
        else:
            lines += block
    return [*lines, *bracketed("return {", [f'"{key}": {key}' for key in keys], "}")]


def _step_lines(
    step: PlanStep,
    key: str,
    plan: Plan,
    keys: Sequence[str],
    spellings: Mapping[str, str],
    code: InlinedCode | None,
) -> list[str]:
    if isinstance(step, CallStep):
        if code:
            return _run(f"{key} = ", code, step, "", keys, spellings)
        return _attempt(key, step, keys, spellings)
    wish = _looped_over(step, keys, spellings)
    item = unique(singular(wish), [*keys, *spellings.values(), *_reserved(plan)])
    source = _expression(step.over, "", keys, spellings)
    if code:
        call = _run("", code, step, item, keys, spellings)
    else:
        call = _call("", step, item, keys, spellings)
    return [
        f"{key} = [",
        *(f"    {line}" for line in call),
        f"    for {item} in {source}",
        "]",
    ]


def _attempt(
    key: str, step: CallStep, keys: Sequence[str], spellings: Mapping[str, str]
) -> list[str]:
    """Return the lines of a call, and of what is called where it fails."""
    call = _call(f"{key} = ", step, "", keys, spellings)
    if step.otherwise is None:
        return call
    instead = _attempt(key, step.otherwise, keys, spellings)
    return [
        "try:",
        *(f"    {line}" for line in call),
        "except ToolCallError:",
        *(f"    {line}" for line in instead),
    ]


def _looped_over(step: LoopStep, keys: Sequence[str], spellings: Mapping[str, str]) -> str:
    """Return the name of the list that a loop goes over."""
    match step.over:
        case Parameter(name):
            return spellings[name].removesuffix("_list")
        case FromResult(number, ()):
            return keys[number]
    return _list_name(step)


def _call(
    opening: str, step: PlanStep, item: str, keys: Sequence[str], spellings: Mapping[str, str]
) -> list[str]:
    pairs = [
        f"{literal(argument)}: {_expression(origin, item, keys, spellings)}"
        for argument, origin in step.arguments
    ]
    return bracketed(f"{opening}call_tool({literal(step.tool)}, {{", pairs, "})")


def _run(
    opening: str,
    code: InlinedCode,
    step: PlanStep,
    item: str,
    keys: Sequence[str],
    spellings: Mapping[str, str],
) -> list[str]:
    """Return the lines of a call of the function that stands for code."""
    origins = dict(step.arguments)
    given = [_expression(origins[name], item, keys, spellings) for name in code.parameters]
    return bracketed(f"{opening}{code.name}(", given, ")")


def _expression(
    origin: Origin, item: str, keys: Sequence[str], spellings: Mapping[str, str]
) -> str:
    def name(leaf: Leaf) -> str:
        match leaf:
            case Parameter(parameter):
                return spellings[parameter]
            case FromResult(step, path):
                return keys[step] + subscripts(path)
            case FromItem(path):
                return item + subscripts(path)
            case Constant(value):
                return literal(value)

    return written(origin, name)
