"""How agents get past what fails: with other arguments, after a look elsewhere, or by themselves.

Only where they go on without a word of the user's in between: what the user says, no tool can know.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from toolguild.policies.parsing import parse_literal
from toolguild.sandbox import Json
from toolguild.synth.mining.code_steps import MAX_SHOWN
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.episodes import Episode, EpisodeKind, RepeatedEpisode
from toolguild.synth.mining.extent import Saving
from toolguild.synth.mining.gaps import GapKind, gap_at
from toolguild.synth.mining.messy_sequences import MAX_EPISODES, written_characters
from toolguild.synth.mining.opportunity import support_of
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.timeline import Timeline
from toolguild.synth.mining.verbs import believed_read_only
from toolguild.synth.traces import CodeExecution, Step, ToolCall, Trace

__all__ = ["recoveries", "unknown_tools"]

MAX_CALLS = 6
MAX_AT_ONCE = 6
"""Episodes kept in which the tool does not fail: a tool in its place has to do what it did."""
MAX_FOUND = 12


def recoveries(timelines: Sequence[Timeline], settings: MiningSettings) -> list[RepeatedEpisode]:
    """Return the errors of reading tools that agents often get past, those of most tasks first."""
    past: defaultdict[tuple[str, str], list[Episode]] = defaultdict(list)
    at_once: defaultdict[str, list[Episode]] = defaultdict(list)
    for timeline in timelines:
        seen: set[tuple[str, str]] = set()
        for position, call in enumerate(timeline.calls):
            if not believed_read_only(call.tool):
                continue
            gap = gap_at(call, set())
            if gap is None:
                at_once[call.tool].append(_recovery(timeline, position, position))
                continue
            end = _success(timeline, position)
            if end is not None and (key := (call.tool, gap[1])) not in seen:
                seen.add(key)
                past[key].append(_recovery(timeline, position, end))
    found = []
    for (tool, error), episodes in past.items():
        kept = _with_same_arguments(episodes)
        if support_of(kept) < settings.sequence_support:
            continue
        names = kept[0].given.keys()
        easy = sorted((one for one in at_once[tool] if one.given.keys() == names), key=_place)
        kept = [*kept[:MAX_EPISODES], *easy[:MAX_AT_ONCE]]
        wish = f"{tool}_with_recovery"
        found.append(_repeated(EpisodeKind.RECOVERY, error, wish, tool, kept))
    return sorted(found, key=_rank)[:MAX_FOUND]


def _success(timeline: Timeline, failed: int) -> int | None:
    """Return where the tool that failed was called with success, after nothing but reading."""
    tool, given = timeline.calls[failed].tool, canonical(timeline.calls[failed].arguments)
    for position in range(failed + 1, min(failed + MAX_CALLS, len(timeline.calls))):
        call = timeline.calls[position]
        if not believed_read_only(call.tool) or not timeline.is_unbroken(failed, position):
            return None
        if call.tool == tool and call.error is None:
            return None if canonical(call.arguments) == given else position
    return None


def _recovery(timeline: Timeline, failed: int, end: int) -> Episode:
    calls = tuple(timeline.calls[failed : end + 1])
    return Episode(
        trace_id=timeline.trace_id,
        task_id=timeline.task_id,
        place=calls[0].place,
        given=calls[0].arguments,
        calls=calls,
        value=calls[-1].result,
        replaced=calls,
        saving=_saving(calls[0], calls),
    )


def unknown_tools(traces: Iterable[Trace], settings: MiningSettings) -> list[RepeatedEpisode]:
    """Return the tools that agents call without there being any, and do without in the same way.

    What they do instead is the next piece of code, whose output is what they wanted to know, or the
    calls that most of them make, of which the last brings it.
    """
    attempts: defaultdict[str, list[tuple[Trace, int]]] = defaultdict(list)
    for trace in traces:
        offered = {tool.name for tool in trace.tools}
        for number, step in enumerate(trace.steps):
            gap = gap_at(step, offered)
            if gap is not None and gap[0] is GapKind.UNKNOWN_TOOL:
                attempts[gap[1]].append((trace, number))
                break  # How a run goes on after a second failure, it does with the first in mind.
    found = []
    for tool, places in attempts.items():
        kept = _with_same_arguments([*_computed(places), *_looked_up(places, settings)])
        if support_of(kept) >= settings.sequence_support:
            kept = kept[:MAX_EPISODES]
            found.append(_repeated(EpisodeKind.UNKNOWN_TOOL, tool, tool, tool, kept))
    return sorted(found, key=_rank)[:MAX_FOUND]


def _repeated(
    kind: EpisodeKind, about: str, wish: str, tool: str, episodes: Sequence[Episode]
) -> RepeatedEpisode:
    """Return episodes whose tool takes what the call took that they begin with."""
    return RepeatedEpisode(
        kind=kind,
        about=about,
        wish=wish,
        occurrences=tuple(sorted(episodes, key=_place)),
        called_at=tool,
        takes={name: (tool, name) for name in episodes[0].given},
    )


def _computed(places: Sequence[tuple[Trace, int]]) -> Iterator[Episode]:
    for trace, number in places:
        asked, after = trace.steps[number], trace.steps[number + 1 : number + 2]
        match after:
            case [CodeExecution(code=code, error=None, heard="", result=shown)] if shown.strip():
                episode = _instead(trace, asked, (), _shown(shown))
                yield replace(episode, saving=Saving(0, len(code)))


def _looked_up(places: Sequence[tuple[Trace, int]], settings: MiningSettings) -> Iterator[Episode]:
    """Yield what was called instead, as far as most runs agree in the tools."""
    followed = [(trace, number, _reads_after(trace, number)) for trace, number in places]
    agreed: tuple[str, ...] = ()
    for length in range(1, MAX_CALLS):
        begun = Counter(_runs(calls)[:length] for _, _, calls in followed if calls)
        most = max(begun, key=lambda tools: (begun[tools], tools), default=())
        if begun[most] < settings.min_confidence * len(places):
            break
        if len(most) == length:
            agreed = most
    for trace, number, calls in followed:
        if agreed and _runs(calls)[: len(agreed)] == agreed:
            taken = _first_runs(calls, len(agreed))
            yield _instead(trace, trace.steps[number], taken, taken[-1].result)


def _reads_after(trace: Trace, number: int) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    for step in trace.steps[number + 1 :]:
        match step:
            case ToolCall(tool=tool, error=None, heard="") if believed_read_only(tool):
                calls.append(step)
            case _:
                break
    return tuple(calls)


def _runs(calls: Sequence[ToolCall]) -> tuple[str, ...]:
    """Return the tools in their order, those called several times in a row once."""
    tools = [call.tool for call in calls]
    return tuple(tool for at, tool in enumerate(tools) if at == 0 or tools[at - 1] != tool)


def _first_runs(calls: Sequence[ToolCall], runs: int) -> tuple[ToolCall, ...]:
    taken = 0
    while taken < len(calls) and len(_runs(calls[: taken + 1])) <= runs:
        taken += 1
    return tuple(calls[:taken])


def _instead(trace: Trace, asked: Step, calls: tuple[ToolCall, ...], value: Json) -> Episode:
    assert isinstance(asked, ToolCall)  # noqa: S101 - it is one that there is no tool for
    return Episode(
        trace_id=trace.id,
        task_id=trace.task.id,
        place=asked.place,
        given=asked.arguments,
        calls=calls,
        value=value,
        replaced=(asked, *calls),
        saving=_saving(asked, (asked, *calls)),
    )


def _shown(text: str) -> Json:
    """Return what code printed as the value that it is the text of, or as text."""
    for read in (json.loads, parse_literal) if len(text) <= MAX_SHOWN else ():
        try:
            value = read(text.strip())
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            continue
        as_json: Json = json.loads(json.dumps(value))  # A tuple is a list to who calls a tool.
        return as_json
    return text.strip()


def _saving(asked: ToolCall, calls: Sequence[ToolCall]) -> Saving:
    return Saving(len(calls) - 1, written_characters(calls) - written_characters([asked]))


def _with_same_arguments(episodes: Sequence[Episode]) -> list[Episode]:
    """Return those whose call that failed had the arguments' names that most of them had.

    They come in the order of their places, whatever the order of the runs.
    """
    names = Counter(frozenset(one.given) for one in episodes)
    most = max(names, key=lambda one: (names[one], sorted(one)), default=frozenset())
    alike = [one for one in episodes if most and one.given.keys() == most]
    return sorted(alike, key=_place)


def _place(episode: Episode) -> tuple[str, int]:
    return episode.trace_id, episode.place.step


def _rank(found: RepeatedEpisode) -> tuple[int, str]:
    return -support_of(found.occurrences), found.about
