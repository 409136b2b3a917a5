"""What a miner is told: thresholds, and names to leave alone."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MiningSettings"]


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """Thresholds of mining. Support is always counted in distinct tasks."""

    sequence_support: int = 3
    """Tasks that must hold a call sequence."""
    definition_support: int = 2
    """Tasks for which agents must have written the same function. A whole named function is
    rarely written twice by accident, so two will do."""
    statements_support: int = 3
    """Tasks that must hold the same window of statements, expression or check."""
    min_confidence: float = 0.75
    """Share of the places with the same calls in which a derivation must hold; one that holds in
    fewer (the first of a list, say) is an accident of what the agent happened to pick."""
    held_out_share: float = 0.25
    """Share of the tasks with a call sequence, rounded down, that its plan is not made from and is
    tried on. Never so many that fewer than `sequence_support` are left; 0 holds none out."""
    max_items: int = 5
    """Steps of a plan, a loop counting as one."""
    max_left_out: int = 1
    """Runs of calls in between that a plan may leave out where they have no bearing on it."""
    max_statements: int = 6
    """Statements of a window."""
    min_work: int = 5
    """Operations, calls, branches and loops that statements or an expression must hold. A check
    needs none: it is worth its tool where it stands often enough."""
    max_parameters: int = 6
    ignored_tools: frozenset[str] = frozenset(
        {"think", "finish", "final_answer", "terminate", "submit", "transfer_to_human_agents"}
    )
    """Tools that are no work to save (thinking, ending the run); compared in lower case."""
    max_opportunities: int = 50
    sampled_tasks: int = 100
    """Tasks mined of those in which a tool was called with the same arguments' names, or failed,
    besides `sampled_tasks_in_all`."""
    sampled_tasks_in_all: int = 1000
    """Tasks mined whatever was called in them, and as many with code. Logs with no more are mined
    whole; of others, what is found is an estimate."""
    sampled_runs: int = 20
    """Runs mined of each such task."""
