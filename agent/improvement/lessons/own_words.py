"""What runs that failed say themselves, as sentences that could be lessons: without a model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from toolguild.agent.improvement.artefacts import MOST_LESSON
from toolguild.agent.improvement.lessons.plain_text import sentences_in, sound_text
from toolguild.agent.improvement.lessons.troubles import Trouble, is_verdict
from toolguild.policies.wording import Reason, plain_description

__all__ = ["own_words"]

_OF_A_TOOL: Final = re.compile(r"([A-Za-z_][\w.-]{0,63}): (.+)", re.DOTALL)
_QUOTES: Final = '"".'
_ADVISES: Final = re.compile(
    r"\b(?:always|never|must|should|use|do not|don't|only|before|after|instead|needs?|has to"
    r"|have to|ask|check|make sure|please)\b",
    re.IGNORECASE,
)


def own_words(trouble: Trouble) -> Iterator[str]:
    """Yield what could be the lesson of a trouble, the best first; none of it has passed a gate.

    That is each sentence of whoever judged the runs, those first that say what to do; then a
    sentence that is made of the error.
    """
    for run in trouble.runs:
        if run.why and not is_verdict(run.why):
            said = sentences_in(sound_text(run.why))
            yield from sorted(said, key=lambda one: _ADVISES.search(one) is None)
    error = trouble.runs[0].error
    call = _OF_A_TOOL.fullmatch(error)
    if call:
        yield from _ending(f"Before calling {call[1]}, rule out what made it fail: ", call[2])
    else:
        yield from _ending("Rule out what ended an earlier run: ", error)


def _ending(start: str, error: str) -> Iterator[str]:
    """Yield a sentence that quotes what an error says, where it says something.

    Tools of strangers write errors: what in one would steer its reader goes, as it does from the
    description of a tool.
    """
    lines = [line for line in sound_text(error).splitlines() if line.strip()]
    if not lines:
        return
    # The cause of what Python raises stands in the last line.
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    room = MOST_LESSON - len(start) - len(_QUOTES)
    cleaned = plain_description(sentences_in(line)[0].replace('"', "'"), fallback="", limit=room)
    gist = cleaned.text.rstrip(" .!?")
    if gist and all(one.reason is Reason.LENGTH for one in cleaned.removed):
        yield f'{start}"{gist}".'
