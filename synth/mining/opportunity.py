"""What recurs in traces and is worth a tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from toolguild.sandbox import JsonObject
from toolguild.synth.mining.episodes import Episode, RepeatedEpisode
from toolguild.synth.mining.extent import ITSELF, Extent, Saving, Unit, Weights, unit_of
from toolguild.synth.mining.utility import Utility
from toolguild.synth.plans import Plan
from toolguild.synth.traces import Place, ToolCall, ToolDefinition

__all__ = [
    "CodeOccurrence",
    "Occurrence",
    "Opportunity",
    "Pattern",
    "RepeatedCode",
    "RepeatedSequence",
    "SequenceOccurrence",
    "Spelling",
    "extent_in",
    "extent_of",
    "saving_of",
    "support_of",
]


@dataclass(frozen=True, slots=True)
class SequenceOccurrence:
    """One place where a trace holds the calls of a plan."""

    trace_id: str
    task_id: str
    steps: tuple[tuple[ToolCall, ...], ...]
    """The recorded calls of each step of the plan: one for a call, any number for a loop."""
    bindings: JsonObject
    """Values of the plan's parameters here."""
    saving: Saving

    @property
    def place(self) -> Place:
        """Where the first call stands."""
        return self.calls[0].place

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """All recorded calls, in the order of the plan."""
        return tuple(call for calls in self.steps for call in calls)

    @property
    def units(self) -> frozenset[Unit]:
        """The parts of the trace that it takes up."""
        return frozenset(unit_of(self.trace_id, call) for call in self.calls)


@dataclass(frozen=True, slots=True)
class RepeatedSequence:
    """The same calls with the same data flow, over and over."""

    plan: Plan
    occurrences: tuple[SequenceOccurrence, ...]
    """Where it was found: the plan, and all that a draft says, is made from these."""
    near_misses: Mapping[str, int] = field(default_factory=dict)
    """Why other places with the same tools in the same order are not claimed, and how many."""
    tools: Mapping[str, ToolDefinition] = field(default_factory=dict)
    """What the logs say of the tools that the plan calls, as far as they do."""
    held_out: tuple[SequenceOccurrence, ...] = ()
    """Where else it was found, in tasks of which nothing was seen in mining or drafting."""
    held_out_missed: Mapping[str, int] = field(default_factory=dict)
    """Why other places in the tasks held out are not explained, and how many."""
    overfitted_why: str = ""
    """Why the plan must be taken to explain only what it was made from; empty where it need not."""
    estimate: Extent | None = None
    """What it comes to in all logs, where those that it was found in are a sample of them."""
    utility: Utility | None = None
    """What a tool for it is expected to be worth on unseen tasks, where that was estimated."""

    @property
    def is_overfitted(self) -> bool:
        """Whether the plan explains the tasks held out too badly for a tool."""
        return bool(self.overfitted_why)

    @property
    def places(self) -> tuple[SequenceOccurrence, ...]:
        """All places that a tool would serve, seen or held out."""
        return self.occurrences + self.held_out

    @property
    def everywhere(self) -> tuple[SequenceOccurrence, ...]:
        """The same in the order of the traces."""
        return _in_order(self.places)

    def joined_with(
        self,
        other: RepeatedSequence,
        plan: Plan,
        occurrences: Sequence[SequenceOccurrence],
        held_out: Sequence[SequenceOccurrence],
    ) -> RepeatedSequence:
        """Return one pattern made of two.

        Args:
            other: The other one.
            plan: What both do.
            occurrences: Where they were found, as places of that plan.
            held_out: The same for the tasks held out.
        """
        return replace(
            self,
            plan=plan,
            occurrences=_in_order(occurrences),
            near_misses=Counter(self.near_misses) + Counter(other.near_misses),
            tools={**other.tools, **self.tools},
            held_out=_in_order(held_out),
            held_out_missed=Counter(self.held_out_missed) + Counter(other.held_out_missed),
            overfitted_why=self.overfitted_why or other.overfitted_why,
        )


def _in_order(found: Sequence[SequenceOccurrence]) -> tuple[SequenceOccurrence, ...]:
    return tuple(sorted(found, key=lambda one: (one.trace_id, one.place.step)))


