"""What a tool for an opportunity is expected to be worth where it was not mined."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Utility"]


@dataclass(frozen=True, slots=True)
class Utility:
    """What a tool should save and cost in one run on an unseen task, on average over such runs.

    Estimated by `synth.utility`, which gives the formulas.
    """

    share: float
    """How much of what was saved in a mined run should be saved in another, from 0 to 1."""
    calls: float
    """Calls that the agent makes less."""
    characters: float
    """Characters that it writes less."""
    written_tokens: float
    """The same in tokens."""
    resent_tokens: float
    """Tokens of the prompts of model requests that the calls saved would have taken."""
    prompt_tokens: float
    """Tokens that the tool's name, description and schema add to the prompts of the run."""

    @property
    def net_tokens(self) -> float:
        """Tokens that the tool saves, less those that it costs."""
        return self.written_tokens + self.resent_tokens - self.prompt_tokens

    @property
    def is_worth_its_prompt(self) -> bool:
        """Whether it is expected to save as many tokens as it costs."""
        return self.net_tokens >= 0
