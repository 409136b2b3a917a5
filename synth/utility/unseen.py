"""What a tool would save on tasks that it was not made from.

What it would have saved in the mined runs is too much to expect of others, for two reasons, each
with its own factor.

*It was picked because it recurs.* A pattern with support in k tasks is only known of because it
stood in some task; in the others it stands k - 1 times. Leaving one out is the usual correction for
counts of what was found by counting (H. Ney, U. Essen and R. Kneser, "On the estimation of 'small'
probabilities by leaving-one-out", 1995): (k - 1) / k of the saving is left.

*Its plan was made for its places.* Places have the same calls whether or not the plan explains
them, so how many there are says nothing about the plan; which share of them it explains is
estimated by those held out alone. Of those it explains e and misses m, and the share is taken to
be p = (e + 1) / (e + m + 2), Laplace's rule of succession: one half where nothing was held out, and
near to what was seen where much was. With N such places in all, held out or not, of which it
explains X, the part of the saving that is left is p N / X, and never more than all.

Both together are conservative: on airline and BFCL runs the tools of four fifths of the tasks save
more on the last fifth than they come to. Code has neither places held out in mining nor places
with its form that it does not explain, so that it keeps one half of (k - 1) / k: tools of one half
of the MINT tasks shorten the programs of the other about half as much as their own
(`docs/benchmarks.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from toolguild.synth.mining import (
    Occurrence,
    Pattern,
    RepeatedSequence,
    SequenceOccurrence,
    Utility,
    extent_of,
    support_of,
)
from toolguild.synth.utility.prompts import Prompts
from toolguild.synth.utility.schema_size import expected_schema_size
from toolguild.synth.utility.tokens import tokens_in

__all__ = ["share_on_unseen", "with_utility", "worthwhile_first"]


def share_on_unseen(
    *, tasks: int, explained: int, missed: int, held_out: int, held_out_missed: int
) -> float:
    """Return how much of a saving is left on tasks that its tool was not made from, from 0 to 1.

    Args:
        tasks: Tasks with places that the tool would serve, seen or held out.
        explained: Places that it was made from.
        missed: Other places with the same calls in the same tasks.
        held_out: Places that it serves in the tasks held out.
        held_out_missed: Other places with the same calls in these.
    """
    served = explained + held_out
    if not served or not tasks:
        return 0.0
    places = served + missed + held_out_missed
    explained_share = (held_out + 1) / (held_out + held_out_missed + 2)
    return (tasks - 1) / tasks * min(1.0, explained_share * places / served)


def with_utility(opportunity: Pattern, prompts: Prompts) -> Pattern:
    """Return an opportunity with what a tool for it is expected to be worth.

    Of one that is overfitted no tool is made, and nothing expected.

    Args:
        opportunity: What recurs.
        prompts: The runs that it was mined from.
    """
    if isinstance(opportunity, RepeatedSequence) and opportunity.is_overfitted:
        return opportunity
    share = _share(opportunity)
    saving = extent_of(opportunity).saving
    runs = prompts.runs or 1.0
    characters = share * saving.characters / runs
    utility = Utility(
        share=share,
        calls=share * saving.calls / runs,
        characters=characters,
        written_tokens=tokens_in(characters),
        resent_tokens=share * _resent(opportunity.everywhere, prompts) / runs,
        prompt_tokens=prompts.of_tool(expected_schema_size(opportunity)),
    )
    return replace(opportunity, utility=utility)


def worthwhile_first(opportunities: Iterable[Pattern]) -> list[Pattern]:
    """Put those last that are not expected to save the tokens that they cost; keep the order else.

    So are those of which nothing is expected.
    """
    return sorted(
        opportunities,
        key=lambda one: one.utility is None or not one.utility.is_worth_its_prompt,
    )


def _share(opportunity: Pattern) -> float:
    tasks = support_of(opportunity.everywhere)
    if isinstance(opportunity, RepeatedSequence):
        return share_on_unseen(
            tasks=tasks,
            explained=len(opportunity.occurrences),
            missed=sum(opportunity.near_misses.values()),
            held_out=len(opportunity.held_out),
            held_out_missed=sum(opportunity.held_out_missed.values()),
        )
    places = len(opportunity.occurrences)
    return share_on_unseen(tasks=tasks, explained=places, missed=0, held_out=0, held_out_missed=0)


def _resent(occurrences: Sequence[Occurrence], prompts: Prompts) -> float:
    """Return the tokens that the requests would have read which the saved calls took."""
    return sum(
        prompts.weight(one.trace_id)
        * one.saving.calls
        * prompts.of_request(one.trace_id, one.place.step)
        for one in occurrences
        if isinstance(one, SequenceOccurrence)
    )
