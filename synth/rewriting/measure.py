"""Counting what code tools would have saved, each rewritten session seen to do as it did."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from toolguild.sandbox import Sandbox
from toolguild.synth.mining.programs import Session, parse_session
from toolguild.synth.rewriting.code_tool import CodeTool
from toolguild.synth.rewriting.places import Place, SessionCode
from toolguild.synth.rewriting.sizes import characters, tokens, tokens_of
from toolguild.synth.rewriting.trial import Done, rewrite_session
from toolguild.synth.rewriting.twins import Twins
from toolguild.synth.traces import Trace

__all__ = ["CodeTally", "MeasuredCode", "Use", "apart", "measure_code", "verified_places"]


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a tool stands for code."""

    trace_id: str
    source: str
    """File, line and step of the log."""
    place: Place


@dataclass(slots=True)
class CodeTally:
    """What one tool would have saved."""

    uses: int = 0
    characters: int = 0
    tokens: int = 0
    refused: int = 0
    """Places where something would have been seen to differ."""


@dataclass(slots=True)
class MeasuredCode:
    """What tools would have saved in recorded code."""

    programs: int = 0
    """Traces with code: the snippets of a trace share an interpreter."""
    rewritten: int = 0
    not_run: int = 0
    """Programs with places for tools that the sandbox cannot run, counted as they were."""
    snippets: int = 0
    before: int = 0
    """Characters of all code, as `ast.unparse` writes it; as it stands where it does not parse."""
    after: int = 0
    tokens_before: int = 0
    """Lexical tokens of the same, without layout and comments; words where it does not parse."""
    tokens_after: int = 0
    tallies: dict[str, CodeTally] = field(default_factory=dict)
    """By the tools' refs."""
    uses: list[Use] = field(default_factory=list)
    refused: list[tuple[Use, str]] = field(default_factory=list)
    """Places that are not counted, and why."""

    @property
    def saved(self) -> int:
        """Characters that agents would not have written."""
        return self.before - self.after

    def compression(self, library: int) -> float:
        """Return how many times shorter the code is with a library of so many characters."""
        return self.before / (self.after + library) if self.before else 1.0


def measure_code(
    tools: Sequence[CodeTool],
    traces: Iterable[Trace],
    sandbox: Sandbox,
    on_progress: Callable[[int], None] = lambda programs: None,
) -> MeasuredCode:
    """Count what tools would have saved in recorded code.

    A use counts where the whole session, run again with the call in the place of the code, prints
    what it prints without, and where each of its snippets ends alike: well, by an exception of the
    same type, or by an assertion with the same message.

    Args:
        tools: What may stand for code; where several fit, the one that saves most is used.
        traces: The runs; for an honest figure, none that the tools were made from.
        sandbox: Where the sessions run, as they were and as they were rewritten.
        on_progress: Called with the number of programs so far.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    measured = MeasuredCode(tallies={tool.ref: CodeTally() for tool in tools})
    twins = Twins(tools, sandbox)
    for trace in traces:
        _measure_program(tools, twins, trace, sandbox, measured)
        on_progress(measured.programs)
    return measured


def _measure_program(
    tools: Sequence[CodeTool], twins: Twins, trace: Trace, sandbox: Sandbox, measured: MeasuredCode
) -> None:
    steps = [*trace.code()]
    if not steps:
        return
    session = parse_session(trace)
    parsed = {id(snippet.step) for snippet in session.snippets}
    left_alone = [step.code for step in steps if id(step) not in parsed]
    trees = [snippet.tree for snippet in session.snippets]
    unparsed = sum(map(len, left_alone))
    words = sum(len(code.split()) for code in left_alone)
    size, count = characters(trees), tokens(trees)
    measured.programs += 1
    measured.snippets += len(steps)
    measured.before += size + unparsed
    measured.tokens_before += count + words
    code = SessionCode(session)
    places = apart([place for tool in tools for place in code.places(tool)] + [*twins.places(code)])
    if places:
        done = rewrite_session(session, places, sandbox)
        measured.not_run += not done.could_run
        _note(session, done, measured)
        if done.rewritten is not None and done.rewritten.places:
            measured.rewritten += 1
            size, count = characters(done.rewritten.trees), tokens(done.rewritten.trees)
    measured.after += size + unparsed
    measured.tokens_after += count + words


def _note(session: Session, done: Done, measured: MeasuredCode) -> None:
    for place in done.rewritten.places if done.rewritten else ():
        tally = measured.tallies[place.tool.ref]
        tally.uses += 1
        tally.characters += place.saved
        tally.tokens += _tokens_saved(place)
        measured.uses.append(_use(session, place))
    for place, why in done.refused:
        measured.tallies[place.tool.ref].refused += 1
        measured.refused.append((_use(session, place), why))


def _use(session: Session, place: Place) -> Use:
    source = str(session.snippets[place.snippet].step.place)
    return Use(session.trace_id, source, place)


def verified_places(
    session: Session, places: Sequence[Place], sandbox: Sandbox
) -> tuple[Place, ...]:
    """Return the places that tools can take together without changing what the session does.

    Of places that overlap, the one that saves most is tried. None is left where the sandbox cannot
    run the session.

    Raises:
        SandboxUnavailableError: nothing can be run.
    """
    chosen = apart(places)
    rewritten = rewrite_session(session, chosen, sandbox).rewritten if chosen else None
    return rewritten.places if rewritten else ()


def apart(places: Sequence[Place]) -> list[Place]:
    """Choose places that do not overlap, those that save most first."""
    chosen: list[Place] = []
    claimed: set[int] = set()
    for place in sorted(places, key=_rank):
        if claimed.isdisjoint(place.claimed):
            claimed |= place.claimed
            chosen.append(place)
    return chosen


def _rank(place: Place) -> tuple[int, int, tuple[int, int], str]:
    return -place.saved, place.snippet, place.lines, place.tool.ref


def _tokens_saved(place: Place) -> int:
    return sum(tokens_of(ast.unparse(node)) for node in place.replaced) - tokens_of(place.text)
