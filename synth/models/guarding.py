"""How long to wait for an endpoint, and when to stop asking it: a circuit breaker.

A model that lives may take minutes for a reply, and one that is down may be silent just as long.
What tells them apart is the list of models: a server that lives gives it at once. So it is asked
for before the first request, and again after a request that failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from toolguild.sandbox import JsonObject
from toolguild.synth.models.answers import Answer, Endpoint
from toolguild.synth.models.errors import ModelDownError, UnsupportedRequestError
from toolguild.synth.models.settings import ModelSettings

__all__ = ["GuardedEndpoint"]

_FAILURES_IN_A_ROW = 3
"""Requests that may fail one after another before no more are sent; one, if none ever succeeded."""


class GuardedEndpoint:
    """An endpoint that is waited for no longer than it is worth. For one event loop."""

    def __init__(self, settings: ModelSettings, opened: Callable[[], Endpoint]) -> None:
        """Start with nothing known.

        Args:
            settings: How long to wait.
            opened: Opens the endpoint; called with the first request, as clients take long to load.
        """
        self._settings = settings
        self._opened = opened
        self._endpoint: Endpoint | None = None
        self._probing = asyncio.Lock()
        self._shows_life = False
        self._has_replied = False
        self._failures = 0
        self._grace_ends: float | None = None
        self._down: ModelDownError | None = None

    def require(self) -> None:
        """Return if the endpoint may be asked.

        Raises:
            ModelDownError: it failed too often.
        """
        if self._down is not None:
            raise self._down

    async def send(self, body: JsonObject) -> Answer:
        """Send a request, and wait for the answer as long as the server shows life.

        Raises:
            ModelDownError: there is none.
            UnsupportedRequestError: the server does not take such requests.
        """
        self._endpoint = self._endpoint or self._opened()
        patience = await self._patience(self._endpoint)
        try:
            async with asyncio.timeout(patience):
                answer = await self._endpoint.send(body)
        except TimeoutError as error:
            raise self.failed(ModelDownError(self._silence(patience))) from error
        except ModelDownError as error:
            raise self.failed(error) from error
        except UnsupportedRequestError:
            self._shows_life = True
            raise
        self._shows_life = self._has_replied = True
        self._failures = 0
        return answer

    def failed(self, error: ModelDownError) -> ModelDownError:
        """Take note of a request without a usable answer, and return what to tell of it.

        Of several under way at once, the first to fail says it for all.
        """
        if self._down is not None:
            return self._down
        self._shows_life = False
        self._failures += 1
        if not self._has_replied or self._failures >= _FAILURES_IN_A_ROW:
            self._down = error
        return error

    async def close(self) -> None:
        """Give back connections."""
        if self._endpoint is not None:
            await self._endpoint.close()

    async def _patience(self, endpoint: Endpoint) -> float:
        """Return the seconds that the next reply may take, after a look for signs of life.

        Where something answers and shows none, a first reply has to come soon.
        """
        now = asyncio.get_running_loop().time
        async with self._probing:
            self.require()
            self._grace_ends = self._grace_ends or now() + self._settings.grace_s
            if not self._shows_life:
                try:
                    self._shows_life = await endpoint.probe()
                except ModelDownError as error:
                    self._down = error
                    raise
        if self._shows_life or self._has_replied:
            return self._settings.reply_s
        return min(self._settings.reply_s, max(0.0, self._grace_ends - now()))

    def _silence(self, patience: float) -> str:
        if patience == self._settings.reply_s:
            return f"model {self._settings.name}: no reply within {patience:g} s"
        return (
            f"model {self._settings.name}: no reply within {self._settings.grace_s:g} s of the"
            " start, and GET /models of its server was answered with an error"
        )
