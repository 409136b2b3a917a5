"""Instructions: refined a few clauses at a time, and compared with the original ones."""

from toolguild.agent.improvement.instructions.clauses import changed_clauses, clauses_of
from toolguild.agent.improvement.instructions.refining import refine

__all__ = ["changed_clauses", "clauses_of", "refine"]
