"""The `toolguild` command: its groups, its exit codes, and how it ends when something is wrong."""

from __future__ import annotations

import sys

import click

from toolguild.cli.console import say
from toolguild.cli.errors import ExitCode
from toolguild.cli.lazy import LazyGroup
from toolguild.cli.settings import default_map
from toolguild.policies import ToolguildError
from toolguild.registry import ChangeRefusedError, RegistryError, UnknownToolError
from toolguild.sandbox import SandboxUnavailableError
from toolguild.version import __version__

__all__ = ["main", "toolguild"]

_COMMANDS = {
    "agent": "toolguild.cli.agent:agent",
    "approvals": "toolguild.cli.approvals:approvals",
    "audit": "toolguild.cli.audit:audit",
    "call": "toolguild.cli.call:call",
    "check": "toolguild.cli.check:check",
    "demo": "toolguild.cli.demo_command:demo",
    "doctor": "toolguild.cli.doctor:doctor",
    "image": "toolguild.cli.image:image",
    "improve": "toolguild.cli.improvement:improve",
    "keys": "toolguild.cli.keys:keys",
    "measure": "toolguild.cli.measure:measure",
    "mine": "toolguild.cli.synthesize:mine",
    "synthesize": "toolguild.cli.synthesize:synthesize",
    "tools": "toolguild.cli.tool_commands:tools",
    "validate": "toolguild.cli.validate:validate",
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
@click.pass_context
def toolguild(context: click.Context) -> None:
    """Turn what agents did into tools that they can trust."""
    group = context.command
    if isinstance(group, click.Group):
        context.default_map = default_map(group)


def main() -> None:
    """Run the command line, and leave with the exit code that it earned."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line with these arguments and return its exit code."""
    try:
        code = toolguild.main(arguments, prog_name="toolguild", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted. What was registered before stays; the same command goes on from there.")
        return ExitCode.INTERRUPTED
    except UnknownToolError as error:
        say(f"Error: {error}", "red")
        return ExitCode.USAGE
    except ChangeRefusedError as error:
        say(f"Refused: {error}", "red")
        return ExitCode.REFUSED
    except (SandboxUnavailableError, RegistryError) as error:
        say(f"Error: {error}", "red")
        return ExitCode.UNAVAILABLE
    except ToolguildError as error:
        say(f"Error: {error}", "red")
        return ExitCode.USAGE
    except BrokenPipeError:
        # The reader of our output went away, as `head` does.
        sys.stderr.close()
        return ExitCode.DONE
    return code if isinstance(code, int) else ExitCode.DONE
