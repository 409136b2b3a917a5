"""Estimating a model's tokens without its tokeniser."""

from __future__ import annotations

__all__ = ["CHARACTERS_A_TOKEN", "tokens_in"]

CHARACTERS_A_TOKEN = 4
"""Roughly, of English and JSON in the tokenisers of today's models; OpenAI's help page "What are
tokens and how to count them?" gives the same rule of thumb."""


def tokens_in(characters: float) -> float:
    """Return about how many tokens a text of so many characters has."""
    return characters / CHARACTERS_A_TOKEN
