"""`toolguild keys`: the keys that bundles and audit heads are signed with."""

from __future__ import annotations

from pathlib import Path

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.settings import as_json
from toolguild.registry.signing import new_key, public_path, read_public_key

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Make and name the keys that bundles and audit heads are signed with."""


@keys.command("new")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
def new(path: Path, as_json: bool) -> int:
    """Make an Ed25519 key: the private key at PATH, the public one at PATH.pub.

    Keep the private key to yourself; give the public one to those who shall take your tools. No
    file is overwritten.
    """
    made = new_key(path)
    if as_json:
        print_json({"id": made.id, "private": str(path), "public": str(public_path(path))})
    else:
        out.print(plain(made.id), soft_wrap=True)
        shared = public_path(path)
        say(f"Private key in {path}, for you alone; public key in {shared}, to be shared.")
    return ExitCode.DONE


@keys.command("show")
@click.argument("path", type=click.Path(path_type=Path))
@as_json
def show(path: Path, as_json: bool) -> int:
    """Print the id of the public key at PATH, to be compared with what its owner says.

    It is the SHA-256 of the key's DER form, as `openssl pkey -pubin -outform DER` writes it.
    """
    read = read_public_key(path)
    if as_json:
        print_json({"id": read.id, "public": str(path)})
    else:
        out.print(plain(read.id), soft_wrap=True)
    return ExitCode.DONE
