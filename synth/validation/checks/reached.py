"""Whether recorded runs reach all of a text that there is nothing else to hold against.

Where it is known what a tool replaces, the two are compared on very many inputs. Where it is not,
and somebody wrote the tool from a few recorded runs, whatever these do not reach could do anything:
a guess, or something else than what it was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolguild.synth.drafting import Case, Draft, OriginalEpisode
from toolguild.synth.validation.changed_constants import Changed, changed_constants
from toolguild.synth.validation.checks.recorded import departure
from toolguild.synth.validation.coverage import Marked, MarkedTools, marked
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.report import Check, CheckName
from toolguild.synth.validation.subject import Subject

__all__ = ["check_reached", "is_unreferenced"]

_MAX_TOLD = 3


def is_unreferenced(draft: Draft) -> bool:
    """Say whether somebody wrote a text from recorded runs, and nothing to compare it with."""
    return isinstance(draft.original, OriginalEpisode)


def check_reached(subject: Subject) -> Check:
    """Check that recorded runs, those held out among them, tell of every part of a text.

    They have to run it all, and each constant in it has to make a difference to one of them.

    Raises:
        SandboxUnavailableError: the sandbox cannot run anything.
    """
    draft = subject.draft
    if not draft.held_out:
        return Check(CheckName.REACHED, False, "no recorded run was kept from who wrote it")
    try:
        text = marked(draft.source)
    except (SyntaxError, ValueError) as error:
        return Check(CheckName.REACHED, False, f"cannot be tried: {error}")
    if lines := _missed(subject, text):
        shown = [_shown(draft.source, line) for line in lines]
        return Check(CheckName.REACHED, False, f"no recorded run reaches {_listed(shown)}")
    if idle := _idle(subject):
        shown = [f"{one.was} on line {one.line}" for one in idle]
        told = f"makes no difference to any recorded run: {_listed(shown)}"
        return Check(CheckName.REACHED, False, told)
    return Check(CheckName.REACHED, True, f"recorded runs reach all {len(text.lines)} parts")


def _missed(subject: Subject, text: Marked) -> list[int]:
    """Return the lines of the parts that no recorded run reaches."""
    reached: set[int] = set()
    for case in (*subject.draft.cases, *subject.draft.held_out):
        tools = MarkedTools(RecordedTools(case.calls))
        subject.run_text(text.source, case.arguments, tools)
        reached |= tools.reached
    missed = (line for part, line in enumerate(text.lines) if part not in reached)
    return [*dict.fromkeys(missed)]


def _idle(subject: Subject) -> list[Changed]:
    """Return the constants that might as well be others."""
    return [
        one
        for one in changed_constants(subject.draft.source)
        if not any(
            _notices(subject, one.source, case)
            for case in (*subject.draft.cases, *subject.draft.held_out)
        )
    ]


def _notices(subject: Subject, source: str, case: Case) -> bool:
    tools = RecordedTools(case.calls)
    return bool(departure(subject.run_text(source, case.arguments, tools), tools, case))


def _listed(shown: Sequence[str]) -> str:
    more = f" (and {len(shown) - _MAX_TOLD} more)" if len(shown) > _MAX_TOLD else ""
    return "; ".join(shown[:_MAX_TOLD]) + more


def _shown(source: str, line: int) -> str:
    return f"line {line}: {source.splitlines()[line - 1].strip()[:80]}"
