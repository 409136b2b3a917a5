"""An agent on a script, with a few tools of its own and a registry beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from stage_runs import OWN, Played

from toolguild.agent.scripted import Script, ScriptedEndpoint, Turn
from toolguild.agent.stages import Event, Limits, RunResult, StageLoop
from toolguild.registry import Registry, Toolbox
from toolguild.sandbox import Sandbox, open_sandbox
from toolguild.synth.models import AsyncModel, ModelSettings

Play = Callable[..., Played]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox("local", size=1) as sandbox:
        yield sandbox


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "tools.db", actor="a test") as registry:
        yield registry


@pytest.fixture
def toolbox(registry: Registry, sandbox: Sandbox) -> Toolbox:
    return Toolbox(registry, sandbox, OWN)


@pytest.fixture
def play(toolbox: Toolbox) -> Play:
    """Run a task on a script to its end."""

    def play(
        *turns: Turn,
        script: Script | None = None,
        tools: Toolbox = toolbox,
        task: str = "Find out where Ada lives.",
        settings: Mapping[str, Any] = {},
        **limits: Any,
    ) -> Played:
        endpoint, events = ScriptedEndpoint(script or turns), list[Event]()

        async def run() -> RunResult:
            async with AsyncModel(
                ModelSettings(name="scripted", **settings), endpoint=endpoint
            ) as model:
                loop = StageLoop(model, tools, limits=Limits(**limits), on_event=events.append)
                return await loop.run(task)

        return Played(endpoint, events, asyncio.run(run()))

    return play
