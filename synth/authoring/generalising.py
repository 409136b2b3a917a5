"""Several tools that are one in spirit: a model says which, and writes the one for them.

Its word only chooses what is tried. The one tool has to do, called as for each of the others, what
that one does; and it has to explain more held-out occurrences than any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.forms import GeneralTool
from toolguild.synth.authoring.general import explains_more
from toolguild.synth.authoring.material import sketch_of
from toolguild.synth.authoring.rounds import Judge, Tried, in_rounds
from toolguild.synth.drafting import Authorship, Draft
from toolguild.synth.mining import canonical
from toolguild.synth.models import CacheError, ModelError
from toolguild.synth.traces.errors import RedactionError
from toolguild.synth.validation import ValidationReport

__all__ = ["generalised", "grouped"]

_MOST_SHOWN = 30
_MOST_CHARACTERS = 40_000
"""Of tools that are shown at a time: what a model can compare, and what its context holds."""
_LONGEST = 8_000
"""Characters of a tool with its schemas and cases; a longer one is not shown."""


def grouped(
    drafts: Sequence[Draft], author: Author, on_trouble: Callable[[str], None]
) -> list[list[Draft]]:
    """Return groups of tools that may become one, no tool in two of them.

    Groups of which no tool could explain more held-out occurrences than one of them are left out.

    Args:
        drafts: Tools that passed.
        author: Who groups them.
        on_trouble: Called with the reason where the model gives nothing that can be used.
    """
    groups: list[list[Draft]] = []
    for portion in _portions(drafts):
        try:
            groups += author.group(portion)
        except (CacheError, ModelError, RedactionError) as error:
            on_trouble(str(error))
            break
    return [group for group in groups if sum(bool(one.held_out) for one in group) > 1]


def _portions(drafts: Sequence[Draft]) -> Iterator[list[Draft]]:
    """Yield the tools in as many portions as it takes, none of them with one tool alone."""
    portion: list[Draft] = []
    characters = 0
    for draft in drafts:
        length = len(canonical(sketch_of(draft)))
        if length > _LONGEST:
            continue
        if len(portion) == _MOST_SHOWN or characters + length > _MOST_CHARACTERS:
            yield portion
            portion, characters = [], 0
        portion.append(draft)
        characters += length
    if len(portion) > 1:
        yield portion


def generalised(
    members: Sequence[Draft],
    author: Author,
    judge: Judge,
    on_trouble: Callable[[str], None],
) -> tuple[Draft, ValidationReport] | None:
    """Return a tool that does the work of several, with its report; None where there is none.

    Args:
        members: Tools that passed; the name of the first becomes its name.
        author: Who writes it.
        judge: Validates drafts.
        on_trouble: Called with the reason where the model gives nothing that can be used.

    Raises:
        SandboxUnavailableError: drafts cannot be judged.
    """

    def ask(tried: Tried[GeneralTool]) -> tuple[GeneralTool, Authorship]:
        return author.generalise(members, tried)

    def read(written: GeneralTool, authorship: Authorship) -> Draft:
        return author.general(members, written, authorship)

    nothing: Tried[GeneralTool] = Tried()
    found = in_rounds(nothing, ask, read, judge, on_trouble)
    return found if found and explains_more(found[0], members) else None
