"""What requests take, in tokens and dollars, and how much a run may take in all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from toolguild.synth.models.errors import OverBudgetError
from toolguild.synth.models.settings import ModelSettings

__all__ = ["Budget", "Usage", "price_of"]

_CHARACTERS_PER_TOKEN = 3
"""Fewer than English has, so that a request is rarely taken for shorter than it is."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What some requests took."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0
    """Dollars; None where the price of the model is not known."""

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        known = self.usd is not None and other.usd is not None
        return Usage(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            (self.usd or 0.0) + (other.usd or 0.0) if known else None,
        )


def price_of(settings: ModelSettings, input_tokens: int, output_tokens: int) -> float | None:
    """Return what tokens cost in dollars, by the list prices that `genai-prices` ships.

    None where that package is not installed, or does not know the model.
    """
    try:
        from genai_prices import Usage as Tokens
        from genai_prices import calc_price
    except ImportError:
        return None
    tokens = Tokens(input_tokens=input_tokens, output_tokens=output_tokens)
    try:
        if settings.base_url:
            price = calc_price(tokens, settings.name, provider_api_url=settings.base_url)
        else:
            price = calc_price(tokens, settings.name, provider_id="openai")
    except LookupError:
        return None
    return float(price.total_price)


class Budget:
    """What a run has taken so far, and may still take. Any thread may ask."""

    def __init__(self, settings: ModelSettings) -> None:
        """Start with nothing taken."""
        self._settings = settings
        self._lock = Lock()
        self._reserved = Usage()
        self._spent = Usage()

    @property
    def spent(self) -> Usage:
        """What was taken."""
        with self._lock:
            return self._spent

    @contextmanager
    def reserve(self, characters: int) -> Iterator[list[Usage]]:
        """Keep free what a request may take at most, until what it took is told.

        Args:
            characters: What is sent.

        Yields:
            A list for what was taken. Where nothing is put there, because no reply came that tells
            it, the whole of it counts: the endpoint may have done the work.

        Raises:
            OverBudgetError: there may be less left than that.
        """
        most = self._most(characters)
        with self._lock:
            self._require(self._spent + self._reserved + most)
            self._reserved += most
        told: list[Usage] = []
        try:
            yield told
        finally:
            with self._lock:
                self._reserved = _less(self._reserved, most)
                for usage in told or [most]:
                    self._spent += usage

    def _most(self, characters: int) -> Usage:
        input_tokens = -(-characters // _CHARACTERS_PER_TOKEN)
        output_tokens = self._settings.most_output_tokens
        usd = price_of(self._settings, input_tokens, output_tokens)
        return Usage(1, input_tokens, output_tokens, usd)

    def _require(self, total: Usage) -> None:
        most_tokens, most_usd = self._settings.most_tokens, self._settings.most_usd
        if most_tokens is not None and total.tokens > most_tokens:
            message = (
                f"the model may take {most_tokens:,} tokens in this run, and the next request might"
                f" bring it to {total.tokens:,}; raise --model-tokens"
            )
            raise OverBudgetError(message)
        if most_usd is None:
            return
        if total.usd is None:
            message = (
                f"the price of {self._settings.name} is not known, so a run cannot be kept to"
                f" {most_usd} dollars; install genai-prices, or bound tokens with --model-tokens"
            )
            raise OverBudgetError(message)
        if total.usd > most_usd:
            message = (
                f"the model may cost {most_usd} dollars in this run, and the next request might"
                f" bring it to {total.usd:.4f}; raise --model-cost"
            )
            raise OverBudgetError(message)


def _less(whole: Usage, part: Usage) -> Usage:
    known = whole.usd is not None and part.usd is not None
    return Usage(
        whole.requests - part.requests,
        whole.input_tokens - part.input_tokens,
        whole.output_tokens - part.output_tokens,
        max(0.0, (whole.usd or 0.0) - (part.usd or 0.0)) if known else whole.usd,
    )
