"""What a model is asked to write from nothing: a tool for what no plan and no code is known of."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolguild.policies import Profile
from toolguild.sandbox import JsonObject
from toolguild.synth.authoring.adopting import (
    UnsuitableTextError,
    narrowed,
    properties_of,
    read_tool,
)
from toolguild.synth.drafting import (
    Authorship,
    Case,
    Draft,
    DraftOrigin,
    OriginalEpisode,
    hold_out,
    infer_schema,
    object_schema,
)
from toolguild.synth.drafting.wording import MAX_NAME
from toolguild.synth.mining import Episode, RepeatedEpisode

__all__ = ["Commission"]


@dataclass(frozen=True, slots=True)
class Commission:
    """A tool that is wanted: its name, what it may take and call, and what it has to do."""

    opportunity: RepeatedEpisode
    name: str
    parameters: JsonObject
    """JSON Schema of each argument that it may take, by name."""
    cases: tuple[Case, ...]
    """What recorded runs did, with all of these arguments."""
    held_out: tuple[Case, ...]
    """The same, for nobody to see who writes it."""

    @classmethod
    def of(cls, opportunity: RepeatedEpisode, name: str) -> Commission | None:
        """Return what is wanted for an opportunity; None where it could not be told from a guess.

        Somebody who knows all cases can write what does those and nothing else, so there have to be
        cases to spare.
        """
        names = [one for one in opportunity.occurrences[0].given if _is_parameter_name(one)]
        cases, held_out = hold_out([_case(one, names) for one in opportunity.occurrences])
        if not names or not held_out:
            return None
        schemas: JsonObject = {
            one: infer_schema([case.arguments[one] for case in cases]) for one in names
        }
        return cls(opportunity, name, schemas, tuple(cases), tuple(held_out))

    @property
    def calls(self) -> frozenset[str]:
        """The tools that it may call."""
        return frozenset(self.opportunity.tools)

    def draft(self, source: str, authorship: Authorship, profile: Profile | None) -> Draft:
        """Return a text as a draft, to be judged by the recordings.

        Args:
            source: The text, of unknown worth.
            authorship: Who wrote it.
            profile: What tools may contain; the shipped one unless given.

        Raises:
            UnsuitableTextError: it is no tool, has another name or takes something else, or may do
                more than the recorded runs did.
        """
        written = read_tool(source, self.name, self.calls, (), profile)
        taken = properties_of(written.parameters)
        self._check(written, [*taken])
        properties: JsonObject = {
            name: narrowed(self.parameters[name], schema) for name, schema in taken.items()
        }
        return replace(
            written,
            parameters=object_schema(properties, closed=True),
            origin=DraftOrigin.MODEL,
            opportunity=self.opportunity,
            cases=_taking(self.cases, [*taken]),
            held_out=_taking(self.held_out, [*taken]),
            original=OriginalEpisode(
                self.opportunity.called_at, {name: self.opportunity.takes[name] for name in taken}
            ),
            authorship=authorship,
        )

    def _check(self, written: Draft, taken: Sequence[str]) -> None:
        known = ", ".join(self.parameters)
        if strange := [name for name in taken if name not in self.parameters]:
            message = f"it takes {', '.join(strange)}; what it may take is {known}"
            raise UnsuitableTextError(message)
        if not taken or written.parameters["required"] != [*taken]:
            message = f"it has to take something of {known}, without defaults"
            raise UnsuitableTextError(message)


def _is_parameter_name(name: str) -> bool:
    return (
        name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("_")
        and len(name) <= MAX_NAME
    )


def _case(episode: Episode, names: Sequence[str]) -> Case:
    return Case(
        arguments={name: episode.given[name] for name in names},
        value=episode.value,
        error=None,
        calls=episode.calls,
        task_id=episode.task_id,
        place=episode.place,
        trace_id=episode.trace_id,
    )


def _taking(cases: Sequence[Case], names: Sequence[str]) -> tuple[Case, ...]:
    return tuple(
        replace(case, arguments={name: case.arguments[name] for name in names}) for case in cases
    )
