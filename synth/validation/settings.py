"""How hard validation tries."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolguild.policies import Profile, load_profile
from toolguild.sandbox import JsonObject, Limits

__all__ = ["ValidationSettings"]


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """How hard validation tries."""

    inputs: int | None = None
    """Generated inputs; None for as many as the profile asks for."""
    crowd: int = 2000
    """Further inputs, at most, that tool and original are run on with many in one process."""
    repeats: int = 20
    """Inputs run a second time to see that the result is the same."""
    limits: Limits = Limits(wall_s=2.0)
    """What one run may use."""
    profile: Profile = field(default_factory=load_profile)
    """What tools may contain."""
    mutants: int = 24
    """Faults put into a tool that passed, at most, to see whether its inputs would find them."""
    seed: int | None = None
    """Decides which inputs and mutants there are; follows from the tool unless given."""

    @property
    def input_count(self) -> int:
        """How many inputs are generated."""
        return self.profile.evidence.inputs if self.inputs is None else self.inputs

    def to_json(self) -> JsonObject:
        """Return what a validation must be told again to come out the same, but its seed."""
        limits = self.limits
        return {
            "inputs": self.input_count,
            "crowd": self.crowd,
            "repeats": self.repeats,
            "mutants": self.mutants,
            "limits": {
                "wall_s": limits.wall_s,
                "memory_mb": limits.memory_mb,
                "output_bytes": limits.output_bytes,
                "processes": limits.processes,
                "workspace_mb": limits.workspace_mb,
            },
        }
