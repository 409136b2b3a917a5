"""Having a model write the configuration of the next stage, and mending what it wrote."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from toolguild.agent.stages.catalog import Catalog, CatalogTool
from toolguild.agent.stages.configuration import ALL, Configuration, ContextMode, same_text
from toolguild.agent.stages.context import history_of, transcript
from toolguild.agent.stages.guards import must_differ_from
from toolguild.agent.stages.meta_tools import Reconfigure
from toolguild.agent.stages.state import PastStage, RunState
from toolguild.sandbox import JsonObject
from toolguild.synth.models import AsyncModel, Prompt, Request, UnfitReplyError, Usage
from toolguild.synth.utility.tokens import CHARACTERS_A_TOKEN

__all__ = ["CONFIGURE_PROMPT", "Configured", "configure", "default_configuration", "settled"]

CONFIGURE_PROMPT = Prompt.load("configure", "toolguild.agent.stages")

_FEWEST = 2
"""Tools that a stage is offered, where there are that many."""
_MOST_HISTORY = 20_000
"""Characters."""
_NEARLY = 0.8
"""Ratio of `difflib` from which on a name that does not exist is taken for one that does."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration that may be the next one."""

    configuration: Configuration
    notes: tuple[str, ...]
    """What had to be mended."""
    usage: Usage


async def configure(
    model: AsyncModel, state: RunState, catalog: Catalog, wish: Reconfigure | None
) -> Configured:
    """Have a model write the configuration of the next stage.

    Args:
        model: Which is told what does not fit, and asked again.
        state: Where the run stands, before the present stage is closed.
        catalog: The tools that there are now.
        wish: What the agent asked for; None for the first stage.

    Raises:
        BadReplyError: no reply fits, however often the model was told why.
        RefusedError, ModelDownError, OverBudgetError: see `Model.ask`.
    """
    limits = state.start.limits
    goal = wish.new_sub_goal if wish else state.start.task
    short_list = catalog.short_list(_looked_for(state, wish), limits.short_list)
    avoided = must_differ_from(state, goal) if wish else []

    def check(written: Configuration) -> None:
        settled(written, short_list, catalog, limits.offered)
        _check_differs(written, avoided)

    data: JsonObject = {
        "task": state.start.task,
        "stages_so_far": [*history_of(_with_present(state, wish), _MOST_HISTORY)],
        "present": state.configuration.to_json() if state.configuration else None,
        "asked_for": wish.model_dump() if wish else None,
        "said_at_this_stage": transcript(state.messages, _most_said(state)),
        "tools": [tool.to_json() for tool in short_list],
        "most_tools": limits.offered,
        "must_differ_from": [one.strategy for one in avoided],
    }
    reply = await model.ask(Request(CONFIGURE_PROMPT, data, Configuration, check))
    configuration, notes = settled(reply.value, short_list, catalog, limits.offered)
    return Configured(configuration, notes, reply.usage)


def default_configuration(state: RunState, catalog: Catalog) -> Configuration:
    """Return what a run begins with whose model cannot write a configuration: the task itself."""
    limits = state.start.limits
    written = Configuration(
        sub_goal=state.start.task[:2000] or "Do the task.",
        strategy="Go step by step, and look at each result before the next call.",
        toolbox=tuple(tool.name for tool in catalog.short_list(state.start.task, limits.offered)),
        knowledge="",
        context_mode=ContextMode.BASIC,
    )
    return settled(written, [*catalog.values()], catalog, limits.offered)[0]


def settled(
    written: Configuration, short_list: Sequence[CatalogTool], catalog: Catalog, most: int
) -> tuple[Configuration, tuple[str, ...]]:
    """Return a configuration as it can be used, and what had to be mended for that.

    Its tools are on the short list; two at least where there are that many, and never all of them
    where there are more than two.

    Raises:
        UnfitReplyError: nothing is left of its tools.
    """
    names = [tool.name for tool in short_list]
    notes: list[str] = []
    chosen = dict.fromkeys(_known(written.toolbox, names, notes))
    if written.toolbox and names and not chosen:
        msg = f"toolbox: there is no tool {written.toolbox[0][:100]!r}; choose among {names}"
        raise UnfitReplyError(msg)
    for name in names:
        if len(chosen) >= min(_FEWEST, len(catalog)):
            break
        if name not in chosen:
            notes.append(f"{name} was added: a stage has {_FEWEST} tools at least")
            chosen[name] = None
    fewer = min(most, len(catalog) - 1 if len(catalog) > _FEWEST else len(catalog))
    toolbox = [*chosen]
    if len(toolbox) > fewer:
        # Those that fit its words least go.
        toolbox.sort(key=names.index)
        notes.append(f"{', '.join(toolbox[fewer:])} left out: a stage has {fewer} tools at most")
        toolbox = toolbox[:fewer]
    knowledge = written.knowledge.strip()
    return written.model_copy(
        update={
            "toolbox": tuple(toolbox),
            "knowledge": ALL if knowledge.upper() == ALL else knowledge,
        }
    ), tuple(notes)


def _known(wanted: Sequence[str], names: Sequence[str], notes: list[str]) -> list[str]:
    known = []
    for name in wanted:
        if name in names:
            known.append(name)
        elif near := difflib.get_close_matches(name, names, n=1, cutoff=_NEARLY):
            notes.append(f"{name[:100]!r} was taken for {near[0]}")
            known += near
        else:
            notes.append(f"{name[:100]!r} was left out: there is no such tool to choose")
    return known


def _check_differs(written: Configuration, avoided: Sequence[Configuration]) -> None:
    if any(same_text(written.strategy, one.strategy) for one in avoided):
        msg = "strategy: it was tried for this sub-goal already; write another one"
        raise UnfitReplyError(msg)


def _most_said(state: RunState) -> int:
    """Return the characters of a stage that are read: what is known next comes out of them."""
    return state.start.limits.context_tokens * CHARACTERS_A_TOKEN // 2


def _looked_for(state: RunState, wish: Reconfigure | None) -> str:
    if wish is None:
        return state.start.task
    return f"{wish.new_sub_goal} {wish.toolbox_requirements} {wish.strategy_requirements}"


def _with_present(state: RunState, wish: Reconfigure | None) -> list[PastStage]:
    if state.configuration is None or wish is None:
        return [*state.past]
    return [*state.past, PastStage(state.configuration, wish.execution_summary, ())]
