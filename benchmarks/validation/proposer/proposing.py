"""Going round the real tools until there are bad ones enough of every kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from typing import Final

import jsonschema

from benchmarks.validation.proposer import (
    wrong_calls,
    wrong_contracts,
    wrong_reach,
    wrong_results,
    wrong_runs,
)
from benchmarks.validation.proposer.attempt import Attempt, BadTool, Kind
from benchmarks.validation.side_by_side import is_shown
from toolguild.sandbox import Sandbox
from toolguild.synth.drafting import Draft

__all__ = ["KINDS", "PER_KIND", "candidates", "propose"]

PER_KIND = 25
_MAX_OF_ONE = 60
"""Attempts that are looked at for one tool and kind."""

KINDS: Final[dict[str, Kind]] = {
    "wrong for one rare input": wrong_results.rare_input,
    "off by one at a bound": wrong_results.at_bounds,
    "wrong for empty": wrong_results.for_empty,
    "wrong for ties": wrong_results.for_ties,
    "wrong for long": wrong_results.for_long,
    "wrong for negative numbers": wrong_results.for_negative,
    "wrong beyond ASCII": wrong_results.for_unicode,
    "keeps state": wrong_runs.keeps_state,
    "unstable": wrong_runs.unstable,
    "slow or endless": wrong_runs.slow,
    "hungry for memory": wrong_runs.wasteful,
    "undeclared effects": wrong_reach.has_effects,
    "tampers with its judge": wrong_reach.tampers,
    "poisoned words": wrong_reach.poisoned,
    "hard-coded": wrong_contracts.hard_coded,
    "wrong errors": wrong_contracts.wrong_errors,
    "changes its arguments": wrong_contracts.changes_arguments,
    "wrong type or None": wrong_contracts.wrong_types,
    "other calls": wrong_calls.other_calls,
    "other arguments of calls": wrong_calls.other_arguments,
}


def propose(
    drafts: Sequence[Draft], sandbox: Sandbox, executor: Executor, per_kind: int = PER_KIND
) -> list[BadTool]:
    """Return bad tools of every kind, each of which its probe showed to be bad.

    Raises:
        SandboxUnavailableError: nothing can be run.
        ValueError: the tools give no room for so many bad ones of some kind.
    """
    found = executor.map(lambda kind: _of_kind(kind, drafts, sandbox, per_kind), KINDS)
    return [bad for of_kind in found for bad in of_kind]


def candidates(kind: str, drafts: Sequence[Draft]) -> Iterator[tuple[Draft, Attempt]]:
    """Yield texts of a kind in the place of each tool in turns, with valid arguments as witness.

    Whether they are bad has not been seen yet. The tools begin at different variants.
    """
    queues = []
    for number, draft in enumerate(drafts):
        written = islice(KINDS[kind](draft), _MAX_OF_ONE)
        attempts = list({one.source: one for one in written}.values())
        start = number % len(attempts) if attempts else 0
        queues.append((draft, [*attempts[start:], *attempts[:start]]))
    for turn in range(_MAX_OF_ONE):
        for draft, attempts in queues:
            if turn < len(attempts) and _is_valid(draft, attempts[turn]):
                yield draft, attempts[turn]


def _of_kind(kind: str, drafts: Sequence[Draft], sandbox: Sandbox, count: int) -> list[BadTool]:
    shown = (
        BadTool(kind, one.variant, draft, one.source, one.arguments, one.probe)
        for draft, one in candidates(kind, drafts)
        if is_shown(draft, one.source, one.arguments, one.probe, sandbox)
    )
    bad = list(islice(shown, count))
    if len(bad) < count:
        message = f"only {len(bad)} bad tools of the kind {kind!r}"
        raise ValueError(message)
    return bad


def _is_valid(draft: Draft, attempt: Attempt) -> bool:
    """Whether a caller may give the witness to the tool, and the text is one at all."""
    arguments = attempt.arguments or draft.cases[0].arguments
    if not jsonschema.Draft202012Validator(draft.parameters).is_valid(arguments):
        return False
    try:
        compile(attempt.source, "<tool>", "exec")
    except SyntaxError:
        return False
    return attempt.source != draft.source
