"""What a tool is expected to be worth on unseen tasks, as options, text and data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from toolguild.sandbox import JsonObject
from toolguild.synth.mining import Opportunity, Utility
from toolguild.synth.utility import PromptSettings

__all__ = ["expected", "expected_in_words", "net", "prompt_options", "utility_as_json"]

F = TypeVar("F", bound=Callable[..., Any])
RUNS = 100
"""Runs that estimates are shown for: savings of a single one are mostly less than a call."""

_OPTIONS = [
    click.option(
        "--cached-price",
        type=click.FloatRange(0, 1),
        default=1.0,
        show_default=True,
        help="Price of a prompt's token that was sent before, in parts of that of a new one.",
    ),
    click.option(
        "--prompt-tokens",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Tokens of each model request that are not in the logs: instructions, other tools.",
    ),
]


def prompt_options(command: F) -> F:
    """Add the options that say what requests to agents' models are like, as `prompts`."""

    @functools.wraps(command)
    def with_prompts(*args: Any, cached_price: float, prompt_tokens: int, **kwargs: Any) -> Any:
        return command(*args, prompts=PromptSettings(cached_price, prompt_tokens), **kwargs)

    wrapped: Any = with_prompts
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def expected(opportunity: Opportunity) -> str:
    """Return what a tool should save in so many runs on unseen tasks: calls, or characters."""
    utility = opportunity.utility
    if utility is None:
        return ""
    if utility.calls:
        return f"{RUNS * utility.calls:,.0f} calls"
    return f"{RUNS * utility.characters:,.0f} chars"


def net(opportunity: Opportunity) -> str:
    """Return the tokens that a tool should save in as many runs, less those that it costs."""
    return f"{RUNS * opportunity.utility.net_tokens:,.0f}" if opportunity.utility else ""


def expected_in_words(utility: Utility) -> list[str]:
    """Return the same in sentences, with what it consists of."""
    per_runs = f"in {RUNS} runs on unseen tasks"
    saves = (
        f"expected {per_runs}: {RUNS * utility.calls:,.0f} calls and"
        f" {RUNS * utility.characters:,.0f} characters less, {utility.share:.0%} of what was seen"
    )
    tokens = (
        f"tokens {per_runs}: {RUNS * utility.written_tokens:,.0f} not written,"
        f" {RUNS * utility.resent_tokens:,.0f} not read again,"
        f" {RUNS * utility.prompt_tokens:,.0f} for its definition in prompts;"
        f" net {RUNS * utility.net_tokens:,.0f}"
    )
    if utility.is_worth_its_prompt:
        return [saves, tokens]
    return [
        saves,
        tokens,
        "ranked behind: its definition takes more tokens than it is seen to save",
    ]


def utility_as_json(utility: Utility | None) -> JsonObject | None:
    """Return the whole estimate, for one run."""
    if utility is None:
        return None
    return {
        "share_of_seen": round(utility.share, 4),
        "calls": round(utility.calls, 4),
        "characters": round(utility.characters, 2),
        "tokens": {
            "not_written": round(utility.written_tokens, 2),
            "not_read_again": round(utility.resent_tokens, 2),
            "definition_in_prompts": round(utility.prompt_tokens, 2),
            "net": round(utility.net_tokens, 2),
        },
    }
