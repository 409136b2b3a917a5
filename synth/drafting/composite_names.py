"""Names for the tool of a plan, its parameters and the results of its steps."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import chain

from toolguild.policies.parsing import parse_module
from toolguild.synth.drafting.inlined_code import noun_of_code
from toolguild.synth.drafting.wording import (
    MAX_NAME,
    noun_of,
    singular,
    snake_case,
    unique,
)
from toolguild.synth.mining import (
    believed_read_only,
)
from toolguild.synth.plans import (
    OWN_NAMES,
    CallStep,
    Code,
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
    origins_of,
    parameters_of,
)

__all__ = [
    "composite_name",
    "list_name",
    "parameter_spellings",
    "path_of_list",
    "reserved_names",
    "result_keys",
]


def composite_name(plan: Plan) -> str:
    """Return a name for the tool of a plan, of at most `MAX_NAME` characters."""
    spellings = parameter_spellings(plan)
    return _tool_name(plan, result_keys(plan, spellings), spellings)


def parameter_spellings(plan: Plan) -> dict[str, str]:
    """Return a Python name for each parameter, in the order in which the calls take them."""
    spellings: dict[str, str] = {}
    for name in parameters_of(plan):
        spellings[name] = unique(snake_case(name), [*spellings.values(), *reserved_names(plan)])
    return spellings


def reserved_names(plan: Plan) -> tuple[str, ...]:
    """Return the names that the text of a plan needs for itself."""
    computes = any(isinstance(origin, Computed) for step in plan for origin in origins_of(step))
    imported = tuple(name for step in plan if step.code for name in _imported_by(step.code))
    return ("call_tool", *(OWN_NAMES if computes else ()), *imported)


def _imported_by(code: Code) -> list[str]:
    """Return the names that code imports, and that of the function that copies, if it needs it."""
    statements = parse_module(code.source).body
    imports = [one for one in statements if isinstance(one, ast.Import | ast.ImportFrom)]
    names = [alias for one in imports for alias in one.names]
    return [*(alias.asname or alias.name.split(".")[0] for alias in names), "deepcopy"]


def result_keys(plan: Plan, spellings: Mapping[str, str]) -> list[str]:
    """Name the result of each step: a loop's after its list, a call's after what it gives."""
    keys: list[str] = []
    for step in plan:
        wish = list_name(step) if isinstance(step, LoopStep) else _noun(step)
        taken = [*keys, *spellings.values(), *reserved_names(plan)]
        if isinstance(step, LoopStep) and wish in taken:
            wish = f"each_{singular(wish)}"
        keys.append(unique(wish, taken))
    return keys


def _noun(step: PlanStep) -> str:
    """Return what a step gives."""
    return noun_of_code(step) if step.code else noun_of(step.tool)


def list_name(step: LoopStep) -> str:
    """Return a name for the list that a loop goes over, or for what it brings."""
    if isinstance(step.over, Parameter):
        return "results"
    names = [part for part in path_of_list(step.over) if isinstance(part, str)]
    return snake_case(names[-1]) if names else f"{_noun(step)}_list"


def path_of_list(over: Origin) -> JsonPath:
    """Return where the items of a list stand, as far as that is one place."""
    match over:
        case FromResult(path=path):
            return path
        case Computed("flattened", (source, *path)):
            keys = tuple(part.value for part in path if isinstance(part, Constant))
            return (*path_of_list(source), *(key for key in keys if isinstance(key, str)))
        case Computed(inputs=(source, *_)):
            return path_of_list(source)
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
    ends = f"{tools[0]}_through_{tools[-1]}"
    if len(tools) > 2 and len(ends) <= MAX_NAME:
        return ends
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
