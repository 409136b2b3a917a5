"""Edits of instructions, clause by clause: the only way in which a model changes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from toolguild.agent.improvement.instructions.clauses import (
    Clause,
    clauses_of,
    ends_sentence,
    joined,
    without_mark,
)
from toolguild.policies.wording import Reason, plain_instruction
from toolguild.synth.models import UnfitReplyError
from toolguild.synth.traces.redaction import redact_text
from toolguild.synth.traces.secrets_in_text import PLACEHOLDER

__all__ = ["MOST_CLAUSE", "Edit", "edited"]

MOST_CLAUSE = 400
"""Characters of a clause that a model writes."""
_ADVICE = {
    Reason.GUARDRAILS: "say what is to be done, not what is to be left out",
    Reason.SECRECY: "only a person can write that",
    Reason.MARKUP: "write plain text",
}


class Edit(BaseModel):
    """One edit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["add", "drop", "rewrite"]
    clause: int = Field(ge=0)
    """Number of the clause that is dropped or rewritten, or that the new one follows; 0 for the
    beginning."""
    text: str = Field(max_length=MOST_CLAUSE)
    """The clause as it is to be, without the mark of an item or heading; empty to drop one."""

    @model_validator(mode="after")
    def _fits_action(self) -> Self:
        """Refuse an edit that does not say what it does.

        Raises:
            ValueError: a new text is missing, or there is one too many.
        """
        if (self.action == "drop") is bool(self.text.strip()):
            msg = "`text` is empty for `drop`, and the new clause for `add` and `rewrite`"
            raise ValueError(msg)
        if self.action != "add" and self.clause == 0:
            msg = "clauses are numbered from 1"
            raise ValueError(msg)
        return self


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return instructions with some clauses edited; all others are as they were.

    Raises:
        UnfitReplyError: an edit names a clause that is not there, or one that another edit names,
            or brings what may not stand in instructions.
    """
    clauses = clauses_of(text)
    _check_numbers(edits, len(clauses))
    plain = [_plain(edit, text) for edit in edits]
    _check_together(plain, text)
    said = {_normal(clause.words) for clause in clauses}
    changed = {edit.clause: edit for edit in plain if edit.action != "add"}
    made: list[Clause] = []
    for number in range(len(clauses) + 1):
        if number:
            _take(made, clauses[number - 1], changed.get(number))
        following = clauses[number] if number < len(clauses) else None
        for edit in plain:
            if edit.action == "add" and edit.clause == number:
                _check_new(edit.text, said)
                _add(made, edit.text, following)
    return joined(made)


def _check_numbers(edits: Sequence[Edit], most: int) -> None:
    beyond = [edit.clause for edit in edits if edit.clause > most]
    if beyond:
        msg = f"edits: there is no clause {beyond[0]}; the last one is {most}"
        raise UnfitReplyError(msg)
    named = Counter(edit.clause for edit in edits if edit.action != "add")
    twice = [number for number, times in named.items() if times > 1]
    if twice:
        msg = f"edits: clause {twice[0]} is edited twice; write one edit for it"
        raise UnfitReplyError(msg)


def _plain(edit: Edit, present: str) -> Edit:
    """Return an edit with its text on one line, without marks.

    Raises:
        UnfitReplyError: the text may not stand in instructions.
    """
    if edit.action == "drop":
        return edit
    where = f"edits: the text for clause {edit.clause}"
    line, reasons = plain_instruction(edit.text, present)
    if reasons:
        advice = f" ({_ADVICE[reasons[0]]})" if reasons[0] in _ADVICE else ""
        msg = f"{where} may not stand there: {reasons[0]}{advice}"
        raise UnfitReplyError(msg)
    words = without_mark(line)
    if PLACEHOLDER.search(words) or redact_text(words) != words:
        msg = f"{where} holds a secret, or what stands for one"
        raise UnfitReplyError(msg)
    if not any(map(str.isalnum, words)):
        msg = f"{where} says nothing"
        raise UnfitReplyError(msg)
    return edit.model_copy(update={"text": words})


def _check_together(edits: Sequence[Edit], present: str) -> None:
    """Refuse texts that say together what none of them says alone."""
    in_order = sorted(edits, key=lambda edit: edit.clause)
    _, reasons = plain_instruction("\n\n".join(edit.text for edit in in_order), present)
    if reasons:
        msg = f"edits: together they say what may not stand there: {reasons[0]}"
        raise UnfitReplyError(msg)


def _check_new(words: str, said: set[str]) -> None:
    normal = _normal(words)
    if normal in said:
        msg = f"edits: {words!r} is there already"
        raise UnfitReplyError(msg)
    said.add(normal)


def _take(made: list[Clause], clause: Clause, edit: Edit | None) -> None:
    """Add a clause of the present instructions, as an edit leaves it."""
    if edit is None:
        made.append(clause)
    elif edit.action == "drop":
        if made:
            # What it was parted by from the next one still parts what stands before it.
            gap = max(made[-1].gap, clause.gap, key=lambda gap: gap.count("\n"))
            made[-1] = replace(made[-1], gap=gap)
    elif clause.is_fenced:
        msg = f"edits: clause {edit.clause} is a block of code, which cannot be rewritten"
        raise UnfitReplyError(msg)
    else:
        is_ended = clause.is_sentence and ends_sentence(clause.words)
        made.append(replace(clause, words=_sentence(edit.text) if is_ended else edit.text))


def _add(made: list[Clause], words: str, following: Clause | None) -> None:
    """Add a new clause, in the form of the clauses beside it."""
    before = made[-1] if made else None
    leads_to = before is None or before.is_heading or before.words.endswith(":")
    if before is not None and before.is_item:
        made[-1] = replace(before, gap="\n")
        made.append(Clause(_bullet(before), words, before.gap))
    elif leads_to and following is not None and following.is_item:
        _part(made, "\n")
        made.append(Clause(_bullet(following), words, "\n"))
    elif before is not None and before.is_sentence and ends_sentence(before.words):
        made[-1] = replace(before, gap=" ")
        made.append(Clause("", _sentence(words), before.gap))
    else:
        _part(made, "\n\n")
        made.append(Clause("", _sentence(words), "\n\n" if following else ""))


def _part(made: list[Clause], gap: str) -> None:
    """See to it that what is added begins a line, or a paragraph."""
    if made and made[-1].gap.count("\n") < gap.count("\n"):
        made[-1] = replace(made[-1], gap=gap)


def _bullet(beside: Clause) -> str:
    """Return the mark of an item beside another one.

    In a numbered list it is a bullet: other numbers would be other clauses, and may be referred to.
    """
    line = beside.lead.splitlines()[-1]
    indentation = line[: len(line) - len(line.lstrip())]
    mark = line.strip()
    return f"{indentation}{'-' if mark[:1].isdigit() else mark} "


def _sentence(words: str) -> str:
    """Return words as a sentence that its neighbours do not run into."""
    words = words.rstrip(" ,:;")
    # A name such as `find_order` stays as it is.
    if words.partition(" ")[0].isalpha():
        words = words[0].upper() + words[1:]
    return words if ends_sentence(words) else f"{words}."


def _normal(words: str) -> str:
    return " ".join(words.casefold().split()).rstrip(".")
