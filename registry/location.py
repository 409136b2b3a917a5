"""Where a registry is: a file, or a database server's URL. What is shown of it has no password."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from toolguild.registry.errors import RegistryError

__all__ = ["POSTGRESQL_URL", "SQLITE_URL", "parse_location", "shown"]

SQLITE_URL = "sqlite:///path/to/tools.db"
POSTGRESQL_URL = "postgresql://user@host/database"

_URL = re.compile(r"[a-z][a-z0-9+]*://|(sqlite|postgres|postgresql)(\+[a-z0-9]+)?:", re.IGNORECASE)
_POSTGRESQL = "postgresql"
_SYNONYM = re.compile(r"\Apostgres(?=[:+])", re.IGNORECASE)
"""libpq's other name for the same thing."""


def parse_location(where: str | Path) -> Path | URL:
    """Return the path of a SQLite file, or the URL of a PostgreSQL database.

    Args:
        where: A path, `sqlite:///tools.db` or `postgresql://user@host/database`.

    Raises:
        RegistryError: a registry cannot be there.
    """
    if isinstance(where, Path) or not _URL.match(where):
        return _file(str(where))
    url = _url(where)
    if url.get_backend_name() == _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    name = shown(url)
    if url.get_backend_name() != "sqlite":
        msg = f"{name}: neither SQLite nor PostgreSQL; write {SQLITE_URL} or {POSTGRESQL_URL}"
        raise RegistryError(msg)
    if url.query or url.database in (None, "", ":memory:"):
        msg = f"{name}: a registry needs a plain file; write {SQLITE_URL}"
        raise RegistryError(msg)
    return Path(str(url.database))


def shown(where: str | Path | URL) -> str:
    """Return how a place is named in messages: passwords are left out."""
    if isinstance(where, Path) or (isinstance(where, str) and not _URL.match(where)):
        return str(where)
    try:
        url = where if isinstance(where, URL) else _url(where)
    except RegistryError:
        return "a URL that cannot be read"
    secret = [key for key in url.query if "password" in key.lower()]
    plain = url.difference_update_query(secret).set(drivername=url.get_backend_name())
    return plain.render_as_string(hide_password=True)


def _file(path: str) -> Path:
    if path in ("", ":memory:"):
        msg = "a registry needs a file; give the path of one"
        raise RegistryError(msg)
    return Path(path).expanduser()


def _url(text: str) -> URL:
    try:
        return make_url(_SYNONYM.sub(_POSTGRESQL, text, count=1))
    except (ArgumentError, ValueError):
        # Without the cause: it may quote the part of the text that holds the password.
        msg = f"not a database URL; write a path, {SQLITE_URL} or {POSTGRESQL_URL}"
        raise RegistryError(msg) from None
