"""What tools ask for that were refused an effect, as people and programs are shown it."""

from __future__ import annotations

from collections.abc import Iterator

from toolguild.cli.console import plain
from toolguild.registry import Answer, Approval, Escalation, Promotion, Registry
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.validation import infer_effects
from toolguild.synth.validation.static import SourceError

__all__ = ["effect_of", "next_step", "requests_of_step", "told_of"]

_MAX_LINES = 20
"""Places of a text that are shown."""


def effect_of(request: Approval) -> str:
    """Return the effect that a tool asks for, and the lines where it is."""
    told = request.escalation
    if told is None:
        return ""
    return f"{told.effect}, {_listed(told.lines)}" if told.lines else told.effect.value


def _listed(lines: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, lines[:_MAX_LINES]))
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}"


def told_of(registry: Registry, request: Approval) -> JsonObject:
    """Return what a tool tells that asks, and what its uses and its text say; else nothing."""
    told = request.escalation
    if told is None:
        return {}
    met = registry.governance.meetings(request)
    places: list[Json] = [*_places(registry.tool(request.ref).spec.source, told)]
    flows: list[Json] = [
        str(flow)
        for flow in registry.governance.flows(request.ref)
        if flow.matters_for(request.target)
    ]
    return {
        "effect": told.effect.value,
        "refused at": told.tier.value,
        "calls": told.calls or None,
        "places": places,
        "data flow": flows,
        "error": told.error,
        "times": met.count if met else 0,
        "first": met.first_at.isoformat() if met else None,
        "last": met.last_at.isoformat() if met else None,
        "input": told.input_digest,
        "task": told.task,
        "trace": told.trace,
        "called by": told.called_by,
    }


def _places(source: str, told: Escalation) -> Iterator[JsonObject]:
    """Yield where the text has the effect; a version's text is what it ever was."""
    # Lines as Python counts them: `splitlines` knows other ends of lines, too.
    text = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in (told.lines or _own_lines(source, told))[:_MAX_LINES]:
        if line <= len(text):
            yield {"line": line, "text": text[line - 1].strip()}


def _own_lines(source: str, told: Escalation) -> tuple[int, ...]:
    if told.calls:
        return ()
    try:
        uses = infer_effects(source)
    except SourceError:
        return ()
    return tuple(dict.fromkeys(use.line for use in uses if use.capability is told.effect))


def requests_of_step(registry: Registry, step: Promotion) -> Iterator[str]:
    """Yield a sentence on each request for a step that waits, or whose answer holds."""
    for request in step.requests:
        stands = "waits for an answer" if request.answer is Answer.OPEN else request.answer.value
        # On one line, whatever somebody wrote.
        yield plain(f"Request {request.id}, by {request.asked_by}, {stands}: {request.why}").plain
        met = registry.governance.meetings(request)
        if met:
            times = "once" if met.count == 1 else f"{met.count} times"
            yield (
                f"  That was so {times} since {met.first_at:%Y-%m-%d %H:%M} UTC; a use that ends "
                f"so counts for nothing at {step.version.tier}."
            )


def next_step(registry: Registry, request: Approval) -> Iterator[str]:
    """Yield what is to be done once a request is approved.

    Raises:
        ChangeRefusedError: the version cannot be promoted as it stands.
    """
    step = registry.governance.promotion(request.ref)
    command = f"toolguild tools promote {request.ref}"
    if step.target is not request.target:
        yield f"{request.ref} is at {step.version.tier}: it is no longer a step to {request.target}"
    elif step.is_earned:
        yield f"`{command}` moves it to {request.target} now."
    else:
        yield f"It has not earned {request.target} by its record:"
        yield from (f"  {missing}" for missing in step.missing)
        yield f"`{command} --override --why 'request {request.id}'` moves it all the same, on the"
        yield "word of who runs that; the audit trail names what was missing."
