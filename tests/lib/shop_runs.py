"""Runs of a scripted agent that looks up a customer, then each of the customer's orders."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from stage_runs import configuration, terminate, text_schema

from toolguild.agent.evaluation import Score
from toolguild.agent.improvement.attempts import Attempt, scored_run
from toolguild.agent.scripted import Calls, Turn, scripted_model
from toolguild.agent.stages import Event, Guidance, StageLoop, trace_of, write_trace
from toolguild.registry import ExternalTool, Registry, Toolbox
from toolguild.registry.improvement import ScoredRun
from toolguild.sandbox import Json

AGENT = "clerk"


def orders_of(task: int) -> list[str]:
    return [f"ord-{task}-{number}" for number in range(1 + task % 3)]


def get_customer(email: str) -> Json:
    return {"orders": [*orders_of(int(email[1:].partition("@")[0]))]}


def get_order(order_id: str) -> Json:
    return {"id": order_id, "state": "sent"}


SHOP = {
    "get_customer": ExternalTool(
        get_customer, "read", "Get a customer and the orders.", text_schema("email")
    ),
    "get_order": ExternalTool(get_order, "read", "Get one order.", text_schema("order_id")),
    "add": ExternalTool(lambda a, b: a + b, "read", "Add two texts.", text_schema("a", "b")),
}


def shop_task(task: int) -> str:
    return f"Where are the orders of u{task}@shop.example?"


def shop_turns(task: int) -> list[Turn]:
    return [
        configuration("get_customer", "get_order"),
        Calls(("get_customer", {"email": f"u{task}@shop.example"})),
        *(Calls(("get_order", {"order_id": order})) for order in orders_of(task)),
        terminate("All of them are sent."),
    ]


def shop_attempt(
    toolbox: Toolbox,
    task: int,
    *,
    run: str | None = None,
    guidance: Guidance | None = None,
    score: float = 1.0,
) -> Attempt:
    """Work on one of the tasks with a scripted model."""
    return asyncio.run(
        shop_attempt_async(toolbox, task, run=run, guidance=guidance or Guidance(), score=score)
    )


async def shop_attempt_async(
    toolbox: Toolbox, task: int, *, run: str | None, guidance: Guidance, score: float = 1.0
) -> Attempt:
    events: list[Event] = []
    async with scripted_model(shop_turns(task)) as model:
        loop = StageLoop(model, toolbox, guidance=guidance, on_event=events.append)
        await loop.run(shop_task(task), run)
    return Attempt(events, Score(score))


def keep(registry: Registry, attempt: Attempt, traces: Path, at: datetime) -> ScoredRun:
    """Record an attempt as a scored run, and leave its trace in a folder."""
    run, _ = registry.improvements.record(scored_run(AGENT, attempt, {}, at))
    traces.mkdir(exist_ok=True)
    write_trace(traces / f"{run.run}.json", trace_of(attempt.events, run.score))
    return run
