"""All commands of `toolguild tools`."""

from __future__ import annotations

from toolguild.cli import lifecycle
from toolguild.cli.bundles import export_command, import_command
from toolguild.cli.diff import diff
from toolguild.cli.drift import drift
from toolguild.cli.governance import COMMANDS
from toolguild.cli.tools import tools

__all__ = ["tools"]

for command in (export_command, import_command, diff, drift, *COMMANDS, *lifecycle.COMMANDS):
    tools.add_command(command)
