"""`toolguild improve run` and `import`: what runs, or another agent, suggest, tried and made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import click

from toolguild.agent.improvement.bootstrapping import receive_agent, take_in
from toolguild.agent.improvement.loop import CycleReport
from toolguild.agent.improvement.proposers import (
    Demonstrations,
    Instructing,
    Lessons,
    Proposals,
    Proposer,
    Tools,
)
from toolguild.agent.improvement.tools import Workshop
from toolguild.agent.improvement.view import View
from toolguild.cli.console import counted, print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.improvement.trials import Trial, report_json, trial_options
from toolguild.cli.settings import as_json
from toolguild.cli.trust import trusted_keys, trusted_keys_option
from toolguild.registry.bundles import read_bundle
from toolguild.registry.improvement import NewChange
from toolguild.synth.models import AsyncModel
from toolguild.synth.validation import ValidationSettings

__all__ = ["import_agent", "run"]


@click.command()
@click.argument("agent")
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
@trial_options
@as_json
def run(trial: Trial, after_failures: int | None, every: float | None, as_json: bool) -> int:
    """Look at AGENT's scored runs since the last time, and change what can be made better.

    Every change is tried on the held-out tasks first, beside the agent as it is, and made only
    where these are done no worse. `toolguild improve log AGENT` shows them, and `undo` takes one
    back with everything that it caused.
    """
    while True:
        failed = _failed(trial)
        if after_failures is not None and failed < after_failures:
            new = counted(failed, "run")
            say(f"{new} failed since the last time; {after_failures} are waited for.")
        else:
            _show(asyncio.run(trial.cycle(lambda model: _proposers(trial, model))), as_json)
        if every is None:
            return ExitCode.DONE
        time.sleep(every * 60)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("agent")
@trusted_keys_option
@click.option("--unsigned", is_flag=True, help="Take a bundle that nobody signed.")
@trial_options
@as_json
def import_agent(
    trial: Trial, file: Path, key_files: tuple[Path, ...], unsigned: bool, as_json: bool
) -> int:
    """Give AGENT what another agent learned, as FILE holds it, where held-out tasks bear it out."""
    received = receive_agent(read_bundle(file), trusted_keys(key_files), unsigned=unsigned)
    arrived = take_in(trial.registry, trial.agent, received, trial.profile)
    for left_out in arrived.left_out:
        say(f"Left out: {left_out}", "yellow")
    _show(asyncio.run(trial.cycle(lambda model: [_Given(arrived.changes)])), as_json)
    return ExitCode.DONE


@dataclass(frozen=True)
class _Given:
    """Proposes what there is already."""

    about: ClassVar[str] = "what arrived"
    changes: Sequence[NewChange]

    async def propose(self, view: View) -> Proposals:
        """Return it."""
        return Proposals(self.changes)


def _proposers(trial: Trial, model: AsyncModel) -> list[Proposer]:
    workshop = Workshop(trial.sandbox, ValidationSettings(profile=trial.profile))
    return [
        Lessons(model),
        Instructing(model),
        Demonstrations(trial.registry, frozenset(trial.own)),
        Tools(trial.registry, workshop, trial.runs / "traces"),
    ]


def _failed(trial: Trial) -> int:
    """Return how many runs have failed since the last cycle."""
    improvements = trial.registry.improvements
    new = improvements.runs(trial.agent, after=improvements.last_looked_at(trial.agent))
    return sum(one.score < improvements.rules.success for one in new)


def _show(report: CycleReport, as_json: bool) -> None:
    for left_out in report.left_out:
        say(f"Left out: {left_out}", "yellow")
    if as_json:
        print_json(report_json(report))
    else:
        new = counted(report.runs, "new scored run")
        say(f"{new} looked at, {counted(len(report.outcomes), 'proposal')} tried.")
