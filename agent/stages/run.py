"""One run of the stage loop: what is to be done next, and what came of it, as events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

from toolguild.agent.conversation import Message, request_of
from toolguild.agent.stages.calling import call_tool
from toolguild.agent.stages.catalog import Catalog, CatalogTool
from toolguild.agent.stages.configuration import Configuration
from toolguild.agent.stages.configuring import configure, default_configuration
from toolguild.agent.stages.context import estimated_tokens, stage_messages
from toolguild.agent.stages.events import (
    CallEnded,
    CallStarted,
    Configured,
    Ended,
    Event,
    Reconfigured,
    RefusedMeta,
    Reminded,
    Replied,
    Tokens,
    WantedCall,
)
from toolguild.agent.stages.guards import (
    MOST_SILENCES,
    Move,
    Next,
    goal_objection,
    loop_objection,
    next_move,
)
from toolguild.agent.stages.meta_tools import (
    META_TOOLS,
    MetaCallError,
    Reconfigure,
    Status,
    Terminate,
    meta_functions,
    read_meta_call,
)
from toolguild.agent.stages.state import RunState, call_key
from toolguild.registry import OpenAIApi, Toolbox, openai_function
from toolguild.sandbox import JsonObject
from toolguild.synth.models import AsyncModel, BadReplyError, RefusedError, Usage

__all__ = ["Run"]

_CALL_SOMETHING = "Call one of your tools, or `reconfigure`, or `terminate`."
_AFTER_FAILURE = "Where there is no other way to it at this stage, call `reconfigure`."
_NOBODY_KNOWS = (
    "The run was interrupted during this call. Nobody knows whether it took effect: look before "
    "you repeat it."
)
_NO_ARGUMENTS: JsonObject = {"type": "object", "properties": {}}


class Run:
    """A run, from where it stands to its end."""

    def __init__(
        self,
        model: AsyncModel,
        toolbox: Toolbox,
        state: RunState,
        keep: Callable[[Event], None],
        now: Callable[[], str],
    ) -> None:
        """Take over a run.

        Args:
            model: Which acts, and writes configurations.
            toolbox: The tools that there are.
            state: Where the run stands.
            keep: Keeps an event, before the state follows from it.
            now: Gives the time as events have it.
        """
        self.state = state
        self._model, self._toolbox = model, toolbox
        self._keep, self._now = keep, now
        self._catalog = Catalog.of(toolbox)

    async def advance(self) -> None:
        """Do the one thing that is to be done next."""
        if self.state.configuration is None:
            await self._begin()
        elif self.state.pending:
            await self._answer(self.state.pending[0])
        else:
            await self._ask(self.state.configuration)

    def end_unfinished(self, why: str, *, handed_over: bool = False) -> None:
        """End with the best that there is."""
        state = self.state
        done = [stage.summary for stage in state.past]
        goal = state.configuration.sub_goal if state.configuration else state.start.task
        self._tell(
            Ended(
                at=self._now(),
                status=Status.PARTIAL if done or state.said else Status.INCOMPLETE,
                result=state.said or " ".join(done[-1:]),
                summary=" ".join(done),
                stalled=f"at stage {max(state.stage, 1)} ({goal}): {why}",
                handed_over=handed_over,
            )
        )

    async def _begin(self) -> None:
        before = self._model.budget.spent
        try:
            made = await configure(self._model, self.state, self._catalog, None)
            configuration, notes = made.configuration, made.notes
        except (BadReplyError, RefusedError) as error:
            configuration = default_configuration(self.state, self._catalog)
            notes = (f"the model wrote none: {error}",)
        self._tell(
            Configured(
                at=self._now(),
                configuration=configuration,
                notes=notes,
                tokens=self._spent_since(before),
            )
        )

    async def _ask(self, configuration: Configuration) -> None:
        functions = self._functions(configuration)
        messages = stage_messages(self.state, configuration)
        move = next_move(
            self.state, estimated_tokens(messages, len(json.dumps([*functions.values()])))
        )
        if move.next is Next.STOP:
            self.end_unfinished(move.why, handed_over=True)
            return
        if move.next is not Next.ACT:
            # Where the run was interrupted after it was told, it is not told twice.
            if self.state.messages[-1:] != (Message("user", _only(move)),):
                self._tell(Reminded(at=self._now(), text=_only(move), forced=True))
            messages = stage_messages(self.state, configuration)
            functions = {name: functions[name] for name in _allowed(move)}
        settings, before = self._model.settings, self._model.budget.spent
        answer, _ = await self._model.answer(request_of(settings, messages, [*functions.values()]))
        calls = tuple(
            WantedCall(id=call.id, name=call.name, arguments=call.arguments)
            for call in answer.calls
        )
        self._tell(
            Replied(
                at=self._now(),
                offered=tuple(functions),
                text=answer.text,
                calls=calls,
                tokens=self._spent_since(before),
            )
        )
        if not calls and self.state.silences < MOST_SILENCES:
            self._tell(Reminded(at=self._now(), text=_CALL_SOMETHING, forced=False))

    def _functions(self, configuration: Configuration) -> dict[str, JsonObject]:
        """Return what the model may call, by name: one action space for work and for itself."""
        api = self._model.settings.api
        # One that was quarantined meanwhile is offered no more.
        tools = [self._catalog[name] for name in configuration.toolbox if name in self._catalog]
        work = {tool.name: _function(tool, api) for tool in tools if tool.name not in META_TOOLS}
        return work | dict(zip(META_TOOLS, meta_functions(api), strict=True))

    async def _answer(self, call: WantedCall) -> None:
        if call.name not in self.state.offered:
            offered = ", ".join(sorted(self.state.offered))
            self._refuse_call(call, f"there is no such tool at this stage; there are {offered}")
        elif call.name in META_TOOLS:
            await self._answer_meta(call)
        elif call_key(call.name, call.arguments) in self.state.failed:
            self._refuse_call(call, f"this very call failed before. {_AFTER_FAILURE}")
        elif call.id in self.state.started and not self._is_repeatable(call.name):
            self._tell(self._ended(call, ok=False, ran=True, text=_NOBODY_KNOWS))
        else:
            await self._call(call)

    async def _call(self, call: WantedCall) -> None:
        started = CallStarted(
            at=self._now(), call=call.id, name=call.name, arguments=call.arguments
        )
        if call.id not in self.state.started:
            self._tell(started)
        most_s = self.state.start.limits.call_s
        done = await call_tool(self._toolbox, self._catalog, call.name, call.arguments, most_s)
        text = done.text if done.ok else f"{done.text}\n{_AFTER_FAILURE}"
        ended = self._ended(call, ok=done.ok, ran=done.ran, text=text)
        capabilities = tuple(sorted(done.capabilities))
        self._tell(ended.model_copy(update={"seconds": done.seconds, "capabilities": capabilities}))

    async def _answer_meta(self, call: WantedCall) -> None:
        try:
            read = read_meta_call(call.name, call.arguments)
        except MetaCallError as error:
            self._refuse_meta(call, str(error), "form")
            return
        if isinstance(read, Terminate):
            self._tell(
                Ended(
                    at=self._now(),
                    status=read.status,
                    result=read.final_result,
                    summary=read.summary,
                )
            )
        else:
            await self._reconfigure(call, read)

    async def _reconfigure(self, call: WantedCall, wish: Reconfigure) -> None:
        state = self.state
        assert state.configuration is not None  # noqa: S101 - a call comes out of a stage
        if state.stage >= state.start.limits.stages:
            why = "reconfigure was refused: no stages are left; call terminate with what there is"
            self._refuse_meta(call, why, "limit")
            return
        if objection := goal_objection(state, wish.new_sub_goal):
            self._refuse_meta(call, objection, "goal")
            return
        before, catalog = self._model.budget.spent, Catalog.of(self._toolbox)
        try:
            made = await configure(self._model, state, catalog, wish)
        except (BadReplyError, RefusedError) as error:
            why = f"reconfigure was refused, as no configuration came of it: {error}"
            self._refuse_or_hand_over(call, why, "configuration", self._spent_since(before))
            return
        if objection := loop_objection(state, made.configuration):
            self._refuse_or_hand_over(call, objection, "loop", self._spent_since(before))
            return
        self._tell(
            Reconfigured(
                at=self._now(),
                call=call.id,
                stage=state.stage,
                old=state.configuration,
                new=made.configuration,
                rationale=wish.update_reason,
                summary=wish.execution_summary,
                notes=made.notes,
                tokens=self._spent_since(before),
            )
        )
        self._catalog = catalog

    def _refuse_or_hand_over(
        self,
        call: WantedCall,
        why: str,
        about: Literal["loop", "configuration"],
        tokens: Tokens,
    ) -> None:
        """Refuse once; after that the user has to say how to go on."""
        again = about in self.state.refused
        self._refuse_meta(call, why, about, tokens)
        if again:
            self.end_unfinished(why, handed_over=True)

    def _refuse_meta(
        self,
        call: WantedCall,
        why: str,
        about: Literal["form", "limit", "goal", "loop", "configuration"],
        tokens: Tokens | None = None,
    ) -> None:
        spent = tokens or Tokens()
        self._tell(
            RefusedMeta(
                at=self._now(), call=call.id, name=call.name, why=why, about=about, tokens=spent
            )
        )

    def _refuse_call(self, call: WantedCall, why: str) -> None:
        text = f"{call.name[:100]} was not called: {why}"
        self._tell(self._ended(call, ok=False, ran=False, text=text))

    def _ended(self, call: WantedCall, *, ok: bool, ran: bool, text: str) -> CallEnded:
        return CallEnded(
            at=self._now(),
            call=call.id,
            name=call.name,
            arguments=call.arguments,
            ok=ok,
            ran=ran,
            text=text,
            seconds=0.0,
        )

    def _is_repeatable(self, name: str) -> bool:
        tool = self._catalog.get(name)
        return tool is not None and tool.is_repeatable

    def _spent_since(self, before: Usage) -> Tokens:
        now = self._model.budget.spent
        known = now.usd is not None and before.usd is not None
        return Tokens(
            requests=now.requests - before.requests,
            input=now.input_tokens - before.input_tokens,
            output=now.output_tokens - before.output_tokens,
            usd=(now.usd or 0.0) - (before.usd or 0.0) if known else None,
        )

    def _tell(self, event: Event) -> None:
        self._keep(event)
        self.state = self.state.after(event)


def _function(tool: CatalogTool, api: OpenAIApi) -> JsonObject:
    return openai_function(tool.name, tool.description, tool.parameters or _NO_ARGUMENTS, api)


def _allowed(move: Move) -> tuple[str, ...]:
    return ("terminate",) if move.next is Next.FINISH else ("reconfigure", "terminate")


def _only(move: Move) -> str:
    if move.next is Next.FINISH:
        return (
            f"No more work can be done: {move.why}. Call `terminate` with the best result so far."
        )
    return f"This stage cannot go on: {move.why}. Call `reconfigure`, or `terminate`."