@dataclass(frozen=True, slots=True)
class CodeOccurrence:
    """One place where a trace holds the code of a template."""

    trace_id: str
    task_id: str
    place: Place
    lines: tuple[int, int]
    """First and last line of the code within its step."""
    text: str
    """The code as the agent wrote it here."""
    saving: Saving
    write_program: Callable[[], str] = field(compare=False, repr=False)
    """Writes `program`, which is as long as its session, where it is wanted."""
    recorded: tuple[tuple[str, str | None], ...] = ()
    """What the log shows for each snippet of the session: its output, and its error if any."""
    parameters: tuple[str, ...] = ()
    """The names that the program reports inputs under, in the order of the opportunity's own."""

    @property
    def program(self) -> str:
        """The session as a program that reports the code's inputs and results (`instrument`)."""
        return self.write_program()

    @property
    def units(self) -> frozenset[Unit]:
        """The parts of the trace that it takes up."""
        first, last = self.lines
        return frozenset((self.trace_id, self.place.step, line) for line in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Spelling:
    """One of the ways in which agents wrote a function."""

    name: str
    source: str
    """The function, after what it needs."""
    tasks: int
    """Tasks in which it was written so."""
    differs: str = ""
    """On which input it gives something else, and so is another function; "" where on none."""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RepeatedCode:
    """Code that agents write again and again, up to names and constants."""

    name: str
    parameters: tuple[str, ...]
    source: str
    """A function of this name and these parameters, not annotated, after what it needs."""
    kind: str
    """`definition` for a function that agents defined, `statements` for a window of statements,
    `expression` for a part of statements, `check` for what only fails where something does not
    hold."""
    occurrences: tuple[CodeOccurrence, ...]
    documentation: str = ""
    """What the agents said of it in a docstring; untrusted text."""
    estimate: Extent | None = None
    """What it comes to in all logs, where those that it was found in are a sample of them."""
    utility: Utility | None = None
    """What a tool for it is expected to be worth on unseen tasks, where that was estimated."""
    spellings: tuple[Spelling, ...] = ()
    """Ways in which it was written, the best first, and functions that nearly do the same."""
    common_name: str = ""
    """What most agents called it; empty where only one spelling is known."""

    @property
    def places(self) -> tuple[CodeOccurrence, ...]:
        """All places that a tool would serve."""
        return self.occurrences

    @property
    def everywhere(self) -> tuple[CodeOccurrence, ...]:
        """The same in the order of the traces."""
        return self.occurrences


Pattern: TypeAlias = RepeatedSequence | RepeatedCode
"""What tools are made of without anybody to write them."""
Opportunity: TypeAlias = Pattern | RepeatedEpisode
Occurrence: TypeAlias = SequenceOccurrence | CodeOccurrence | Episode


def extent_of(opportunity: Opportunity) -> Extent:
    """Return how much of the logs an opportunity takes up: counted, or estimated by a sample."""
    return opportunity.estimate or extent_in(opportunity.everywhere, {})


def extent_in(occurrences: Sequence[Occurrence], weights: Weights) -> Extent:
    """Return what occurrences come to in logs that a sample was taken from.

    Each counts by the inverse of its run's chance to be in the sample (D. G. Horvitz and
    D. J. Thompson, "A generalization of sampling without replacement from a finite universe",
    1952). A task counts by the likeliest of its runs: any of them shows it.
    """
    places = calls = characters = 0.0
    tasks: dict[str, float] = {}
    for one in occurrences:
        weight = weights.get(one.trace_id, ITSELF)
        places += weight.runs
        calls += weight.runs * one.saving.calls
        characters += weight.runs * one.saving.characters
        tasks[one.task_id] = min(weight.tasks, tasks.get(one.task_id, weight.tasks))
    saving = Saving(round(calls), round(characters))
    return Extent(round(places), round(sum(tasks.values())), saving)


def support_of(occurrences: Sequence[Occurrence]) -> int:
    """Count the distinct tasks that occurrences come from, each of them seen."""
    return len({occurrence.task_id for occurrence in occurrences})


def saving_of(occurrences: Sequence[Occurrence]) -> Saving:
    """Add up what occurrences would have saved."""
    return sum((occurrence.saving for occurrence in occurrences), Saving())
