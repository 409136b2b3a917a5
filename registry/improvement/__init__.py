"""What agents are told beside their tasks, as versions: lessons, examples and instructions.

Changes of them, and of the tools that came into use by the same way, are in the registry's own
audit trail. `Registry.improvements` is the way to them.
"""

from toolguild.registry.improvement.improvements import Improvements
from toolguild.registry.improvement.model import (
    Artefact,
    ArtefactKind,
    Change,
    ChangeKind,
    NewChange,
    ScoredRun,
    Standing,
)
from toolguild.registry.improvement.ownership import made_for

__all__ = [
    "Artefact",
    "ArtefactKind",
    "Change",
    "ChangeKind",
    "Improvements",
    "NewChange",
    "ScoredRun",
    "Standing",
    "made_for",
]
