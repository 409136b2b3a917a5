"""`toolguild improve seed`, `warm-up` and `export`: how an agent begins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from toolguild.agent.improvement.attempts import Attempt, TaskCase, scored_run, versions_called
from toolguild.agent.improvement.bootstrapping import (
    Practice,
    Practised,
    agent_payload,
    export_agent,
    first_instructions,
    run_id,
    seed_demonstrations,
    warm_up,
)
from toolguild.agent.improvement.guidance import Guides, untried_tools
from toolguild.agent.stages import Guidance
from toolguild.cli.console import counted, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.improvement.scoring import tell_undone
from toolguild.cli.improvement.trials import Trial, trial_options
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.sealing import Target, target_options
from toolguild.cli.settings import registry_option
from toolguild.policies import Profile
from toolguild.registry import Registry
from toolguild.registry.improvement import NewChange

__all__ = ["export", "seed", "warm_up_command"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("agent")
@click.option("--instructions", type=_FILE, help="Text that the agent is told on every task.")
@click.option(
    "--examples",
    type=_FILE,
    help="Demonstrations, each with task, steps and result: a file .toml or .jsonl.",
)
@registry_option
@profile_option
def seed(
    agent: str, instructions: Path | None, examples: Path | None, registry: str, profile: Profile
) -> int:
    """Give AGENT its first instructions, and demonstrations by a person.

    They are in effect at once: a person answers for them.
    """
    if instructions is None and examples is None:
        message = "give --instructions, --examples, or both"
        raise click.UsageError(message)
    with Registry.open(registry, profile=profile) as opened:
        improvements = opened.improvements
        standing = improvements.standing(agent)
        changes: list[NewChange | None] = []
        if instructions is not None:
            changes.append(first_instructions(instructions, agent, standing))
        if examples is not None:
            changes.append(seed_demonstrations(examples, agent, standing, improvements.rules))
        for new in changes:
            if new is None:
                say(f"{agent} has all of these demonstrations already.")
                continue
            made = improvements.apply(new)
            say(f"Change {made.number}: {new.why}.")
    return ExitCode.DONE


@click.command("warm-up")
@click.argument("agent")
@click.option(
    "--name",
    default="first",
    show_default=True,
    help="What to call this warm-up: what it has scored already is not worked on again.",
)
@trial_options
def warm_up_command(trial: Trial, name: str) -> int:
    """Let AGENT practise on the tasks that are not held out, and score each run."""
    practice = asyncio.run(_practise(trial, name))
    say(f"{counted(practice.worked, 'task')} worked on, {practice.known} scored before.")
    return ExitCode.DONE


async def _practise(trial: Trial, name: str) -> Practice:
    improvements = trial.registry.improvements
    withheld = untried_tools(trial.registry, trial.agent)
    guides = Guides(improvements.standing(trial.agent), improvements.rules, withheld=withheld)
    async with trial.open() as (model, suite):
        worker = trial.worker(model, runs=trial.runs, live=True)

        async def work(case: TaskCase, guidance: Guidance) -> Attempt:
            return await worker(case, guidance, run_id(name, case.id))

        def record(attempt: Attempt) -> None:
            called = versions_called(trial.registry, attempt.run)
            new = scored_run(trial.agent, attempt, called, trial.registry.now())
            tell_undone(improvements.record(new)[1])

        return await warm_up(
            name,
            work,
            suite.practice,
            guides,
            record,
            scored=[run.run for run in improvements.runs(trial.agent)],
            on_progress=_tell,
        )


def _tell(practised: Practised) -> None:
    attempt = practised.attempt
    went = "scored before" if attempt is None else f"{attempt.score.value:.2f}"
    why = f" ({attempt.score.why})" if attempt is not None and attempt.score.why else ""
    say(f"{practised.number} of {practised.tasks}: {practised.case.id}: {went}{why}")


@click.command()
@click.argument("agent")
@target_options
@registry_option
def export(agent: str, target: Target, registry: str) -> int:
    """Write what AGENT has learned to a file, for another agent to begin with."""
    with open_existing(registry) as opened:
        exported = export_agent(opened, agent)
    target.write(agent_payload(exported.bundle))
    for left_out in exported.left_out:
        say(f"Left out: {left_out}", "yellow")
    say(f"{target.path}: {len(exported.bundle.told)} things that {agent} is told.")
    return ExitCode.DONE
