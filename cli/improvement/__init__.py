"""`toolguild improve`: letting an agent learn from its runs, behind gates, and undoing it."""

from __future__ import annotations

import click

from toolguild.cli.improvement.beginning import export, seed, warm_up_command
from toolguild.cli.improvement.cycle import import_agent, run
from toolguild.cli.improvement.history import COMMANDS
from toolguild.cli.improvement.scoring import score

__all__ = ["improve"]


@click.group()
def improve() -> None:
    """Let an agent learn from its runs, see what it learned, and take it back."""


for command in (seed, warm_up_command, score, run, *COMMANDS, export, import_agent):
    improve.add_command(command)
