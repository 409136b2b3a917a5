"""Opening a registry without making one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from toolguild.cli.tool_files import InputFileError
from toolguild.policies import Profile
from toolguild.registry import Registry
from toolguild.registry.database import Database

__all__ = ["open_existing", "open_to_look"]


def open_existing(where: str, profile: Profile | None = None) -> Registry:
    """Open a registry; where there is none, none is made.

    An empty one would export nothing, and its trail would prove to be in order.

    Args:
        where: Path or URL.
        profile: What trust takes; the shipped one unless given.

    Raises:
        InputFileError: there is none.
        RegistryError: it cannot be opened.
    """
    if not Database.exists(where):
        message = f"{where}: there is no registry; name it with --registry"
        raise InputFileError(message)
    return Registry.open(where, profile=profile)


@contextmanager
def open_to_look(where: str, profile: Profile | None = None) -> Iterator[Registry]:
    """Open a registry, or an empty one where there is none, without making it.

    Args:
        where: Path or URL.
        profile: What trust takes; the shipped one unless given.

    Raises:
        RegistryError: it cannot be opened.
    """
    with TemporaryDirectory() as folder:
        path = where if Database.exists(where) else str(Path(folder) / "registry.db")
        with Registry.open(path, profile=profile) as registry:
            yield registry
