"""Requests and replies by OpenAI's own client, over chat completions or Responses."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AbstractAsyncContextManager
from math import inf
from typing import Any

import httpx2
import openai
from openai import AsyncAPIResponse, AsyncOpenAI
from pydantic import ValidationError

from toolguild.sandbox import JsonObject
from toolguild.synth.models.answers import Answer
from toolguild.synth.models.errors import ModelDownError, UnsupportedRequestError
from toolguild.synth.models.forms import Chat, Responses
from toolguild.synth.models.resolving import looked_up
from toolguild.synth.models.settings import ModelSettings

__all__ = ["OpenAIEndpoint"]

_OPENAI = "https://api.openai.com/v1"
_FORMS: dict[str, type[Chat] | type[Responses]] = {"chat": Chat, "responses": Responses}
_RETRIES = 2
"""Times that the client tries anew what failed on the way, as it does by default."""
_LONGEST_PAUSE_S = 30.0
"""What a server may ask to wait before that."""
_SOON_S = 1.0
"""Seconds from the first request in which, as long as no reply came, failures are tried anew."""
_MOST_BYTES = 10_000_000
_SIGN_OF_LIFE = 4096
"""Bytes of a list of models after which the rest is not waited for."""
_SHORTEST_KEY = 8
"""Characters of a key that is worth hiding; what local servers are given is any word."""
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
        self._has_replied = False
        self._first_sent: float | None = None
        timeout = httpx2.Timeout(settings.reply_s, connect=settings.probe_s)
        self._client = AsyncOpenAI(
            api_key=settings.api_key.get_secret_value(),
            base_url=settings.base_url or _OPENAI,
            max_retries=_RETRIES,
            timeout=timeout,
            http_client=httpx2.AsyncClient(
                transport=transport,
                timeout=timeout,
                event_hooks={"response": [self._bound_retries]},
            ),
        )

    async def probe(self) -> bool:
        """Ask for the list of models, and return whether the server lives.

        It does where it gives one, has none or refuses: that is told at once. False where it is in
        trouble, or asks to be left alone.

        Raises:
            ModelDownError: nothing answers in time.
        """
        client = self._client.with_options(max_retries=0)
        seconds = self._settings.probe_s
        try:
            async with asyncio.timeout(seconds):
                await looked_up(self._settings.base_url or _OPENAI)
                async with client.models.with_streaming_response.list() as response:
                    await _read(response, enough=_SIGN_OF_LIFE)
        except openai.APIStatusError as error:
            return error.status_code < 500 and error.status_code != 429
        except (TimeoutError, openai.APITimeoutError) as error:
            message = f"{self._where}: GET /models was not answered within {seconds:g} s"
            raise ModelDownError(message, may_have_cost=False) from error
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise ModelDownError(self._told(error), may_have_cost=False) from error
        return True

    async def send(self, body: JsonObject) -> Answer:
        """Send a request and wait for the answer, trying anew what fails on the way.

        Raises:
            ModelDownError: there is none.
            UnsupportedRequestError: the server does not take such requests.
        """
        self._first_sent = self._first_sent or time.monotonic()
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
        self._has_replied = True
        return reply.answer(request_id)

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()

    def _call(self, body: Any) -> AbstractAsyncContextManager[AsyncAPIResponse[Any]]:
        if self._settings.api == "responses":
            return self._client.responses.with_streaming_response.create(**body)
        return self._client.chat.completions.with_streaming_response.create(**body)

    async def _bound_retries(self, response: httpx2.Response) -> None:
        """Have the client not try anew where that would hold the run, by the header it obeys."""
        waited = time.monotonic() - (self._first_sent or time.monotonic())
        longest = _LONGEST_PAUSE_S if self._has_replied else _SOON_S - waited
        if response.is_error and _pause_asked_for(response) > longest:
            response.headers["x-should-retry"] = "false"

    @property
    def _where(self) -> str:
        # An address may hold a password.
        address = re.sub(r"//[^/]*@", "//", self._settings.base_url or "api.openai.com")
        return f"model {self._settings.name} at {address}"

    def _told(self, error: Exception) -> str:
        cause = error.__cause__
        told = str(error) if cause is None else f"{error} ({cause})"
        if isinstance(error, openai.APIStatusError) and " - " not in told:
            # The client tells what stands where OpenAI has it; others have it elsewhere.
            told = f"{told} - {error.response.text.strip()}"
        printable = "".join(one if one.isprintable() else " " for one in told)
        key = self._settings.api_key.get_secret_value()
        if len(key) >= _SHORTEST_KEY:
            printable = printable.replace(key, "[key]")
        return f"{self._where}: {printable[:_MOST_TOLD]}"


def _pause_asked_for(response: httpx2.Response) -> float:
    """Return the seconds that a server asks to wait before the next try; 0 unless it asks."""
    headers = response.headers
    try:
        if "retry-after-ms" in headers:
            return float(headers["retry-after-ms"]) / 1000
        return float(headers.get("retry-after", 0))
    except ValueError:
        return inf  # A date, which is not worth reading: what is soon is told in seconds.


async def _read(response: AsyncAPIResponse[Any], enough: int | None = None) -> bytes:
    received = bytearray()
    async for part in response.iter_bytes():
        received += part
        if enough is not None and len(received) >= enough:
            break
        if len(received) > _MOST_BYTES:
            message = f"the reply is longer than {_MOST_BYTES:,} bytes"
            raise httpx2.ReadError(message)
    return bytes(received)
