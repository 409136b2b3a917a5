"""How far a run may go before it has to end."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Limits"]


class Limits(BaseModel):
    """Bounds of one run. A step is one reply of the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: int = Field(default=8, ge=1)
    steps: int = Field(default=60, ge=1)
    """Of the whole run."""
    stage_steps: int = Field(default=12, ge=1)
    stage_failures: int = Field(default=2, ge=1)
    """Calls of tools that may fail before the stage has to give way to another."""
    tokens: int = Field(default=400_000, ge=1)
    """That the model may read and write in the whole run."""
    context_tokens: int = Field(default=16_000, ge=500)
    """Of one request, by estimate."""
    offered: int = Field(default=8, ge=2)
    """Tools that a stage may be offered."""
    short_list: int = Field(default=24, ge=2)
    """Tools that the model is shown when it chooses those of a stage."""
    call_s: float = Field(default=60.0, gt=0)
    """Seconds that a call of one of the caller's own tools may take."""
