"""`toolguild call`: one call of a registered tool, through gate, sandbox and record."""

from __future__ import annotations

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.errors import ExitCode
from toolguild.cli.settings import as_json, registry_option, sandbox_option
from toolguild.registry import CallStatus, Registry, Toolbox
from toolguild.sandbox import SandboxKind, open_sandbox

__all__ = ["call"]


@click.command()
@click.argument("name")
@click.option("--args", "arguments", default="{}", metavar="JSON", help="Arguments, as an object.")
@registry_option
@sandbox_option
@as_json
def call(name: str, arguments: str, registry: str, sandbox: SandboxKind, as_json: bool) -> int:
    """Call the tool NAME and print its result.

    The tools that a composite calls are the caller's own; here there are none, so that only
    tools that stand for themselves can be called from the command line.
    """
    with Registry.open(registry) as opened, open_sandbox(sandbox) as box:
        opened.tool(name)
        result = Toolbox(opened, box).call_json(name, arguments)
    if as_json:
        print_json(
            {
                "status": str(result.status),
                "value": result.value,
                "error": result.error,
                "version": result.version,
                "duration_s": result.duration_s,
            }
        )
    elif result.status is CallStatus.OK:
        out.print(plain(result.for_model(), keep_lines=True))
    else:
        say(f"{name}: {result.status}: {result.error}", "red")
    return ExitCode.DONE if result.status is CallStatus.OK else ExitCode.REFUSED
