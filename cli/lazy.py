"""A group whose commands are imported when they are asked for: importing them all takes seconds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

__all__ = ["LazyGroup", "commands_of"]


class LazyGroup(click.Group):
    """Knows of each command where it is."""

    def __init__(self, *args: Any, lazy: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        """Make a group.

        Args:
            *args: As `click.Group` takes them.
            lazy: Where each command is, as `module:name`, by the name that it is called by.
            **kwargs: Likewise.
        """
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context | None) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of that name."""
        where = self._lazy.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Return all commands of a group by name, imported."""
    if not isinstance(group, LazyGroup):
        return dict(group.commands)
    names = group.list_commands(None)
    found = {name: group.get_command(None, name) for name in names}
    return {name: command for name, command in found.items() if command is not None}
