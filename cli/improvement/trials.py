"""The options of whatever tries an agent on tasks, and what is made of them."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from toolguild.agent.improvement.loop import CycleReport, Improver, Outcome, Verdict
from toolguild.agent.improvement.proposers import Proposer
from toolguild.agent.improvement.suites import Suite, load_suite
from toolguild.agent.improvement.trials import Comparison, HeldOut, Worker
from toolguild.agent.own_tools import open_tools
from toolguild.cli.agent import runs_option
from toolguild.cli.console import counted, say
from toolguild.cli.models import endpoint_options
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.sandboxes import SandboxChoice, sandbox_options
from toolguild.cli.settings import registry_option
from toolguild.policies import Profile
from toolguild.registry import ExternalTool, Registry
from toolguild.sandbox import Json, JsonObject, Sandbox
from toolguild.synth.models import AsyncModel, ModelSettings

__all__ = ["Trial", "report_json", "tell", "trial_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = [
    click.option(
        "--tasks",
        required=True,
        metavar="SOURCE",
        help="Tasks with evaluators: a file .toml or .jsonl, or a module with suite().",
    ),
    click.option(
        "--tools",
        multiple=True,
        metavar="SOURCE",
        help="The agent's own tools, as in `toolguild agent run`. Tasks are worked on with them: "
        "give doubles of those that write. May be given several times.",
    ),
    click.option(
        "--repeats",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="How often a task is worked on in a trial.",
    ),
    runs_option,
    endpoint_options,
    registry_option,
    sandbox_options,
    profile_option,
]


@dataclass(frozen=True)
class Trial:
    """What an agent is tried with."""

    agent: str
    tasks: str
    tools: Sequence[str]
    repeats: int
    runs: Path
    settings: ModelSettings
    registry: Registry
    sandbox: Sandbox
    profile: Profile
    own: Mapping[str, ExternalTool]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[AsyncModel, Suite]]:
        """Open the model, with its whole budget, and the tasks."""
        async with AsyncModel(self.settings) as model:
            yield model, await load_suite(self.tasks, lambda: model)

    def worker(self, model: AsyncModel, *, runs: Path | None = None, live: bool = False) -> Worker:
        """Return what works on tasks.

        Args:
            model: Which acts.
            runs: Where runs are kept; nowhere unless given.
            live: Whether it is work, and no trial.
        """
        return Worker(model, self.registry, self.sandbox, self.own, runs=runs, live=live)

    async def cycle(self, proposers: Callable[[AsyncModel], Sequence[Proposer]]) -> CycleReport:
        """Try what some proposers suggest."""
        async with self.open() as (model, suite):
            rules = self.registry.improvements.rules
            held_out = HeldOut(self.worker(model), suite.held_out, rules, repeats=self.repeats)
            improver = Improver(
                self.registry, self.agent, proposers(model), held_out, on_outcome=tell
            )
            return await improver.cycle()


def trial_options(command: F) -> F:
    """Add the options of a trial, as `trial`; the argument `agent` says whose it is."""

    @functools.wraps(command)
    def with_trial(
        *args: Any,
        agent: str,
        tasks: str,
        tools: tuple[str, ...],
        repeats: int,
        runs: Path,
        settings: ModelSettings | None,
        registry: str,
        sandbox: SandboxChoice,
        profile: Profile,
        **kwargs: Any,
    ) -> Any:
        if settings is None:
            message = "tasks are worked on by a model: give --model, or set TOOLGUILD_MODEL"
            raise click.UsageError(message)
        with (
            open_tools(tools) as own,
            open_existing(registry, profile) as opened,
            sandbox.open(profile) as box,
        ):
            trial = Trial(agent, tasks, tools, repeats, runs, settings, opened, box, profile, own)
            return command(*args, trial=trial, **kwargs)

    decorated: Any = with_trial
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


_STYLES = {
    Verdict.MADE: "green",
    Verdict.HELD: "yellow",
    Verdict.REFUSED: "red",
    Verdict.WAITS: "dim",
}


def tell(outcome: Outcome) -> None:
    """Say what became of a proposal, as soon as it is known."""
    number = f"change {outcome.change.number} " if outcome.change else ""
    told = f"{number}{outcome.verdict.value} ({outcome.new.kind.value}): {outcome.why}"
    say(told, _STYLES[outcome.verdict])
    if outcome.comparison is not None:
        say(f"  {_in_words(outcome.comparison)}", "dim")
    if outcome.verdict is Verdict.HELD and outcome.change is not None:
        say(f"  Decide with `toolguild improve decide {outcome.change.number} accept|decline`.")


def _in_words(trial: Comparison) -> str:
    tasks = counted(trial.cases, "held-out task")
    scores = f"mean score {trial.before:.2f} before, {trial.after:.2f} after"
    return f"{tasks}: {scores} (p = {trial.p_different:.2g})"


def report_json(report: CycleReport) -> JsonObject:
    """Return what a cycle did."""
    outcomes: list[Json] = [
        {
            "kind": one.new.kind.value,
            "verdict": one.verdict.value,
            "why": one.why,
            "change": one.change.number if one.change else None,
            "proposed for": one.new.why,
            "trial": one.comparison.evidence() if one.comparison else None,
        }
        for one in report.outcomes
    ]
    return {
        "agent": report.agent,
        "runs": report.runs,
        "outcomes": outcomes,
        "left_out": [*report.left_out],
    }
