"""The command line's reference as Markdown: `python -m toolguild.cli.reference > docs/cli.md`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from toolguild.cli.main import toolguild

__all__ = ["reference"]

WIDTH = 100


def reference() -> str:
    """Return the help text of every command, as Markdown."""
    parts = ["# Command line", "Made from `--help`; a test keeps it so."]
    for context in _contexts(click.Context(toolguild, info_name="toolguild")):
        context.max_content_width = context.terminal_width = WIDTH
        help_text = context.command.get_help(context).rstrip()
        parts.append(f"## {context.command_path}\n\n```text\n{help_text}\n```")
    return "\n\n".join(parts) + "\n"


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            yield from _contexts(click.Context(command, parent=context, info_name=name))


if __name__ == "__main__":
    click.echo(reference(), nl=False)
