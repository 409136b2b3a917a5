"""The `toolguild` command: its groups, its exit codes, and how it ends when something is wrong."""

from __future__ import annotations

import sys

import click

from toolguild.cli import lifecycle
from toolguild.cli.agent import agent
from toolguild.cli.approvals import approvals
from toolguild.cli.audit import audit
from toolguild.cli.bundles import export_command, import_command
from toolguild.cli.call import call
from toolguild.cli.check import check
from toolguild.cli.console import say
from toolguild.cli.demo_command import demo
from toolguild.cli.diff import diff
from toolguild.cli.doctor import doctor
from toolguild.cli.drift import drift
from toolguild.cli.errors import ExitCode
from toolguild.cli.governance import COMMANDS
from toolguild.cli.image import image
from toolguild.cli.improvement import improve
from toolguild.cli.keys import keys
from toolguild.cli.measure import measure
from toolguild.cli.settings import default_map
from toolguild.cli.synthesize import mine, synthesize
from toolguild.cli.tools import tools
from toolguild.cli.validate import validate
from toolguild.policies import ToolguildError
from toolguild.registry import ChangeRefusedError, RegistryError, UnknownToolError
from toolguild.sandbox import SandboxUnavailableError
from toolguild.version import __version__

__all__ = ["main", "toolguild"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.pass_context
def toolguild(context: click.Context) -> None:
    """Turn what agents did into tools that they can trust."""
    group = context.command
    if isinstance(group, click.Group):
        context.default_map = default_map(group)


for command in (export_command, import_command, diff, drift, *COMMANDS, *lifecycle.COMMANDS):
    tools.add_command(command)
for command in (synthesize, mine, measure, check, validate, tools, call, image, doctor, demo):
    toolguild.add_command(command)
for command in (keys, audit, approvals, agent, improve):
    toolguild.add_command(command)


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
