"""`toolguild doctor`: what this machine offers, what is in use, and what to do where it is not."""

from __future__ import annotations

import os
import platform

import click

from toolguild.cli.console import out, plain, print_json
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.settings import as_json, registry_option
from toolguild.registry import Registry, RegistryError
from toolguild.registry.database import Database
from toolguild.registry.location import shown
from toolguild.sandbox import Check, Json, SandboxUnavailableError, choose, diagnose
from toolguild.version import __version__

__all__ = ["doctor"]


@click.command()
@registry_option
@as_json
def doctor(registry: str, as_json: bool) -> int:
    """Say what is available: sandboxes, registry, model; and what to do where it is not."""
    checks = [*diagnose(), _registry(registry), _model()]
    in_use, why = _choice()
    if as_json:
        listed: list[Json] = [
            {"name": one.name, "ok": one.ok, "detail": one.detail, "remedy": one.remedy}
            for one in checks
        ]
        print_json(
            {
                "toolguild": __version__,
                "python": platform.python_version(),
                "sandbox": in_use,
                "why": why,
                "checks": listed,
            }
        )
    else:
        out.print(f"toolguild {__version__}, Python {platform.python_version()}")
        table = new_table("", "", "", "", header=False)
        for one in checks:
            mark = plain("ok", "green") if one.ok else plain("no", "yellow")
            table.add_row(mark, one.name, plain(one.detail), plain(one.remedy, "dim"))
        out.print(table)
        out.print(plain(f"Sandbox in use: {in_use or 'none'} ({why})"))
    return ExitCode.DONE if in_use else ExitCode.UNAVAILABLE


def _choice() -> tuple[str | None, str]:
    """Return which sandbox `--sandbox auto` takes, and why."""
    try:
        choice = choose()
    except SandboxUnavailableError as error:
        return None, str(error)
    return choice.kind, choice.why


def _registry(where: str) -> Check:
    try:
        if not Database.exists(where):
            return Check("registry", True, f"none yet; the first tools make {shown(where)}")
        with Registry.open(where) as opened:
            count = len(opened.tools())
            product = opened.database.version
    except RegistryError as error:
        return Check("registry", False, str(error), "name another with --registry")
    return Check("registry", True, f"{product}, {shown(where)}, {count} tools")


def _model() -> Check:
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        return Check("model", True, os.environ.get("TOOLGUILD_MODEL", "no TOOLGUILD_MODEL"))
    remedy = "none is needed; drafts are made without one"
    return Check("model", False, "no OPENAI_API_KEY or OPENAI_BASE_URL", remedy)
