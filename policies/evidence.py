"""How much evidence a tool takes, as one frozen value: the table `[evidence]` of a profile.

Nothing here needs pydantic at import, for the reason that `profile` gives.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_INPUTS", "Evidence"]

MAX_INPUTS = 10_000
"""Generated inputs at most: each of them is a run of the tool, and of every fault put into it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What has to speak for a tool before the evidence is called enough."""

    mutants_found: float
    """Share, from 0 to 1, of the faults put into a tool that its inputs must find."""
    inputs: int
    """Generated inputs."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a number is out of its range; the message starts with its name.
        """
        if not 0 <= self.mutants_found <= 1:
            msg = f"mutants_found: {self.mutants_found} is no share from 0 to 1"
            raise ValueError(msg)
        if not 1 <= self.inputs <= MAX_INPUTS:
            msg = f"inputs: {self.inputs} is not from 1 to {MAX_INPUTS:,}"
            raise ValueError(msg)
