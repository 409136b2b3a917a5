"""`--mount`, `--workspace` and `--allow-host`: what of your files and of the network tools get."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from toolguild.cli.errors import SettingsError
from toolguild.cli.settings import SETTINGS_FILE
from toolguild.sandbox import Access, Mount
from toolguild.sandbox.network.hosts import parse_hosts

__all__ = ["access_of", "file_options", "host_option"]

EVERY_HOST = "*"
F = TypeVar("F", bound=Callable[..., Any])


class _Given(click.ParamType):  # type: ignore[type-arg] # generic in newer versions only
    """Something of the user's, named on the command line or in the settings file."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return what a text names; what was converted before is returned as it is."""
        from_file = param is not None and _is_from_file(param, ctx)
        try:
            if isinstance(value, str):
                return self.read(value, SETTINGS_FILE.parent if from_file else Path())
            if from_file:
                message = f"{value!r} is not a text"
                raise ValueError(message)
        except ValueError as error:
            if param is not None and from_file:
                message = f"{SETTINGS_FILE}: {param.name}: {error}"
                raise SettingsError(message) from error
            self.fail(str(error), param, ctx)
        return value

    def read(self, text: str, beside: Path) -> object:
        """Return what a text names; relative paths start at `beside`.

        Raises:
            ValueError: it names nothing.
        """
        raise NotImplementedError


def _is_from_file(param: click.Parameter, ctx: click.Context | None) -> bool:
    if ctx is None or param.name is None:
        return False
    return ctx.get_parameter_source(param.name) is ParameterSource.DEFAULT_MAP


class _Directory(_Given):
    name = "directory"

    def read(self, text: str, beside: Path) -> Path:
        path = beside / text
        if not path.is_dir():
            message = f"{path} is no directory"
            raise ValueError(message)
        return path


class _Mount(_Given):
    name = "mount"

    def read(self, text: str, beside: Path) -> Mount:
        source, colon, target = text.rpartition(":")
        if not colon or not target.startswith("/"):
            source, target = text, ""
        path = beside / source
        try:
            # At its own path, so that whoever names a file in it names the same one as ever.
            return Mount(path, target or os.path.normpath(path.absolute()))
        except ValueError as error:
            message = f"{error}; write SOURCE, or SOURCE:/TARGET"
            raise ValueError(message) from error


class _Host(_Given):
    name = "host"

    def read(self, text: str, beside: Path) -> str:
        if text != EVERY_HOST:
            parse_hosts(frozenset({text}))
        return text


def file_options(*, kept: bool) -> Callable[[F], F]:
    """Give a command `--mount` and `--workspace`.

    Args:
        kept: Whether what tools change in the workspace can be carried out there.
    """
    fate = (
        "; what they change is carried out in it if their tier allows that"
        if kept
        else ", which is then thrown away"
    )
    mount = click.option(
        "--mount",
        type=_Mount(),
        multiple=True,
        metavar="SOURCE[:TARGET]",
        help="Directory for tools that read: they find it at its own path, or at TARGET. May be "
        "given several times.",
    )
    workspace = click.option(
        "--workspace",
        type=_Directory(),
        metavar="DIR",
        help=f"Directory for tools that write: they work on a copy of it{fate}.",
    )
    return lambda command: mount(workspace(command))


host_option = click.option(
    "--allow-host",
    type=_Host(),
    multiple=True,
    metavar="HOST",
    help="Host for tools of the tier full to connect to: example.org, example.org:8443, "
    "*.example.org, or * for every public one. May be given several times.",
)


def access_of(
    mounts: Sequence[Mount] = (), workspace: Path | None = None, hosts: Sequence[str] = ()
) -> Access:
    """Return what the options give.

    Raises:
        UsageError: one mount would lie in another.
    """
    allowed = None if EVERY_HOST in hosts else frozenset(hosts)
    try:
        return Access(tuple(mounts), workspace, allowed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
