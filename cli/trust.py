"""Whose signatures count: `--key`, or `[trust]` in the settings file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import click

from toolguild.cli.errors import SettingsError
from toolguild.cli.settings import SETTINGS_FILE
from toolguild.registry.signing import PublicKey, read_public_key

__all__ = ["trusted_keys", "trusted_keys_option"]

trusted_keys_option = click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PUBLIC",
    help="Public key of somebody whose signature counts. May be given several times. [default: keys"
    f" in [trust] of {SETTINGS_FILE}]",
)
"""Gives a command the parameter `key_files`, for `trusted_keys`."""


def trusted_keys(key_files: Sequence[Path], settings: Path = SETTINGS_FILE) -> list[PublicKey]:
    """Return the keys in these files; where none are given, those that the settings file names.

    Raises:
        SettingsError: the settings file does not name them as it should.
        KeyFileError: a key cannot be read.
        SigningUnavailableError: there are some, and the extra `sign` is not installed.
    """
    return [read_public_key(path) for path in key_files or _named_in(settings)]


def _named_in(settings: Path) -> list[Path]:
    if not settings.is_file():
        return []
    try:
        trust = tomllib.loads(settings.read_text("utf-8")).get("trust", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{settings}: {error}; mend the file or move it away"
        raise SettingsError(message) from error
    keys = trust.get("keys") if isinstance(trust, dict) and trust.keys() <= {"keys"} else None
    if trust and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
        message = f'{settings}: [trust] holds nothing but keys = ["alice.pub"]'
        raise SettingsError(message)
    return [settings.parent / Path(key).expanduser() for key in keys or ()]
