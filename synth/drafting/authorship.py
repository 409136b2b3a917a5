"""What a draft took to write, or to put in words, where a model did that."""

from __future__ import annotations

from dataclasses import dataclass

from toolguild.sandbox import JsonObject

__all__ = ["Authorship"]


@dataclass(frozen=True, slots=True)
class Authorship:
    """Which model wrote a draft or its words, told what, and at what price."""

    model: str
    prompts: tuple[str, ...]
    """Digests of what it was told, one for each round."""
    request_ids: tuple[str, ...]
    """By which its server knows the requests."""
    input_tokens: int
    output_tokens: int
    usd: float | None
    """Dollars; None where the price is not known."""

    @property
    def rounds(self) -> int:
        """How often it was asked, counting what did not hold."""
        return len(self.prompts)

    def after(self, earlier: Authorship | None) -> Authorship:
        """Return what this and the rounds before it took together."""
        if earlier is None:
            return self
        known = self.usd is not None and earlier.usd is not None
        return Authorship(
            self.model,
            (*earlier.prompts, *self.prompts),
            (*earlier.request_ids, *self.request_ids),
            earlier.input_tokens + self.input_tokens,
            earlier.output_tokens + self.output_tokens,
            (earlier.usd or 0.0) + (self.usd or 0.0) if known else None,
        )

    def to_json(self) -> JsonObject:
        """Return it as plain data, for a tool's provenance."""
        return {
            "model": self.model,
            "prompts": [*dict.fromkeys(self.prompts)],
            "request_ids": [*self.request_ids],
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": self.usd,
            "rounds": self.rounds,
        }
