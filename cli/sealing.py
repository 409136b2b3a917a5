"""The options of whatever writes a bundle: where to, and signed by whom."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from toolguild.registry.bundles import check_target, seal, write_bundle
from toolguild.registry.signing import PrivateKey, read_private_key

__all__ = ["Target", "target_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = [
    click.option(
        "-o",
        "--output",
        required=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Where to write the bundle.",
    ),
    click.option("--force", is_flag=True, help="Replace FILE where it exists."),
    click.option(
        "--key",
        "private_key",
        type=click.Path(path_type=Path),
        metavar="PRIVATE",
        help="Sign with this key; `toolguild keys new` makes one.",
    ),
    click.option(
        "--unsigned", is_flag=True, help="Sign with no key; importers have to ask for it."
    ),
]


@dataclass(frozen=True, slots=True)
class Target:
    """A file that can be written, and the key to sign with."""

    path: Path
    force: bool
    key: PrivateKey | None
    """None where nobody signs."""

    def write(self, payload: bytes) -> None:
        """Write a bundle.

        Raises:
            BundleError: it cannot be written.
        """
        write_bundle(self.path, seal(payload, self.key), force=self.force)


def target_options(command: F) -> F:
    """Add the options of a bundle to be written, as `target`: somebody signs, or is said not to."""

    @functools.wraps(command)
    def with_target(
        *args: Any,
        output: Path,
        force: bool,
        private_key: Path | None,
        unsigned: bool,
        **kwargs: Any,
    ) -> Any:
        if (private_key is None) != unsigned:
            message = "Give --key PRIVATE to sign with, or --unsigned."
            raise click.UsageError(message)
        check_target(output, force=force)
        key = read_private_key(private_key) if private_key else None
        return command(*args, target=Target(output, force, key), **kwargs)

    decorated: Any = with_target
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)
