"""The command line's reference as Markdown: `python -m toolguild.cli.reference > docs/cli.md`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from toolguild.cli.lazy import commands_of
from toolguild.cli.main import toolguild

__all__ = ["reference"]

WIDTH = 100


def reference() -> str:
    """Return the help text of every command, as Markdown."""
    parts = ["# Command line", "Made from `--help`; a test keeps it so."]
    for context in _contexts(toolguild, "toolguild", None):
        context.max_content_width = context.terminal_width = WIDTH
        help_text = context.command.get_help(context).rstrip()
        parts.append(f"## {context.command_path}\n\n```text\n{help_text}\n```")
    return "\n\n".join(parts) + "\n"


def _contexts(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[click.Context]:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    yield context
    if isinstance(command, click.Group):
        for inner, subcommand in sorted(commands_of(command).items()):
            yield from _contexts(subcommand, inner, context)


if __name__ == "__main__":
    click.echo(reference(), nl=False)
