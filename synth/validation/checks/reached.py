"""Whether recorded runs reach all of a text that there is nothing else to hold against.

Where it is known what a tool replaces, the two are compared on very many inputs. Where it is not,
and somebody wrote the tool from a few recorded runs, whatever these do not reach could do anything:
a guess, or something else than what it was asked for.
"""

from __future__ import annotations

from toolguild.synth.drafting import Draft, OriginalEpisode
from toolguild.synth.validation.coverage import MarkedTools, marked
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.report import Check, CheckName
from toolguild.synth.validation.subject import Subject

__all__ = ["check_reached", "is_unreferenced"]

_MAX_TOLD = 3


def is_unreferenced(draft: Draft) -> bool:
    """Say whether somebody wrote a text from recorded runs, and nothing to compare it with."""
    return isinstance(draft.original, OriginalEpisode)


def check_reached(subject: Subject) -> Check:
    """Check that recorded runs, those held out among them, reach every part of a text.

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
    reached: set[int] = set()
    for case in (*draft.cases, *draft.held_out):
        tools = MarkedTools(RecordedTools(case.calls))
        subject.run_text(text.source, case.arguments, tools)
        reached |= tools.reached
    missed = [line for part, line in enumerate(text.lines) if part not in reached]
    lines = [*dict.fromkeys(missed)]
    if lines:
        shown = "; ".join(_shown(draft.source, line) for line in lines[:_MAX_TOLD])
        more = f" (and {len(lines) - _MAX_TOLD} more)" if len(lines) > _MAX_TOLD else ""
        return Check(CheckName.REACHED, False, f"no recorded run reaches {shown}{more}")
    return Check(CheckName.REACHED, True, f"recorded runs reach all {len(text.lines)} parts")


def _shown(source: str, line: int) -> str:
    return f"line {line}: {source.splitlines()[line - 1].strip()[:80]}"
