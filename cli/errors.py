"""What the command line adds to the errors of the packages: exit codes and usage."""

from __future__ import annotations

from enum import IntEnum

from toolguild.policies import ToolguildError

__all__ = ["ExitCode", "SettingsError"]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    """Refused, or nothing passed."""
    USAGE = 2
    """Wrong usage or input."""
    UNAVAILABLE = 3
    """Something that is needed cannot be had here: a sandbox, the registry's file."""
    INTERRUPTED = 130
    """By Ctrl-C; the shell's own code for it."""


class SettingsError(ToolguildError, ValueError):
    """`toolguild.toml` cannot be used; the message names the file and the key."""
