"""`toolguild improve`: letting an agent learn from its runs, behind gates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from toolguild.agent.improvement.comparing import HeldOut
from toolguild.agent.improvement.loop import CycleReport, Improver, Outcome, Verdict
from toolguild.agent.improvement.proposers import proposers_of
from toolguild.agent.improvement.suites import Suite, load_suite
from toolguild.agent.improvement.working import Worker
from toolguild.agent.own_tools import open_tools
from toolguild.cli import improve_beginning, improve_history
from toolguild.cli.agent import runs_option
from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.improve_runs import score
from toolguild.cli.models import endpoint_options
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import as_json, registry_option
from toolguild.policies import Profile
from toolguild.registry import Registry
from toolguild.sandbox import Json, JsonObject
from toolguild.synth.models import AsyncModel, ModelDownError, ModelSettings

__all__ = ["improve"]


@click.group()
def improve() -> None:
    """Let an agent learn from its runs, see what it learned, and take it back."""


@improve.command()
@click.argument("agent")
@click.option(
    "--tasks",
    "suite_source",
    required=True,
    metavar="SOURCE",
    help="Tasks with evaluators that changes are tried on: a .toml or .jsonl file, or a module.",
)
@click.option(
    "--tools",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="The agent's own tools, as in `toolguild agent run`. They are called in trials, too: "
    "give doubles of those that write. May be given several times.",
)
@click.option(
    "--after-failures",
    type=click.IntRange(min=1),
    metavar="N",
    help="Do nothing before so many runs have failed since the last time.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Go on, and look again after so long, until interrupted.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How often each task is worked on in a trial.",
)
@runs_option
@endpoint_options
@registry_option
@sandbox_options
@profile_option
@as_json
def run(
    agent: str,
    suite_source: str,
    sources: tuple[str, ...],
    after_failures: int | None,
    every: float | None,
    repeats: int,
    runs: Path,
    settings: ModelSettings | None,
    registry: str,
    sandbox: SandboxChoice,
    profile: Profile,
    as_json: bool,
) -> int:
    """Look at AGENT's scored runs since the last time, and change what can be made better.

    Every change is tried on held-out tasks first, against the agent as it is, and made only where
    these are done no worse. It exits with 0 where something was changed or nothing had to be.
    """
    if settings is None:
        message = "trials need a model: give --model, or set TOOLGUILD_MODEL"
        raise click.UsageError(message)
    with open_tools(sources) as own, open_existing(registry, profile) as opened:
        job = _Job(agent, suite_source, own, opened, runs, settings, repeats)
        with sandbox.open(profile) as box:
            while True:
                failed = _failed(opened, agent)
                if after_failures is not None and failed < after_failures:
                    say(f"{failed} of {after_failures} failed runs since the last time.")
                else:
                    report = asyncio.run(job.cycle(box))
                    _show(report, as_json=as_json)
                if every is None:
                    return ExitCode.DONE
                time.sleep(every * 60)


def _failed(registry: Registry, agent: str) -> int:
    """Return how many runs of an agent have failed since the last cycle."""
    improvements = registry.improvements
    since = improvements.runs(agent, after=improvements.last_looked_at(agent))
    return sum(one.score < improvements.rules.success for one in since)


@dataclass(frozen=True)
class _Job:
    """What every cycle is done with."""

    agent: str
    suite: str
    tools: Mapping[str, ExternalTool]
    registry: Registry
    runs: Path
    settings: ModelSettings
    repeats: int

    async def cycle(self, sandbox: Sandbox) -> CycleReport:
        """Do one cycle, with a fresh budget for the model."""
        rules = self.registry.improvements.rules
        async with AsyncModel(self.settings) as model:
            suite = await load_suite(self.suite, model)
            worker = Worker(model, self.registry, sandbox, self.tools)
            held_out = HeldOut(worker, suite.held_out, rules, repeats=self.repeats)
            proposers = usual_proposers(
                model, self.registry, sandbox, self.runs / "traces", tools=frozenset(self.tools)
            )
            improver = Improver(
                self.registry, self.agent, proposers, held_out, on_outcome=_tell
            )
            return await improver.cycle()


_STYLES = {
    Verdict.MADE: "green",
    Verdict.HELD: "yellow",
    Verdict.REFUSED: "red",
    Verdict.WAITS: "dim",
}


def _tell(outcome: Outcome) -> None:
    """Say what became of a proposal, as soon as it is known."""
    number = f" (change {outcome.change.number})" if outcome.change else ""
    told = f"{outcome.verdict.value}{number}: {outcome.new.kind.value}: {outcome.why}"
    say(told, _STYLES[outcome.verdict])
