"""`toolguild agent`: working on tasks with a registry's tools and one's own."""

from __future__ import annotations

import re
import uuid
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from toolguild.agent.improvement.guidance import Guides, untried_tools
from toolguild.agent.own_tools import open_tools
from toolguild.agent.stages import (
    Guidance,
    Limits,
    RunResult,
    RunState,
    Status,
    open_log,
    read_log,
    resume_task,
    run_task,
    trace_of,
    write_trace,
)
from toolguild.cli.access import access_of, file_options, host_option
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.models import endpoint_options
from toolguild.cli.profile import profile_option
from toolguild.cli.run_view import RunView
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import as_json, registry_option
from toolguild.policies import Profile
from toolguild.registry import Registry, Toolbox
from toolguild.sandbox import JsonObject, Mount, SandboxUnavailableError
from toolguild.synth.models import ModelDownError, ModelSettings

__all__ = ["agent", "runs_option"]

_DEFAULT = Limits()
_RUN = re.compile(r"[A-Za-z0-9_-]{1,100}")


runs_option = click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".toolguild/runs"),
    show_default=True,
    metavar="DIR",
    help="Where each run is kept: as events, to go on from, and as a trace, to synthesize from.",
)


@click.group()
def agent() -> None:
    """Work on tasks with the registry's tools and your own."""


@agent.command()
@click.argument("task", required=False)
@click.option(
    "--tools",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="The agent's own tools: a file tools.py, a module package.tools, the address of an MCP "
    "server, or mcp: and the command that starts one. May be given several times.",
)
@click.option(
    "--instructions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with what the agent is told on every task.",
)
@click.option(
    "--agent",
    "name",
    metavar="NAME",
    help="Tell it what this agent has learned so far; `toolguild improve show NAME` says what.",
)
@runs_option
@click.option("--resume", metavar="RUN", help="Go on with this run, which was interrupted.")
@click.option("--stages", type=click.IntRange(min=1), default=_DEFAULT.stages, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=_DEFAULT.steps, show_default=True)
@click.option(
    "--tokens",
    type=click.IntRange(min=1),
    default=_DEFAULT.tokens,
    show_default=True,
    help="Tokens of the run, after which the agent has to come to an end.",
)
@endpoint_options
@file_options(kept=True)
@host_option
@registry_option
@sandbox_options
@profile_option
@as_json
def run(
    task: str | None,
    sources: tuple[str, ...],
    instructions: Path | None,
    name: str | None,
    runs: Path,
    resume: str | None,
    stages: int,
    steps: int,
    tokens: int,
    settings: ModelSettings | None,
    mount: tuple[Mount, ...],
    workspace: Path | None,
    allow_host: tuple[str, ...],
    registry: str,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
) -> int:
    """Work on TASK in stages, each with a sub-goal, a strategy and a few tools of its own.

    The agent chooses these by itself, and changes them as it goes. What it does is shown as it
    happens; the result goes to stdout. Your own tools are called as they are; those of the registry
    as far as their tier goes.
    """
    if (task is None) is (resume is None):
        message = "give either a task, or --resume and the run to go on with"
        raise click.UsageError(message)
    if settings is None:
        message = "an agent needs a model: give --model, or set TOOLGUILD_MODEL"
        raise click.UsageError(message)
    if name is not None and instructions is not None:
        message = "an agent's instructions are in the registry: leave --instructions out"
        raise click.UsageError(message)
    run_id = resume or uuid.uuid4().hex[:12]
    if not _RUN.fullmatch(run_id):
        message = f"--resume {run_id[:100]}: that is no run; `ls {runs}` shows them"
        raise click.UsageError(message)
    access = access_of(mount, workspace, allow_host)
    with ExitStack() as stack:
        own = stack.enter_context(open_tools(sources))
        opened = stack.enter_context(Registry.open(registry, profile=profile))
        box = stack.enter_context(sandbox.open(profile))
        log = stack.enter_context(open_log(runs / f"{run_id}.jsonl", resume=resume is not None))
        whose = name if resume is None else RunState.of(log.events).start.agent
        toolbox = Toolbox(
            opened,
            box,
            own,
            access=access,
            task=task,
            trace=run_id,
            model=settings.name,
            without=untried_tools(opened, whose) if whose else (),
        )
        view = RunView()
        try:
            if task is None:
                result = resume_task(log.events, settings, toolbox, log=log, on_event=view)
            else:
                result = run_task(
                    task,
                    settings,
                    toolbox,
                    run_id=run_id,
                    log=log,
                    on_event=view,
                    limits=Limits(stages=stages, steps=steps, tokens=tokens),
                    guidance=_guidance(opened, task, name, instructions),
                )
        except (ModelDownError, SandboxUnavailableError) as error:
            say(f"Error: {error}. Go on with `toolguild agent run --resume {run_id}`.", "red")
            return ExitCode.UNAVAILABLE
        except KeyboardInterrupt:
            say(f"Interrupted. Go on with `toolguild agent run --resume {run_id}`.")
            return ExitCode.INTERRUPTED
    traces = runs / "traces"
    traces.mkdir(exist_ok=True)
    trace = traces / f"{run_id}.json"
    write_trace(trace, trace_of(read_log(log.path)))
    say(f"Its trace is {trace}; `toolguild synthesize {traces}` learns from it.")
    if name is not None:
        say(f"Say how well it went with `toolguild improve score {run_id} SCORE`, from 0 to 1.")
    _show(result, as_json=as_json)
    return ExitCode.DONE if result.status is Status.COMPLETE else ExitCode.REFUSED


def _guidance(
    registry: Registry, task: str, name: str | None, instructions: Path | None
) -> Guidance:
    if name is None:
        return Guidance(instructions=instructions.read_text("utf-8") if instructions else "")
    improvements = registry.improvements
    guides = Guides(improvements.standing(name), improvements.rules)
    return replace(guides(task), agent=name)


def _show(result: RunResult, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(result))
    else:
        out.print(plain(result.result, keep_lines=True), soft_wrap=True)


def _as_json(result: RunResult) -> JsonObject:
    return {
        "run": result.run,
        "status": result.status.value,
        "result": result.result,
        "summary": result.summary,
        "stalled": result.stalled,
        "handed_over": result.handed_over,
        "stages": result.stages,
        "steps": result.steps,
        "tokens": result.tokens.model_dump(),
    }
