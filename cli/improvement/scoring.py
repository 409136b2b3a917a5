"""Saying how well runs went: `toolguild improve score`."""

from __future__ import annotations

from pathlib import Path

import click

from toolguild.agent.evaluation import Score
from toolguild.agent.improvement.attempts import Attempt, scored_run, versions_called
from toolguild.agent.stages import Ended, RunStarted, read_log
from toolguild.cli.agent import runs_option
from toolguild.cli.console import say
from toolguild.cli.errors import ExitCode
from toolguild.cli.profile import profile_option
from toolguild.cli.registries import open_existing
from toolguild.cli.settings import registry_option
from toolguild.policies import Profile
from toolguild.registry.improvement import Change

__all__ = ["score", "tell_undone"]


@click.command()
@click.argument("run")
@click.argument("score", type=click.FloatRange(0, 1))
@click.option(
    "--why",
    default="",
    metavar="TEXT",
    help="What was missing, in a sentence: lessons are made of it.",
)
@click.option(
    "--agent",
    "name",
    metavar="NAME",
    help="Whose run it is [default: the agent that it was run as].",
)
@runs_option
@registry_option
@profile_option
def score(
    run: str,
    score: float,
    why: str,
    name: str | None,
    runs: Path,
    registry: str,
    profile: Profile,
) -> int:
    """Say how well RUN went, as SCORE from 0 to 1: what agents learn, they learn from this.

    Where runs since the newest changes succeed less often than before, these are undone at once.
    """
    events = read_log(runs / f"{run}.jsonl")
    start = events[0] if events else None
    if not isinstance(start, RunStarted) or not isinstance(events[-1], Ended):
        message = f"{run} has not ended; `toolguild agent run --resume {run}` goes on with it"
        raise click.UsageError(message)
    agent = name or start.agent
    if not agent:
        message = f"{run} was run as no agent; say whose it is with --agent"
        raise click.UsageError(message)
    attempt = Attempt(events, Score(score, why))
    with open_existing(registry, profile) as opened:
        new = scored_run(agent, attempt, versions_called(opened, start.run), opened.now())
        kept, undone = opened.improvements.record(new)
    say(f"Run {run} is scored run {kept.number} of {agent}.")
    tell_undone(undone)
    return ExitCode.DONE


def tell_undone(undone: Change | None) -> None:
    """Say what a scored run has led to."""
    if undone is None:
        return
    numbers = ", ".join(map(str, undone.undoes))
    say(f"Undone because of it: {numbers}. {undone.new.why.capitalize()}.", "yellow")
