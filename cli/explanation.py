"""Why the miner believes what it found, in words and as data."""

from __future__ import annotations

from toolguild.cli.console import out, plain
from toolguild.cli.worth import expected_in_words
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.mining import (
    Opportunity,
    RepeatedCode,
    RepeatedEpisode,
    RepeatedSequence,
    Spelling,
    canonical,
)
from toolguild.synth.plans import (
    Computed,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Origin,
    Parameter,
    PlanStep,
    calls_of,
    plan_to_json,
    render_path,
    spoken,
    spoken_call,
)

__all__ = ["explain", "explanation"]

_MAX_PLACES = 5
_MAX_VALUE = 60


def explanation(opportunity: Opportunity) -> JsonObject:
    """Return the shape of an opportunity and what speaks for and against it, as plain data."""
    if isinstance(opportunity, RepeatedCode):
        return {"source": opportunity.source, "spellings": [*map(_spelling, opportunity.spellings)]}
    if isinstance(opportunity, RepeatedEpisode):
        return {"about": opportunity.about}
    return {
        "plan": plan_to_json(opportunity.plan),
        "why": [
            {name: why for call in calls_of(step) for name, why in _reasons(call).items()}
            for step in opportunity.plan
        ],
        "near_misses": {**opportunity.near_misses},
        "held_out_missed": {**opportunity.held_out_missed},
    }


def _spelling(one: Spelling) -> JsonObject:
    return {
        "name": one.name,
        "source": one.source,
        "tasks": one.tasks,
        "differs": one.differs or None,
    }


def _reasons(step: PlanStep) -> JsonObject:
    reasons: JsonObject = {name: _why(origin, step) for name, origin in step.arguments}
    return reasons


def _why(origin: Origin, step: PlanStep) -> str:
    match origin:
        case Parameter(name):
            return f"given by the caller as {name}: it was known before the first call everywhere"
        case Constant(value):
            return f"always {_short(value)}"
        case FromItem():
            return f"{spoken(origin)} of {_list(step)}"
        case Computed():
            return f"computed: {spoken(origin)}"
        case FromResult():
            return spoken(origin)


def _list(step: PlanStep) -> str:
    match step:
        case LoopStep(over=Parameter(name)):
            return f"{name}, which the caller gives"
        case LoopStep(over=FromResult(number, path)):
            return f"{render_path(path) or 'the list'} in the result of call {number + 1}"
        case LoopStep(over=Computed() as over):
            return spoken(over)
    return "a list"


def _short(value: Json) -> str:
    text = canonical(value)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 3]}..."


def _told(spelling: Spelling) -> str:
    size = f"{len(spelling.source)} characters, {spelling.tasks} tasks"
    if spelling.differs:
        return f"not the same: {spelling.name} ({size}), which gives for {spelling.differs}"
    return f"spelling: {spelling.name} ({size})"


def explain(opportunity: Opportunity, title: str) -> None:
    """Print the same for a person, with the first places."""
    out.print(plain(title, "bold"))
    if isinstance(opportunity, RepeatedSequence):
        for number, step in enumerate(opportunity.plan, 1):
            for call in calls_of(step):
                instead = "" if call is step else "where that fails, "
                if call.wanted:
                    instead = f"if {call.wanted}, "
                out.print(plain(f"  {number}. {instead}{spoken_call(call)}"))
                for name, why in _reasons(call).items():
                    out.print(plain(f"     {name}: {why}"))
        for reason, count in opportunity.near_misses.items():
            out.print(plain(f"  not claimed at {count} places: {reason}", "dim"))
        for reason, count in opportunity.held_out_missed.items():
            out.print(plain(f"  held out, and not explained at {count} places: {reason}", "dim"))
    if opportunity.estimate is not None:
        seen, extent = len(opportunity.everywhere), opportunity.estimate
        out.print(plain(f"  seen at {seen} places of a sample, about {extent.places:,} in all"))
    for sentence in expected_in_words(opportunity.utility) if opportunity.utility else ():
        out.print(plain(f"  {sentence}"))
    if isinstance(opportunity, RepeatedCode):
        for spelling in opportunity.spellings:
            out.print(plain(f"  {_told(spelling)}", "dim" if spelling.differs else ""))
    # A log may hold all its runs on one line.
    places = [f"{one.place}, run {one.trace_id}" for one in opportunity.everywhere]
    for place in places[:_MAX_PLACES]:
        out.print(plain(f"  at {place}"))
    if len(places) > _MAX_PLACES:
        out.print(plain(f"  and at {len(places) - _MAX_PLACES} other places", "dim"))
