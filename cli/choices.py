"""What is told of tools that were chosen for the places of a budget, and of those that were not."""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.sandbox import JsonObject
from toolguild.synth.budget import Choice
from toolguild.synth.verified import Saved

__all__ = ["choice_as_json", "told_of_choices", "verified"]


def verified(choice: Choice | None) -> str:
    """Return what a tool saves beside those before it, in a word."""
    return f"{choice.beside.tokens:,.0f} tokens" if choice else ""


def told_of_choices(choices: Sequence[Choice]) -> str:
    """Return what the chosen tools save together, and which of them cost more than they save."""
    chosen = [choice for choice in choices if choice.place is not None]
    together = sum((choice.beside for choice in chosen), Saved())
    told = (
        f"Verified: in the recorded runs, {_tools(len(chosen))} {together.calls:,.0f} calls,"
        f" {together.characters:,.0f} characters and {together.tokens:,.0f} tokens, each counted"
        " beside those above it."
    )
    dear = sum(choice.definition_tokens > choice.beside.tokens for choice in chosen)
    if not dear:
        return told
    return f"{told} For {dear} of them, definitions take more tokens in the prompts of these runs."


def _tools(count: int) -> str:
    return "1 tool saves" if count == 1 else f"{count} tools save"


def choice_as_json(choice: Choice) -> JsonObject:
    """Return everything that was measured."""
    return {
        "place": choice.place,
        "alone": _saved(choice.alone),
        "beside_those_before": _saved(choice.beside),
        "definition_in_prompts": round(choice.definition_tokens),
    }


def _saved(saved: Saved) -> JsonObject:
    return {
        "calls": round(saved.calls),
        "characters": round(saved.characters),
        "tokens": round(saved.tokens),
    }
