"""What commands have in common that read trace logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from toolguild.cli.console import say
from toolguild.cli.settings import as_json
from toolguild.synth.traces import Problem, ReadOptions

__all__ = ["log_options", "read_options", "tell_problems"]

_MAX_PROBLEMS_SHOWN = 5
F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = [
    click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.option("--format", "log_format", help="Name of the log format; found out if not given."),
    click.option("--messages-key", help="Where a record holds its messages, as in `run.messages`."),
    click.option("--task-key", help="Where a record holds what its task is known by."),
    click.option("--score-key", help="Where a record holds its score."),
    click.option("--trial-key", help="Where a record holds the number of its trial."),
    as_json,
]


def log_options(command: F) -> F:
    """Add the arguments and options of every command that reads logs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_options(log: dict[str, str | None]) -> ReadOptions:
    """Return how to read logs, by the options that were given."""
    return ReadOptions(
        format=log["log_format"],
        messages_key=log["messages_key"],
        task_key=log["task_key"],
        score_key=log["score_key"],
        trial_key=log["trial_key"],
    )


def tell_problems(problems: Sequence[Problem]) -> None:
    """Tell the person what was skipped in the logs, the first few places."""
    for problem in problems[:_MAX_PROBLEMS_SHOWN]:
        say(f"{problem.place}: skipped: {problem.message}", "yellow")
    if len(problems) > _MAX_PROBLEMS_SHOWN:
        say(f"... and {len(problems) - _MAX_PROBLEMS_SHOWN} more skipped", "yellow")
