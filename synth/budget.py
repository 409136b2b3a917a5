"""Which of the tools that passed validation get a place where a toolbox holds only so many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from toolguild.sandbox import Sandbox
from toolguild.synth.drafting import Draft
from toolguild.synth.measuring import choose_greedily
from toolguild.synth.mining import Sampled
from toolguild.synth.utility import Prompts, schema_size
from toolguild.synth.verified import Saved, VerifiedSavings, measurable

__all__ = ["Choice", "choose_tools"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a tool gets a place, and what it saves in the runs that were mined."""

    place: int | None
    """1 for the tool that saves most, and so on; None for one that gets no place."""
    alone: Saved
    """What it saves by itself."""
    beside: Saved
    """What it saves beside the tools that were chosen before it."""
    definition_tokens: float
    """Tokens that its definition takes in the prompts of these runs."""
    why_not: str = ""
    """Why it gets no place; empty where it does."""


def choose_tools(
    drafts: Sequence[Draft],
    most: int,
    runs: Sequence[Sampled],
    prompts: Prompts,
    sandbox: Sandbox,
    executor: Executor,
    on_progress: Callable[[float], None] = lambda done: None,
) -> list[Choice]:
    """Choose the tools that save most tokens together; say of each what it saves.

    What is counted is verified: see `VerifiedSavings`. What a definition costs is told and not
    deducted, for the number of tools is what limits it here.

    Args:
        drafts: Tools that passed validation, no two with the same name.
        most: How many to choose at most.
        runs: The runs that they are chosen by.
        prompts: What requests in these runs read.
        sandbox: Where tools and recorded code are run.
        executor: What measures several runs at once.
        on_progress: Called with the share that is done.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    tools = [(draft, tool) for draft in drafts if (tool := measurable(draft))]
    savings = VerifiedSavings(
        [tool for _, tool in tools], runs, prompts, sandbox, executor, on_progress
    )
    # Whole tokens: what rounding leaves of a difference of sums would count as a gain.
    picks = choose_greedily(len(tools), lambda numbers: round(savings.of(numbers).tokens), most)
    chosen = [pick.number for pick in picks]
    names = [draft.name for draft, _ in tools]
    choices = {}
    for number, (draft, _) in enumerate(tools):
        place = chosen.index(number) if number in chosen else None
        before = chosen[:place]
        beside = savings.of([*before, number]) - savings.of(before)
        why_not = ""
        if place is None:
            why_not = _why_not(number, chosen, most, beside, names, savings)
        choices[draft.name] = Choice(
            place=None if place is None else place + 1,
            alone=savings.of([number]),
            beside=beside,
            definition_tokens=prompts.of_tool(schema_size(draft)) * prompts.runs,
            why_not=why_not,
        )
    return [choices.get(draft.name, _NOT_MEASURED) for draft in drafts]


_NOT_MEASURED = Choice(
    None, Saved(), Saved(), 0.0, "what it would save cannot be measured in recorded runs"
)


def _why_not(
    number: int,
    chosen: Sequence[int],
    most: int,
    beside: Saved,
    names: Sequence[str],
    savings: VerifiedSavings,
) -> str:
    """Return why a tool was not chosen."""
    alone = savings.of([number]).tokens
    if round(alone) <= 0:
        return "none of its uses in the recorded runs could be verified"
    if round(beside.tokens) > 0:
        return f"beyond the budget of {most}: would save {beside.tokens:,.0f} tokens more"

    def shared(other: int) -> float:
        return alone + savings.of([other]).tokens - savings.of([number, other]).tokens

    return f"saves nothing more beside {names[max(chosen, key=shared)]}"
