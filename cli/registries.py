"""Opening a registry that must be there already."""

from __future__ import annotations

from pathlib import Path

from toolguild.cli.tool_files import InputFileError
from toolguild.registry import Registry

__all__ = ["open_existing"]


def open_existing(where: str) -> Registry:
    """Open a registry; where there is none, none is made.

    An empty one would export nothing, and its trail would prove to be in order.

    Raises:
        InputFileError: there is no such file.
        RegistryError: it cannot be opened.
    """
    if "://" not in where and not Path(where).expanduser().exists():
        message = f"{where}: there is no registry; name it with --registry"
        raise InputFileError(message)
    return Registry.open(where)
