"""A model that is asked for replies of a given form, and told what to mend in those that are not.

`AsyncModel` is asked from an event loop. `Model` has one of its own, so that each request can be
given up at its deadline and all of them at once; whoever asks, from whatever thread, waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from pydantic import BaseModel

from toolguild.sandbox import JsonObject
from toolguild.synth.models.answers import Answer, Endpoint
from toolguild.synth.models.bodies import body_of
from toolguild.synth.models.cache import ReplyCache
from toolguild.synth.models.errors import (
    BadReplyError,
    ModelDownError,
    ModelError,
    RefusedError,
    UnsupportedRequestError,
)
from toolguild.synth.models.guarding import GuardedEndpoint
from toolguild.synth.models.quoting import as_data
from toolguild.synth.models.replies import UnfitReplyError, read_reply
from toolguild.synth.models.request import Message, Request
from toolguild.synth.models.settings import ModelSettings
from toolguild.synth.models.spending import Budget, Usage, price_of

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

__all__ = ["AsyncModel", "Model", "Reply"]

T = TypeVar("T", bound=BaseModel)
_MOST_QUOTED = 20_000
"""Characters of an unfit reply that are shown to the model again."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A reply of the form that was asked for."""

    value: T
    model: str
    prompt: str
    """Digest of the prompt."""
    usage: Usage
    """What it took, now or in the run that it is known from."""
    request_ids: tuple[str, ...]
    """By which the server knows the requests, unfit replies included."""


class AsyncModel:
    """A model to be asked, as an asynchronous context manager. For one event loop."""

    def __init__(
        self,
        settings: ModelSettings,
        *,
        endpoint: Endpoint | None = None,
        cache: ReplyCache | None = None,
        on_request: Callable[[JsonObject], None] = lambda body: None,
    ) -> None:
        """Prepare to ask.

        Args:
            settings: Which model, and how much of it may be used.
            endpoint: Where requests go; to the server that the settings name unless given.
            cache: Replies of earlier runs; none unless given.
            on_request: Called with each request before it is sent.
        """
        self.settings = settings
        self.budget = Budget(settings)
        self._cache = cache
        self._on_request = on_request
        self._structured = settings.structured
        self._turns = asyncio.Semaphore(settings.at_once)
        self._endpoint = GuardedEndpoint(settings, lambda: endpoint or _opened(settings))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give back connections."""
        await self._endpoint.close()

    async def ask(self, request: Request[T]) -> Reply[T]:
        """Ask, and wait for a reply that fits; see `Model.ask`."""
        async with self._turns:
            if self._structured:
                try:
                    return await self._asked(request)
                except UnsupportedRequestError:
                    # Not every server takes schemas; asked in words, any may do.
                    self._structured = False
            try:
                return await self._asked(request)
            except UnsupportedRequestError as error:
                raise self._endpoint.failed(ModelDownError(str(error))) from error

    async def answer(self, body: JsonObject) -> tuple[Answer, Usage]:
        """Send a request as it stands, and return the answer, whatever it is, and what it took.

        Raises:
            ModelDownError: the endpoint gives none, or gave none before.
            OverBudgetError: it might cost too much.
        """
        async with self._turns:
            try:
                return await self._answer(body)
            except UnsupportedRequestError as error:
                raise self._endpoint.failed(ModelDownError(str(error))) from error

    async def _asked(self, request: Request[T]) -> Reply[T]:
        structured = self._structured
        messages = request.messages(structured=structured)
        usage, request_ids = Usage(), []
        why_not = ""
        for _ in range(self.settings.tries):
            schema = request.reply.model_json_schema() if structured else None
            body = body_of(self.settings, messages, schema, request.reply.__name__)
            answer, took = await self._answer(body)
            usage += took
            request_ids.append(answer.request_id)
            if answer.ended == "refused":
                message = f"the model declines: {answer.text[:200]!r}"
                raise RefusedError(message)
            try:
                value = read_reply(answer, request.reply)
                request.check(value)
            except UnfitReplyError as error:
                why_not = str(error)
                quoted = answer.text[:_MOST_QUOTED]
                messages += [Message("assistant", quoted), Message("user", _told_off(why_not))]
                continue
            digest = request.prompt.digest
            return Reply(value, self.settings.name, digest, usage, tuple(request_ids))
        message = f"{self.settings.tries} replies to prompt {request.prompt.name}: {why_not}"
        raise BadReplyError(message)

    async def _answer(self, body: JsonObject) -> tuple[Answer, Usage]:
        """Return an answer, known or asked for, and what it took."""
        if self._cache and (known := self._cache.get(self._where, body)):
            return known, self._usage(known)
        self._endpoint.require()
        with self.budget.reserve(len(str(body))) as told:
            self._on_request(body)
            try:
                answer = await self._endpoint.send(body)
            except ModelError as error:
                if not error.may_have_cost:
                    told.append(Usage())
                raise
            if answer.input_tokens is not None and answer.output_tokens is not None:
                told.append(self._usage(answer))
        if self._cache and answer.ended == "whole":
            self._cache.put(self._where, body, answer)
        return answer, self._usage(answer)

    def _usage(self, answer: Answer) -> Usage:
        """Return what an answer took, as far as the server tells."""
        input_tokens, output_tokens = answer.input_tokens or 0, answer.output_tokens or 0
        usd = price_of(self.settings, input_tokens, output_tokens)
        return Usage(1, input_tokens, output_tokens, usd)

    @property
    def _where(self) -> str:
        return f"{self.settings.api} {self.settings.base_url}"


class Model:
    """A model to be asked, as a context manager."""

    def __init__(
        self,
        settings: ModelSettings,
        *,
        endpoint: Endpoint | None = None,
        cache: ReplyCache | None = None,
        on_request: Callable[[JsonObject], None] = lambda body: None,
    ) -> None:
        """Prepare to ask; see `AsyncModel`."""
        self._model = AsyncModel(settings, endpoint=endpoint, cache=cache, on_request=on_request)
        self._stack = ExitStack()

    @property
    def settings(self) -> ModelSettings:
        """Which model, and how much of it may be used."""
        return self._model.settings

    @property
    def budget(self) -> Budget:
        """What was taken, and may still be."""
        return self._model.budget

    def __enter__(self) -> Self:
        # Takes long to import, and is only of use to those who have a model.
        from anyio.from_thread import start_blocking_portal

        self._portal: BlockingPortal = self._stack.enter_context(start_blocking_portal("asyncio"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._portal.call(self._model.close)
        # What is still under way is given up; nobody waits for it any more.
        self._portal.call(self._portal.stop, True)
        self._stack.close()

    def ask(self, request: Request[T]) -> Reply[T]:
        """Ask, and wait for a reply that fits.

        Raises:
            ModelDownError: the endpoint gives none, or gave none before.
            OverBudgetError: it might cost too much.
            RefusedError: the model declines.
            BadReplyError: no reply fits, however often it was told why.
            RedactionError: the data holds more secrets than can be followed.
        """
        try:
            return self._portal.call(self._model.ask, request)
        except CancelledError as error:
            message = f"model {self.settings.name}: given up, as the run ended"
            raise ModelDownError(message) from error


def _opened(settings: ModelSettings) -> Endpoint:
    # Takes a second to import, and is only of use where something is asked.
    from toolguild.synth.models.endpoint import OpenAIEndpoint

    return OpenAIEndpoint(settings)


def _told_off(why_not: str) -> str:
    """Return what a model is told of a reply that does not fit; it may quote the reply."""
    asked = "Your reply cannot be used; the data says why. Reply once more, in the form asked for."
    return f"{asked}\n{as_data(why_not)}"
