"""Scored runs and examples of a desk that works on orders, with what a test says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from toolguild.agent.improvement.artefacts import Example
from toolguild.policies import load_profile
from toolguild.policies.improvement import ImprovementRules
from toolguild.registry.improvement import ScoredRun

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AGENT = "desk"


def rules(**changed: Any) -> ImprovementRules:
    """Return the rules of the balanced profile, but for what is changed."""
    return replace(load_profile().improvement, **changed)


def steps(*tools: str) -> tuple[str, ...]:
    return tuple(f'{tool} {{"order": "5512"}} -> "done"' for tool in tools)


def scored(task: str, *tools: str, score: float = 1.0, **changed: Any) -> ScoredRun:
    """Return a run that called these tools."""
    run = ScoredRun(AGENT, f"run {task} {tools}", task, score, NOW, steps=steps(*tools))
    return replace(run, **{"result": "It is done.", "calls": len(tools), **changed})


def example(task: str, *tools: str, score: float = 1.0, is_seed: bool = False) -> Example:
    """Return an example that called these tools."""
    return Example(
        task=task, steps=steps(*tools), result="It is done.", score=score, is_seed=is_seed
    )
