"""What turns texts into vectors: a protocol, and an endpoint that speaks OpenAI's.

Embeddings are an addition: without them, or with an endpoint that is down, text alone is searched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Annotated, Protocol, TypeVar

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from toolguild.registry.canonical import storable_text
from toolguild.registry.errors import RegistryError

__all__ = ["Embedder", "EmbeddingError", "OpenAIEmbedder", "Vector"]

Vector = Sequence[float]
_T = TypeVar("_T")

_MOST_BYTES = 50_000_000
_MOST_CHARACTERS = 8000
"""Of one text: some 2,000 tokens, which every usual model takes."""
_MOST_DIMENSIONS = 16_384
_SHORTEST_KEY = 8
"""Characters of a key that is worth hiding; what local servers are given is any word."""
_MOST_TOLD = 300


class EmbeddingError(RegistryError):
    """There are no vectors: the endpoint is down, or what it gave are none."""


class Embedder(Protocol):
    """Gives texts of the same meaning vectors of the same direction."""

    @property
    def model(self) -> str:
        """Names what made the vectors; those of different models are never compared.

        Raises:
            EmbeddingError: there is no such model.
        """
        ...

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each text, all of one length.

        Raises:
            EmbeddingError: there are none.
        """
        ...


class OpenAIEmbedder:
    """A model behind an endpoint that has OpenAI's `/embeddings`."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str = "none",
        seconds: float = 5.0,
        retries: int = 0,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            model: As the endpoint calls it.
            base_url: Where the endpoint is; OpenAI's own unless given.
            api_key: Local servers take anything.
            seconds: How long one call of `embed` may take, all that it tries included.
            retries: Times that a request that failed on its way is tried anew.
        """
        self.model = model
        self._base_url = base_url or "https://api.openai.com/v1"
        self._api_key = api_key
        self._seconds = seconds
        self._retries = retries

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Ask the endpoint; see `Embedder`."""
        asked = [storable_text(text[:_MOST_CHARACTERS]) for text in texts]
        try:
            received = _within(self._seconds, lambda: self._ask(asked))
            reply = _Reply.model_validate_json(received)
        except TimeoutError as error:
            msg = f"{self._where}: no vectors within {self._seconds:g} s"
            raise EmbeddingError(msg) from error
        except ValidationError as error:
            msg = f"{self._where}: what came are no vectors ({error.errors()[0]['msg']})"
            raise EmbeddingError(msg) from error
        vectors = [one.embedding for one in sorted(reply.data, key=lambda one: one.index)]
        if len(vectors) != len(asked) or len({len(vector) for vector in vectors}) > 1:
            msg = f"{self._where}: what came is not one vector for each text, all of one length"
            raise EmbeddingError(msg)
        return [*vectors]

    def _ask(self, texts: list[str]) -> bytes:
        # Loading the client takes longer than searching does.
        import httpx2
        import openai

        try:
            with (
                openai.OpenAI(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    max_retries=self._retries,
                    timeout=self._seconds,
                ) as client,
                # Without a format the client asks for base64, which not all servers have.
                client.embeddings.with_streaming_response.create(
                    model=self.model, input=texts, encoding_format="float"
                ) as response,
            ):
                received = bytearray()
                for part in response.iter_bytes():
                    received += part
                    if len(received) > _MOST_BYTES:
                        msg = f"the reply is longer than {_MOST_BYTES:,} bytes"
                        raise ValueError(msg)
                return bytes(received)
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise EmbeddingError(self._told(error)) from error

    @property
    def _where(self) -> str:
        # An address may hold a password.
        return f"embeddings of {self.model} at {re.sub(r'//[^/]*@', '//', self._base_url)}"

    def _told(self, error: Exception) -> str:
        cause = error.__cause__
        told = str(error) if cause is None else f"{error} ({cause})"
        printable = "".join(one if one.isprintable() else " " for one in told)
        if len(self._api_key) >= _SHORTEST_KEY:
            printable = printable.replace(self._api_key, "[key]")
        return f"{self._where}: {printable[:_MOST_TOLD]}"


class _Embedding(BaseModel):
    index: int
    embedding: Annotated[list[FiniteFloat], Field(min_length=1, max_length=_MOST_DIMENSIONS)]


class _Reply(BaseModel):
    data: list[_Embedding]


def _within(seconds: float, call: Callable[[], _T]) -> _T:
    """Return what a function returns, in a thread that is given up on when the time is over.

    The client's own time-outs are no bound: looking up a name takes as long as the system likes,
    and a server may send a byte now and then.

    Raises:
        TimeoutError: it takes longer.
    """
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    return outcome.result(timeout=seconds)
