"""What a composite leaves behind in the world, where copies of it can be made."""

from __future__ import annotations

from toolguild.synth.validation.checks.trials import Trials
from toolguild.synth.validation.live import LiveTools
from toolguild.synth.validation.observation import short
from toolguild.synth.validation.rehearsal import rehearse_cases, rehearse_inputs
from toolguild.synth.validation.report import Check, CheckName

__all__ = ["check_live"]

_INPUTS = 20
"""Generated inputs that are rehearsed: each takes copies of the whole world."""


def check_live(trials: Trials, live: LiveTools | None) -> Check:
    """Check that a composite leaves the live tools as the calls do that it replaces."""
    subject = trials.subject
    if live is None or not subject.draft.calls:
        return Check(CheckName.LIVE, None, "no live tools to try it on")
    limits = subject.settings.limits
    rehearsal = rehearse_cases(subject.draft, live, subject.sandbox, limits)
    rehearsal += rehearse_inputs(
        subject.draft, trials.inputs[:_INPUTS], live, subject.sandbox, limits
    )
    untold = sum(rehearsal.inconclusive.values())
    if rehearsal.differing:
        first = min(rehearsal.differing, key=lambda one: len(short(one.arguments)))
        detail = f"{short(first.arguments)}: {first.observed}"
        return Check(CheckName.LIVE, False, detail, (first,))
    if not rehearsal.compared:
        return Check(CheckName.LIVE, None, f"{untold} runs, none of which could be compared")
    detail = (
        f"{rehearsal.compared} runs leave the same, {rehearsal.changing} of them changed things"
    )
    more = f"; {untold} could not be compared" if untold else ""
    return Check(CheckName.LIVE, True, detail + more)
