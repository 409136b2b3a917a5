"""Requests and replies by OpenAI's own client, over chat completions or Responses.

Formats: https://platform.openai.com/docs/api-reference/chat and .../responses. Replies are read
field by field, as servers that only resemble OpenAI's leave out what they like.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import openai
from openai import AsyncAPIResponse, AsyncOpenAI
from pydantic import BaseModel, Field, ValidationError

from toolguild.sandbox import JsonObject
from toolguild.synth.models.answers import Answer
from toolguild.synth.models.errors import ModelDownError, UnsupportedRequestError
from toolguild.synth.models.settings import ModelSettings

__all__ = ["OpenAIEndpoint"]

_OPENAI = "https://api.openai.com/v1"
_RETRIES = 2
"""Times that the client tries anew what failed on the way, as it does by default."""
_MOST_BYTES = 10_000_000
_MOST_TOLD = 300
"""Characters of what a server says that are passed on in an error."""


class OpenAIEndpoint:
    """A server, reached by OpenAI's own client."""

    def __init__(
        self, settings: ModelSettings, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            settings: Which server, and how long to wait for it.
            transport: What carries requests, for tests.
        """
        self._settings = settings
        timeout = httpx2.Timeout(settings.reply_s, connect=settings.connect_s)
        self._client = AsyncOpenAI(
            api_key=settings.api_key.get_secret_value(),
            base_url=settings.base_url or _OPENAI,
            max_retries=_RETRIES,
            timeout=timeout,
            http_client=httpx2.AsyncClient(transport=transport, timeout=timeout),
        )

    async def send(self, body: JsonObject) -> Answer:
        """Send a request and wait for the answer, trying anew what fails on the way.

        Raises:
            ModelDownError: there is none.
            UnsupportedRequestError: the server does not take such requests.
        """
        try:
            async with self._call(body) as response:
                received = await _read(response)
                request_id = response.request_id or ""
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise UnsupportedRequestError(self._told(error)) from error
        except openai.APIStatusError as error:
            raise ModelDownError(self._told(error), may_have_cost=False) from error
        except openai.OpenAIError as error:
            unreached = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)
            raise ModelDownError(self._told(error), may_have_cost=not unreached) from error
        except httpx2.HTTPError as error:
            raise ModelDownError(self._told(error)) from error
        try:
            reply = _FORMS[self._settings.api].model_validate_json(received)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            message = f"{self._where}: what came is no reply ({place}: {first['msg']})"
            raise ModelDownError(message) from error
        return reply.answer(request_id)

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()

    def _call(self, body: Any) -> AbstractAsyncContextManager[AsyncAPIResponse[Any]]:
        if self._settings.api == "responses":
            return self._client.responses.with_streaming_response.create(**body)
        return self._client.chat.completions.with_streaming_response.create(**body)

    @property
    def _where(self) -> str:
        return f"model {self._settings.name} at {self._settings.base_url or 'api.openai.com'}"

    def _told(self, error: Exception) -> str:
        cause = error.__cause__
        told = str(error) if cause is None else f"{error} ({cause})"
        printable = "".join(one if one.isprintable() else " " for one in told)
        key = self._settings.api_key.get_secret_value()
        return f"{self._where}: {printable.replace(key, '[key]')[:_MOST_TOLD]}"


async def _read(response: AsyncAPIResponse[Any]) -> bytes:
    received = bytearray()
    async for part in response.iter_bytes():
        received += part
        if len(received) > _MOST_BYTES:
            message = f"the reply is longer than {_MOST_BYTES:,} bytes"
            raise httpx2.ReadError(message)
    return bytes(received)


class _ChatUsage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _ChatChoice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None


class _Chat(BaseModel):
    """A chat completion."""

    id: str = ""
    choices: list[_ChatChoice] = Field(min_length=1)
    usage: _ChatUsage | None = None

    def answer(self, request_id: str) -> Answer:
        choice = self.choices[0]
        refused = choice.message.refusal or choice.finish_reason == "content_filter"
        cut_off = choice.finish_reason == "length"
        return Answer(
            text=choice.message.refusal or choice.message.content or "",
            ended="refused" if refused else "cut off" if cut_off else "whole",
            input_tokens=self.usage.prompt_tokens if self.usage else None,
            output_tokens=self.usage.completion_tokens if self.usage else None,
            request_id=request_id or self.id,
        )


class _ResponsesUsage(BaseModel):
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)


class _Part(BaseModel):
    type: str
    text: str = ""
    refusal: str = ""


class _Item(BaseModel):
    type: str
    content: list[_Part] = []


class _Responses(BaseModel):
    """A response of OpenAI's newer protocol."""

    id: str = ""
    status: str | None = None
    output: list[_Item]
    usage: _ResponsesUsage | None = None

    def answer(self, request_id: str) -> Answer:
        parts = [part for item in self.output if item.type == "message" for part in item.content]
        refusal = "".join(part.refusal for part in parts if part.type == "refusal")
        text = "".join(part.text for part in parts if part.type == "output_text")
        cut_off = self.status == "incomplete"
        return Answer(
            text=refusal or text,
            ended="refused" if refusal else "cut off" if cut_off else "whole",
            input_tokens=self.usage.input_tokens if self.usage else None,
            output_tokens=self.usage.output_tokens if self.usage else None,
            request_id=request_id or self.id,
        )


_FORMS: dict[str, type[_Chat] | type[_Responses]] = {"chat": _Chat, "responses": _Responses}
